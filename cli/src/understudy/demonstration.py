"""The play that `understudy demo` performs: two mock providers in this process, and a gateway in one of its own.

The gateway is `understudy serve` on real files in a temporary folder, so everything seen here is what a user gets.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import click

from understudy.mock import Mock

START_SECONDS = 20.0
RELOAD_SECONDS = 10.0
END_SECONDS = 3.0
"""How long the gateway may take to let requests end; whoever ends a demo does not wait for a stalled stream."""
POLL_SECONDS = 0.05
INTERRUPTED_SECONDS = 1.0
"""Ctrl-C ends the gateway too, and may reach it first: so long to hear of it before its end is called trouble."""


class Trouble(Exception):
    """The demo cannot go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens on loopback."""

    gateway: int
    admin: int
    lead: int
    understudy: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller got, and what the headers say about it."""

    text: str
    provider: str
    attempts: str
    reason: str


PROVIDERS = """\
# Where models run: here two mocks. With real vendors: type OpenAI and a key, for example.
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: lead}}
spec:
  type: OpenAICompatible
  baseURL: http://127.0.0.1:{lead}/v1
  models: [{{name: large}}]
---
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: understudy}}
spec:
  type: OpenAICompatible
  baseURL: http://127.0.0.1:{understudy}/v1
  models: [{{name: small}}]
"""

ROUTE = """\
# The name that apps ask for, who answers, and who steps in.
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata: {{name: chat}}
spec:
  rules:
    - backends:
        - {{providerRef: {{name: {first}}}, model: {first_model}}}
        - {{providerRef: {{name: {second}}}, model: {second_model}, priority: 1}}
"""

PERSONA = """\
# A role to cast by name, whoever plays it.
apiVersion: understudy.dev/v1alpha1
kind: Persona
metadata: {name: code-assistant}
spec:
  description: Helps with code
  aliases: [code_assistant]
  system:
    text: You are a careful programmer. Answer with code first, then one sentence why.
  preferences:
    - {providerRef: {name: lead}, model: large}
    - {providerRef: {name: understudy}, model: small}
"""


def route(*, lead_first: bool) -> str:
    """The route with either provider in front."""
    cast = [("lead", "large"), ("understudy", "small")]
    (first, first_model), (second, second_model) = cast if lead_first else cast[::-1]
    return ROUTE.format(first=first, first_model=first_model, second=second, second_model=second_model)


async def perform(ports: Ports, folder: Path) -> None:
    """Show an answer, a failover and a reload; then serve until cancelled.

    Raises:
        Trouble: a port is taken, or the gateway does not start.
    """
    _write(folder, ports)
    async with (
        _mock("lead", ports.lead) as lead,
        _mock("understudy", ports.understudy),
        _gateway(ports, folder) as gateway,
        aiohttp.ClientSession() as session,
    ):
        await _until_ready(session, ports, gateway)
        try:
            await _show(session, ports, folder, lead)
        except aiohttp.ClientError as error:
            raise Trouble(f"the gateway cannot be reached: {error}") from error
        await gateway.wait()
        await asyncio.sleep(INTERRUPTED_SECONDS)
        raise Trouble("the gateway ended by itself; what it said is above")


async def _show(session: aiohttp.ClientSession, ports: Ports, folder: Path, lead: Mock) -> None:
    _scene("1. An answer", "Model `chat` is a route; its first backend is the provider `lead`.")
    _tell(await ask(session, ports))
    _scene("2. A failover", "Now `lead` answers every request with status 500. Nobody told the caller.")
    lead.set_faults(["500"])
    _tell(await ask(session, ports))
    lead.set_faults([])
    _scene("3. A reload", f"{folder}/route.yaml is edited: `understudy` goes first. Nothing restarts.")
    before = await _revision(session, ports)
    after = await _edit(session, ports, folder, lead_first=False)
    click.echo(f"  revision {before} -> {after}")
    _tell(await ask(session, ports))
    back = await _edit(session, ports, folder, lead_first=True)
    click.echo(f"  edited back: revision {after} -> {back}, the name of the same content as before")
    click.echo(_farewell(ports, folder))


async def _edit(session: aiohttp.ClientSession, ports: Ports, folder: Path, *, lead_first: bool) -> str:
    """Edit the route, and wait until the gateway runs another revision; which one."""
    before = await _revision(session, ports)
    (folder / "route.yaml").write_text(route(lead_first=lead_first))
    try:
        return await _changed_revision(session, ports, before)
    except TimeoutError as error:
        raise Trouble(f"the gateway did not reload within {RELOAD_SECONDS:.0f} seconds") from error


def _farewell(ports: Ports, folder: Path) -> str:
    """What there is to try now."""
    return (
        f"\nIt keeps serving at http://localhost:{ports.gateway}/v1, from the files in {folder}. Ctrl-C ends it.\n\n"
        f"  curl http://localhost:{ports.gateway}/v1/chat/completions -H 'Content-Type: application/json' \\\n"
        f'    -d \'{{"model": "chat", "messages": [{{"role": "user", "content": "Hello!"}}]}}\'\n\n'
        "Make `lead` fail, and ask again:\n\n"
        f"  curl -X PUT http://localhost:{ports.lead}/_mock/faults -d '[\"500\"]'\n"
    )


async def ask(session: aiohttp.ClientSession, ports: Ports) -> Answer:
    """Ask the gateway as any client would."""
    body = {"model": "chat", "messages": [{"role": "user", "content": "Who are you?"}]}
    async with session.post(f"http://127.0.0.1:{ports.gateway}/v1/chat/completions", json=body) as response:
        content = await response.json()
        if response.status != 200:
            raise Trouble(f"the gateway answered {response.status}: {content}")
        headers = response.headers
        return Answer(
            text=content["choices"][0]["message"]["content"],
            provider=headers["x-understudy-provider"],
            attempts=headers["x-understudy-attempts"],
            reason=headers.get("x-understudy-reason", ""),
        )


def _write(folder: Path, ports: Ports) -> None:
    (folder / "providers.yaml").write_text(PROVIDERS.format(lead=ports.lead, understudy=ports.understudy))
    (folder / "route.yaml").write_text(route(lead_first=True))
    (folder / "persona.yaml").write_text(PERSONA)


@contextlib.asynccontextmanager
async def _mock(name: str, port: int) -> AsyncIterator[Mock]:
    mock = Mock(name=name, port=port)
    try:
        await mock.start()
    except OSError as error:
        raise Trouble(
            f"port {port} for the mock provider {name} is taken: choose another with --{name}-port"
        ) from error
    try:
        yield mock
    finally:
        await mock.close()


@contextlib.asynccontextmanager
async def _gateway(ports: Ports, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    _need_free(ports.gateway, "port")
    _need_free(ports.admin, "admin-port")
    command = [sys.executable, "-m", "understudy", "serve", "-f", str(folder)]
    # The play tells of the failures that it makes; lines of a log between its scenes would only puzzle.
    command += ["--log-level", "error"]
    process = await asyncio.create_subprocess_exec(
        *command, "--port", str(ports.gateway), "--admin-port", str(ports.admin), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _need_free(port: int, option: str) -> None:
    """Look before the gateway does: whoever has the port might answer in its place."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Trouble(f"port {port} for the gateway is taken: choose another with --{option}")


async def _until_ready(session: aiohttp.ClientSession, ports: Ports, gateway: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await _ready(session, ports):
                if gateway.returncode is not None:
                    raise Trouble(
                        f"the gateway did not start (see above); is port {ports.gateway} or {ports.admin} taken?"
                    )
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise Trouble(f"the gateway was not ready within {START_SECONDS:.0f} seconds") from error


async def _ready(session: aiohttp.ClientSession, ports: Ports) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{ports.gateway}/health/ready") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def _revision(session: aiohttp.ClientSession, ports: Ports) -> str:
    async with session.get(f"http://127.0.0.1:{ports.admin}/config") as response:
        return str((await response.json())["revision"])


async def _changed_revision(session: aiohttp.ClientSession, ports: Ports, before: str) -> str:
    async with asyncio.timeout(RELOAD_SECONDS):
        while (now := await _revision(session, ports)) == before:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(POLL_SECONDS)
        return now


def _scene(title: str, what: str) -> None:
    click.echo(f"\n{click.style(title, bold=True)}\n  {what}")


def _tell(answer: Answer) -> None:
    click.echo(f"  {click.style(answer.text, fg='green')}")
    reason = f", because of {answer.reason}" if answer.reason else ""
    click.echo(f"  answered by {answer.provider} at attempt {answer.attempts}{reason}")
