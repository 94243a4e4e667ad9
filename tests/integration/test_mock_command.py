"""`understudy mock`, as a person runs it."""

import asyncio
import json
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from harness.raw_http import PATIENCE_SECONDS, RawHttp, exchange
from understudy.mock import Mock


@asynccontextmanager
async def running(arguments: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the command on a free port, and see to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from understudy.main import main; main()",
        "mock",
        "--port=0",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def welcome(process: asyncio.subprocess.Process) -> str:
    """Return what the command says when it is ready."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        return (await process.stdout.readuntil(b"Ctrl-C to stop.\n")).decode()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_runs_until_it_is_told_to_end(end: signal.Signals) -> None:
    """It says where it is, answers by its options, and ends at once and in silence, whatever is open."""
    async with running(["--name=ada", "--faults=stall-after:1", "--reply=Well, hello"]) as process:
        text = await welcome(process)
        port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", text)[0])
        async with RawHttp(port) as client:
            body = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
            client.send("POST", "/v1/chat/completions", json.dumps(body).encode())
            await client.saw(b"Well,")
            process.send_signal(end)
            async with asyncio.timeout(PATIENCE_SECONDS):
                output, errors = await process.communicate()
            assert (await client.answer()).complete is False
    assert (process.returncode, output, errors) == (0, b"ada has stopped.\n", b"")


@pytest.mark.parametrize(
    ("fault", "content", "complete", "reset"),
    [
        pytest.param("refuse", b"", False, False, id="refuse"),
        pytest.param("reset", b"", False, True, id="reset"),
        pytest.param("cut-after:2", b'" hello"', False, False, id="cut"),
        pytest.param("reset-after:2", b'" hello"', False, True, id="reset mid-stream"),
        pytest.param("end-after:2", b'" hello"', True, False, id="a good end without the end"),
        pytest.param("slow-headers:100ms", b"[DONE]", True, False, id="slow headers"),
    ],
)
async def test_ends_connections_as_told(fault: str, content: bytes, complete: bool, reset: bool) -> None:
    """The command, which runs on the fastest event loop there is, ends connections just as a mock in a test does."""
    body = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    async with running(["--reply=Well, hello there"]) as process:
        port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", await welcome(process))[0])
        headers = {"x-mock-fault": fault}
        answer = await exchange(port, "POST", "/v1/chat/completions", json.dumps(body).encode(), headers)
        process.terminate()
        _, errors = await process.communicate()
    assert (complete, reset, True) == (answer.complete, answer.reset, content in answer.body)
    assert (b"there" in answer.body) == (content == b"[DONE]")
    assert errors == b""


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_lines_it_prints_can_be_used() -> None:
    """The commands of the start-up block work as printed."""
    async with running(["--model=small", "--faults=429;times=1"]) as process:
        text = await welcome(process)
        assert "429;times=1" in text
        outputs = []
        for line in re.findall(r"curl .*", text):
            shell = await asyncio.create_subprocess_shell(
                line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            output, _ = await shell.communicate()
            outputs.append(json.loads(output))
    refused, received, script = outputs
    assert refused["error"]["code"] == "rate_limit_exceeded"
    assert [(request["model"], request["status"]) for request in received] == [("small", 429)]
    assert script == [{"fault": "429;retry-after=2;times=3", "seen": 0, "given": 0}]


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        pytest.param(["--faults", "429;tims=2"], 'did you mean "times"?', id="fault"),
        pytest.param(["--token-interval", "5"], "write it such as 2s", id="duration"),
        pytest.param(["--name", "a b"], "use letters, digits", id="name"),
        pytest.param(["--tokens", "0"], "1<=x<=10000", id="tokens"),
    ],
)
async def test_explains_what_is_wrong(arguments: list[str], advice: str) -> None:
    """A wrong option ends the command with what to write, and no traceback."""
    async with running(arguments) as process:
        _, errors = await process.communicate()
    assert (process.returncode, advice in errors.decode(), b"Traceback" in errors) == (2, True, False)


async def test_says_when_the_port_is_taken() -> None:
    """Another program on the port is a sentence, not a traceback."""
    async with Mock() as other, running([f"--port={other.port}"]) as process:
        output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert re.fullmatch(r"Error: Cannot listen on http://127.0.0.1:\d+: .*in use. Try --port.\n", errors.decode())
