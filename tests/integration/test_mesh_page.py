"""`docs/mesh.md`: its commands run as they stand, against the example with mocks for the vendors."""

import shutil
from pathlib import Path

import pytest

from harness.consoles import shown
from harness.gateways import Serving
from harness.pages import page
from harness.personas import BASES, staged
from understudy.mock import Mock

PAGE = page("docs/mesh.md")
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


async def test_the_commands_of_the_page(tmp_path: Path) -> None:
    """Each prints what the page shows."""
    commands = list(shown(PAGE))
    assert [] != commands
    async with Mock() as mock, Serving(staged(tmp_path, dict.fromkeys(BASES, mock))) as serving:
        for command in commands:
            await command.runs_as_shown(port=serving.port)
