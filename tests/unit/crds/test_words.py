"""Words that users write and proxies run are declared twice, because neither side imports the other."""

from enum import StrEnum

import pytest

from understudy_api import config
from understudy_api.v1alpha1 import provider, route


@pytest.mark.parametrize(
    ("written", "run"),
    [
        pytest.param(provider.Capability, config.Capability, id="capabilities"),
        pytest.param(route.RetryOn, config.RetryOn, id="failures to retry on"),
        pytest.param(route.Strategy, config.Strategy, id="strategies"),
    ],
)
def test_both_sides_know_the_same_words(written: type[StrEnum], run: type[StrEnum]) -> None:
    """Whatever a user may write, a proxy understands."""
    assert [word.value for word in written] == [word.value for word in run]
