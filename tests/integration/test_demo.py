"""`understudy demo`, as a person runs it: three scenes, a gateway to play with, and nothing left behind."""

import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.commands import Command, running
from harness.proxies import free_port
from harness.raw_http import eventually, exchange
from understudy.mock import Mock

CHAT = b'{"model": "chat", "messages": [{"role": "user", "content": "Hello!"}]}'
PERSONA = CHAT.replace(b'"chat"', b'"persona/code_assistant"')
PORTS = ("port", "admin-port", "lead-port", "understudy-port")


class Demo(Command):
    """The demo on ports that nobody uses."""

    def __init__(self, folder: Path, **ports: int) -> None:
        self.ports = {name: ports.get(name) or free_port() for name in PORTS}
        super().__init__(folder, "demo", *(f"--{name}={port}" for name, port in self.ports.items()))


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[Demo]:
    """A demo that has shown all of its scenes."""
    made = Demo(folder)
    async with running(made):
        await made.says("Ctrl-C ends it.")
        yield made


def is_there(path: str) -> bool:
    """Whether there is a file or a folder."""
    return Path(path).exists()


async def test_shows_an_answer_a_failover_and_a_reload(tmp_path: Path) -> None:
    """The scenes tell what really happened: who answered, at which attempt, and why."""
    async with demo(tmp_path) as made:
        scenes = made.printed.split("\n\n")
        answer, failover, reload = (scene for scene in scenes if scene.lstrip()[:2] in {"1.", "2.", "3."})
    assert 'This is lead, answering as large. You said: "Who are you?"' in answer
    assert "answered by default/lead at attempt 1\n" in f"{answer}\n"
    assert "This is understudy, answering as small." in failover
    assert "answered by default/understudy at attempt 3, because of server_error\n" in f"{failover}\n"
    assert "answered by default/understudy at attempt 1\n" in reload
    before, after = reload.partition("revision ")[2].splitlines()[0].split(" -> ")
    assert f"edited back: revision {after} -> {before}" in reload


async def test_keeps_serving(tmp_path: Path) -> None:
    """A route and a persona answer after the scenes, by the first provider again."""
    async with demo(tmp_path) as made:
        for body in (CHAT, PERSONA):
            answer = await exchange(made.ports["port"], "POST", "/v1/chat/completions", body)
            assert (answer.status, answer.headers["x-understudy-provider"]) == (200, "default/lead")
        assert (await exchange(made.ports["admin-port"], "GET", "/metrics")).status == 200


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    """Ended by Ctrl-C, or its first process alone by SIGTERM: no process, no file and no port is left, nor a word."""
    async with demo(tmp_path) as made:
        group, before = made.process.pid, made.printed
        files = before.partition("from the files in ")[2].partition(". Ctrl-C")[0]
        assert is_there(files)
        if how is signal.SIGINT:
            made.interrupt()
        else:
            made.tell(how)
        assert await made.ended() == 0
        await eventually(lambda: not made.lives(group))
        assert made.printed.removeprefix(before).strip() == "Curtain."
        assert not is_there(files)
        for port in made.ports.values():
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("option", PORTS)
async def test_a_port_that_is_taken(tmp_path: Path, option: str) -> None:
    """It says which port is taken and which option chooses another, and ends with all that it had begun."""
    async with Mock() as other:
        made = Demo(tmp_path, **{option: other.port})
        async with running(made):
            group = made.process.pid
            assert await made.ended() == 1
            await eventually(lambda: not made.lives(group))
    assert f"port {other.port} for the " in made.printed
    assert made.printed.endswith(f" is taken: choose another with --{option}\n")
    assert other.stats.requests == 0


async def test_says_when_its_gateway_is_gone(tmp_path: Path) -> None:
    """A gateway that ends by itself is no demo any more: it says so and ends."""
    async with demo(tmp_path) as made:
        (gateway,) = made.children()
        os.kill(gateway, signal.SIGKILL)
        assert await made.ended() == 1
    assert made.printed.endswith("Error: the gateway ended by itself; what it said is above\n")
