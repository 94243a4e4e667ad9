"""`docs/sessions.md`: its commands run as they stand, against the example with mocks for the vendors."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from harness.consoles import shown
from harness.gateways import Serving
from harness.pages import blocks, page
from harness.personas import BASES, staged
from understudy.mock import Mock
from understudy_proxy.doors.sessions.holding import MAX_WAITING, WAIT_SECONDS
from understudy_proxy.sessions.reading import MAX_CONTEXT_BYTES, MAX_TTL_SECONDS
from understudy_proxy.sessions.record import MAX_BYTES, MAX_TURN_BYTES

PAGE = page("docs/sessions.md")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each prints what the page shows, in the session that the page makes."""
    (making,) = [block.text for block in blocks(PAGE, "sh") if block.text.startswith("SESSION=")]
    commands = list(shown(PAGE))
    assert 6 == len(commands)
    async with Mock() as mock, Serving(staged(tmp_path, dict.fromkeys(BASES, mock))) as serving:
        script = making.replace("localhost:8080", f"127.0.0.1:{serving.port}") + "\necho $SESSION"
        shell = await asyncio.create_subprocess_shell(script, stdout=asyncio.subprocess.PIPE)
        printed, _ = await shell.communicate()
        monkeypatch.setenv("SESSION", printed.decode().strip())
        for command in commands:
            await command.runs_as_shown(port=serving.port)
        knowing = [request for request in mock.requests if "My name is Ada." in request.body.decode()]
    assert 2 == len(knowing)


def test_the_bounds_of_the_page() -> None:
    """The page tells the numbers that hold."""
    said = re.sub(r"\s+", " ", PAGE)
    for words in (
        f"up to {MAX_TTL_SECONDS // 86400} days",
        f"up to {MAX_CONTEXT_BYTES:,} bytes",
        f"up to {WAIT_SECONDS:.0f} seconds",
        f"where {MAX_WAITING} wait",
        f"at most {MAX_BYTES // 2**20} MiB",
        f"at most {MAX_TURN_BYTES // 2**20} MiB",
    ):
        assert words in said
