"""`understudy mock`: run an upstream that answers by itself and fails as told, until Ctrl-C.

SIGTERM ends it as it ends real model servers: nothing new is taken, and running requests may finish. Signals have
handlers of their own, because the first process of a container gets no others.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable

import click

from understudy.mock import FaultError, Mock, Settings, parse_fault
from understudy.mock.dialects import DIALECTS, TOGETHER
from understudy.mock.durations import parse_duration
from understudy.mock.samples import base_url, curl

_MOST_TOKENS = 10_000
_DRAIN_SECONDS = 5.0
"""After SIGTERM: how long running requests may take to end."""


def _seconds(_: click.Context, __: click.Parameter, value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _faults(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for value in values:
            parse_fault(value)
    except FaultError as error:
        raise click.BadParameter(str(error)) from error
    return values


@click.command("mock")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8081,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 for a free one.",
)
@click.option("--name", default="mock", show_default=True, help="Who answers, as seen in every answer.")
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    help=f"The one wire format to speak. Without it, {', '.join(TOGETHER)} at once, told apart by path.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="A model to serve; may be repeated. Without it, any name is answered.",
)
@click.option("--require-key", metavar="KEY", help="Refuse every request that does not bring this API key.")
@click.option("--reply", metavar="TEXT", help="What to answer, instead of naming the mock and the question.")
@click.option(
    "--tokens",
    type=click.IntRange(1, _MOST_TOKENS),
    metavar="N",
    help="How many tokens an answer has, and so how many chunks a stream.",
)
@click.option(
    "--first-token-delay",
    default="0s",
    callback=_seconds,
    metavar="DURATION",
    help="Wait before the first token, such as 300ms.",
)
@click.option(
    "--token-interval",
    default="0s",
    callback=_seconds,
    metavar="DURATION",
    help="Wait between two tokens, such as 20ms.",
)
@click.option(
    "--faults",
    multiple=True,
    callback=_faults,
    metavar="FAULT",
    help="A fault, such as '429;retry-after=2;times=3' or 'cut-after:5;percent=10'; may be repeated. "
    "The first that strikes is given. All of them are in docs/mock.md.",
)
@click.option("--seed", default=0, show_default=True, help="Where the chance of 'percent' begins.")
def mock(  # noqa: PLR0913 - one parameter an option
    *,
    host: str,
    port: int,
    name: str,
    dialect: str | None,
    models: tuple[str, ...],
    require_key: str | None,
    reply: str | None,
    tokens: int | None,
    first_token_delay: float,
    token_interval: float,
    faults: tuple[str, ...],
    seed: int,
) -> None:
    """Run an upstream for tests and demos, with scripted faults.

    It answers by itself, in the wire formats of many providers at once, records what it receives (GET
    /_mock/requests), and takes new faults while it runs (PUT /_mock/faults). The last thing a user says may direct the
    answer: [call: TOOL, ...], [think: WORDS], [say: WORDS], [refuse].
    """
    settings = Settings(
        reply=reply,
        tokens=tokens,
        first_token_delay=first_token_delay,
        token_interval=token_interval,
        models=models,
        require_key=require_key,
    )
    try:
        server = Mock(name=name, faults=faults, settings=settings, dialect=dialect, host=host, port=port, seed=seed)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
        runner.run(_serve(server, welcome=lambda: _welcome(server, dialect, faults)))


class _Told:
    """What signals have told: `ending` after the first, `at_once` after an interrupt or the second."""

    def __init__(self) -> None:
        self.ending = asyncio.Event()
        self.at_once = asyncio.Event()

    def heed(self) -> None:
        """Take every signal that asks a process to end."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # No signal handlers on Windows.
                asyncio.get_running_loop().add_signal_handler(signum, self._signaled, signum)

    def _signaled(self, signum: int) -> None:
        if signum == signal.SIGINT or self.ending.is_set():
            self.at_once.set()
        self.ending.set()


async def _serve(server: Mock, *, welcome: Callable[[], str]) -> None:
    """Run `server` until the process is asked to end."""
    told = _Told()
    told.heed()
    try:
        await server.start()
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {server.url}: {error.strerror or error}. Try --port.") from error
    try:
        click.echo(welcome())
        await told.ending.wait()
        await _drain(server, told)
    finally:
        await server.close()
    click.echo(f"{server.name} has stopped.")


async def _drain(server: Mock, told: _Told) -> None:
    """Let running requests end, unless everything is to end at once."""
    draining = asyncio.create_task(server.drain(within_seconds=_DRAIN_SECONDS), name="drain")
    hurried = asyncio.create_task(told.at_once.wait(), name="hurried")
    ended, late = await asyncio.wait((draining, hurried), return_when=asyncio.FIRST_COMPLETED)
    for task in late:
        task.cancel()
    await asyncio.gather(*ended)


def _welcome(server: Mock, dialect: str | None, faults: tuple[str, ...]) -> str:
    """Return what a person needs to know to use the mock that has just started."""
    model = server.settings.models[0] if server.settings.models else "any-model"
    spoken = [dialect] if dialect else TOGETHER
    first = dialect or "openai"
    return "\n".join(
        [
            f"{server.name} listens on {server.url}, speaking {', '.join(spoken)}.",
            *(f"  Base URL  {base_url(server.url, one)} for {one}" for one in spoken),
            f"  Faults    {', '.join(faults) or 'none'}",
            f"  Try       {curl(server.url, first, model=model, with_key=bool(server.settings.require_key))}",
            f"  Received  curl {server.url}/_mock/requests",
            f"  Script    curl -X PUT {server.url}/_mock/faults -d '[\"429;retry-after=2;times=3\"]'",
            "Ctrl-C to stop.",
        ]
    )


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a uvloop loop where it is installed; None for asyncio's own."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop
