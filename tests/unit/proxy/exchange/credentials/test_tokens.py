"""Tokens: for how long one is used, and which is not used at all."""

import pytest

from understudy_proxy.exchange.credentials.kept import NotGiven
from understudy_proxy.exchange.credentials.tokens import lasting


@pytest.mark.parametrize(
    ("lifetime", "renew_after", "used_for"),
    [
        pytest.param(3600, 3300, 3585, id="an hour"),
        pytest.param(86_400, 86_100, 86_385, id="a day"),
        pytest.param(120, 52.5, 105, id="two minutes"),
        pytest.param(20, 2.5, 5, id="hardly any time"),
    ],
)
def test_is_renewed_minutes_before_it_runs_out(lifetime: float, renew_after: float, used_for: float) -> None:
    """Or half-way, when it lasts only minutes; never after its end."""
    lease = lasting("token", now=1000.0, until=1000.0 + lifetime)
    assert (lease.renew_at - 1000, lease.until - 1000) == (renew_after, used_for)


@pytest.mark.parametrize(
    ("token", "lifetime", "why"),
    [
        pytest.param("token", 10, "has run out already", id="too late"),
        pytest.param("token", -3600, "has run out already", id="an hour ago"),
        pytest.param("token\r\nhost: evil", 3600, "no header carries", id="another header"),
        pytest.param("t\N{SNOWMAN}ken", 3600, "no header carries", id="not ASCII"),
    ],
)
def test_what_cannot_be_sent_is_none(token: str, lifetime: float, why: str) -> None:
    """And it is not shown."""
    with pytest.raises(NotGiven, match=why) as raised:
        lasting(token, now=1000.0, until=1000.0 + lifetime)
    assert token not in str(raised.value)
