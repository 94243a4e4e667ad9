"""`understudy demo`: an answer, a failover and a reload, seen in a minute and without any key."""

import asyncio
import contextlib
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from understudy.demonstration import Ports

_PORT = click.IntRange(1, 65535)


@click.command("demo")
@click.option("--port", default=8080, show_default=True, type=_PORT, help="The gateway's, for callers.")
@click.option(
    "--admin-port", default=9090, show_default=True, type=_PORT, help="The gateway's, for metrics and explanations."
)
@click.option("--lead-port", default=9101, show_default=True, type=_PORT, help="The first mock provider's.")
@click.option("--understudy-port", default=9102, show_default=True, type=_PORT, help="The second mock provider's.")
def demo(*, port: int, admin_port: int, lead_port: int, understudy_port: int) -> None:
    """See an answer, a failover and a reload, with two mock providers.

    Runs the gateway as `understudy serve` would, on files that it shows you, and keeps serving until Ctrl-C.
    """
    from understudy.demonstration import Ports, Trouble

    ports = Ports(gateway=port, admin=admin_port, lead=lead_port, understudy=understudy_port)
    with tempfile.TemporaryDirectory(prefix="understudy-demo-") as folder:
        try:
            asyncio.run(_perform(ports, Path(folder)))
        except Trouble as trouble:
            raise click.ClickException(str(trouble)) from trouble
        except (KeyboardInterrupt, asyncio.CancelledError):
            click.echo("\nCurtain.")


async def _perform(ports: "Ports", folder: Path) -> None:
    """Perform until interrupted, or told to end in another way: the gateway must not be left behind."""
    from understudy.demonstration import perform

    performing = asyncio.current_task()
    if performing is not None:
        with contextlib.suppress(NotImplementedError):  # No signal handlers on Windows.
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, performing.cancel)
    await perform(ports, folder)
