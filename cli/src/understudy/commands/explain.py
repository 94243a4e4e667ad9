"""`understudy explain`: who would answer a name, and why; who is passed over, and why."""

import json
import os
import sys
from typing import Any

import click

from understudy.explaining import Imagined, NotReached, as_text, from_gateway, from_paths


@click.command("explain")
@click.argument("model")
@click.option(
    "-f", "--filename", "filenames", multiple=True, metavar="PATH", type=click.Path(exists=True),
    help="Explain from files or folders, as if a gateway had just started with them.",
)  # fmt: skip
@click.option("--url", help="The admin address of a running gateway.  [default: http://localhost:9090]")
@click.option("-n", "--namespace", default="", help="The caller's namespace.")
@click.option("--stream", is_flag=True, help="For a streaming request.")
@click.option("--tokens", type=click.IntRange(0), default=0, help="For a prompt of so many tokens.")
@click.option("--requires", multiple=True, metavar="CAPABILITY", help="For a request that needs it, such as Tools.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain(
    *,
    model: str,
    filenames: tuple[str, ...],
    url: str | None,
    namespace: str,
    stream: bool,
    tokens: int,
    requires: tuple[str, ...],
    output: str,
) -> None:
    """Tell who would answer MODEL and why, and who is passed over and why.

    Asks a running gateway, which knows how its providers fare, or reads files with -f. Exits with 1 where nobody would
    answer.
    """
    if filenames and url:
        raise click.UsageError("-f and --url exclude each other: files, or a running gateway?")
    imagined = Imagined(model=model, namespace=namespace, stream=stream, tokens=tokens, requires=requires)
    try:
        told = (
            from_paths(filenames, imagined, environment=os.environ)
            if filenames
            else from_gateway(url or "http://localhost:9090", imagined)
        )
    except NotReached as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(told, indent=2) if output == "json" else as_text(told))
    sys.exit(0 if _answered(told) else 1)


def _answered(told: dict[str, Any]) -> bool:
    return bool(told["found"] and told["choices"])
