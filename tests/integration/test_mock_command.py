"""`understudy mock`, as a person runs it."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.raw_http import PATIENCE_SECONDS, RawHttp, eventually, exchange
from understudy.mock import Mock

CHAT = "/v1/chat/completions"
STREAM = json.dumps({"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], "stream": True}).encode()
UNSHARE = ("unshare", "--pid", "--fork", "--kill-child")


def can_unshare() -> bool:
    """Whether this machine lets us have process 1 of a namespace of our own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0


@asynccontextmanager
async def running(arguments: Sequence[str], *, within: Sequence[str] = ()) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the command on a free port, and see to its end."""
    process = await asyncio.create_subprocess_exec(
        *within,
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


def port_of(text: str) -> int:
    """Return the port that it says it listens on."""
    return int(re.findall(r"http://127\.0\.0\.1:(\d+)", text)[0])


def only_child_of(pid: int) -> int:
    """Return the id of the one process that another one has started."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def listens(port: int) -> bool:
    """Whether a new connection is taken."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


ENDS_AT_ONCE = [
    pytest.param([signal.SIGINT], id="Ctrl-C"),
    pytest.param([signal.SIGTERM, signal.SIGTERM], id="told twice"),
    pytest.param([signal.SIGTERM, signal.SIGINT], id="told, then Ctrl-C"),
]


@pytest.mark.parametrize("signals", ENDS_AT_ONCE)
async def test_runs_until_it_is_told_to_end(signals: list[signal.Signals]) -> None:
    """It says where it is, answers by its options, and ends at once and in silence, whatever is open."""
    async with running(["--name=ada", "--faults=stall-after:1", "--reply=Well, hello"]) as process:
        port = port_of(await welcome(process))
        async with RawHttp(port) as client:
            client.send("POST", CHAT, STREAM)
            await client.saw(b"Well,")
            for number in signals:
                process.send_signal(number)
                await eventually(lambda: not listens(port))
            async with asyncio.timeout(PATIENCE_SECONDS):
                output, errors = await process.communicate()
            assert (await client.answer()).complete is False
    assert (process.returncode, output, errors) == (0, b"ada has stopped.\n", b"")


async def test_lets_streams_end_when_it_is_stopped_in_order() -> None:
    """On SIGTERM it takes nothing new, and a stream that has begun gets all of its chunks."""
    async with running(["--name=ada", "--tokens=20", "--token-interval=20ms"]) as process:
        port = port_of(await welcome(process))
        async with RawHttp(port) as client:
            client.send("POST", CHAT, STREAM, {"connection": "keep-alive"})
            await client.saw(b"This")
            process.terminate()
            await eventually(lambda: not listens(port))
            answer = await client.answer()
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, errors = await process.communicate()
    assert (answer.complete, answer.body.endswith(b"data: [DONE]\n\n")) == (True, True)
    assert (process.returncode, output, errors) == (0, b"ada has stopped.\n", b"")


@pytest.mark.skipif(not can_unshare(), reason="needs the right to make a process namespace")
async def test_ends_when_it_is_the_first_process_of_a_container() -> None:
    """A process without handlers of its own would never hear of SIGTERM as process 1."""
    async with running(["--name=ada"], within=UNSHARE) as outer:
        await welcome(outer)
        os.kill(only_child_of(outer.pid), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, errors = await outer.communicate()
    assert (outer.returncode, output, errors) == (0, b"ada has stopped.\n", b"")


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
    async with running(["--reply=Well, hello there"]) as process:
        port = port_of(await welcome(process))
        answer = await exchange(port, "POST", CHAT, STREAM, {"x-mock-fault": fault})
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
