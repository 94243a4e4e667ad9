"""The shop of `examples/tools`: the server of functions that its gateway calls."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.examples import EXAMPLES
from harness.process import Process
from harness.raw_http import eventually

USUAL = "http://localhost:8090"
"""Where the example expects it."""


@asynccontextmanager
async def open_shop(folder: Path) -> AsyncIterator[str]:
    """The shop, on a free port; its URL, with the address as a number."""
    log = folder / "shop.log"
    process = Process([sys.executable, str(EXAMPLES / "tools/shop.py"), "--port=0"], log=log)
    await asyncio.to_thread(process.start)
    try:
        await eventually(lambda: "open at" in log.read_text() if log.exists() else False)
        (port,) = re.findall(r"open at http://localhost:(\d+)", log.read_text())
        yield f"http://127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(process.kill)
