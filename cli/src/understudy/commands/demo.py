"""`understudy demo`: an answer, a failover and a reload, seen in a minute and without any key."""

import asyncio
import tempfile
from pathlib import Path

import click


@click.command("demo")
@click.option("--port", default=8080, show_default=True, help="The gateway's, for callers.")
@click.option("--admin-port", default=9090, show_default=True, help="The gateway's, for metrics and explanations.")
@click.option("--lead-port", default=9101, show_default=True, help="The first mock provider's.")
@click.option("--understudy-port", default=9102, show_default=True, help="The second mock provider's.")
def demo(*, port: int, admin_port: int, lead_port: int, understudy_port: int) -> None:
    """See an answer, a failover and a reload, with two mock providers.

    Runs the gateway as `understudy serve` would, on files that it shows you, and keeps serving until Ctrl-C.
    """
    from understudy.demonstration import Ports, Trouble, perform

    ports = Ports(gateway=port, admin=admin_port, lead=lead_port, understudy=understudy_port)
    with tempfile.TemporaryDirectory(prefix="understudy-demo-") as folder:
        try:
            asyncio.run(perform(ports, Path(folder)))
        except Trouble as trouble:
            raise click.ClickException(str(trouble)) from trouble
        except KeyboardInterrupt:
            click.echo("\nCurtain.")
