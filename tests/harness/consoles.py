"""Console blocks of pages, run as they stand but for the port, and compared with what the page shows."""

import asyncio
import re
from collections.abc import Iterator
from typing import NamedTuple

from harness.pages import blocks
from harness.raw_http import PATIENCE_SECONDS

_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)
_LEFT_OUT = "…"


class Shown(NamedTuple):
    """A command line, and what the page shows of its output; `…` is what it leaves out."""

    command: str
    output: str

    async def runs_as_shown(self, *, port: int) -> None:
        """Run the command with `port` for the usual one, and fail where it prints anything else."""
        moved = self.command.replace("localhost:8080", f"127.0.0.1:{port}")
        assert moved != self.command
        shell = await asyncio.create_subprocess_shell(moved, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(PATIENCE_SECONDS):
            printed, _ = await shell.communicate()
        expected = ".*".join(re.escape(part) for part in self.output.strip().split(_LEFT_OUT))
        assert re.fullmatch(expected, printed.decode().strip(), re.DOTALL), f"{self.command}\n{printed.decode()}"


def shown(text: str) -> Iterator[Shown]:
    """The commands of a page in their order."""
    for block in blocks(text, "console"):
        starts = list(_COMMAND.finditer(block.text))
        ends = [*(start.start() for start in starts[1:]), len(block.text)]
        for start, end in zip(starts, ends, strict=True):
            yield Shown(start[1], block.text[start.end() : end])
