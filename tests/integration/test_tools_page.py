"""`docs/tools.md`: its commands run as they stand, against the example with a mock for the provider."""

import shutil
from pathlib import Path

import pytest

from harness.consoles import shown
from harness.examples import example_gateway
from harness.pages import page
from harness.shop import USUAL, open_shop
from understudy.mock import Mock
from understudy_proxy.tools.outcome import OutcomeKind

PAGE = page("docs/tools.md")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_commands_of_the_page(tmp_path: Path) -> None:
    """Each prints what the page shows."""
    commands = list(shown(PAGE))
    assert [] != commands
    async with (
        open_shop(tmp_path) as shop,
        Mock() as mock,
        example_gateway("tools", mock, folder=tmp_path, moved={USUAL: shop}) as serve,
    ):
        for command in commands:
            await command.runs_as_shown(port=serve.port)


def test_every_outcome_is_explained() -> None:
    """The page's table has each `code` that an answer may carry."""
    for kind in set(OutcomeKind) - {OutcomeKind.SUCCESS}:
        assert f"| `{kind}` |" in PAGE
