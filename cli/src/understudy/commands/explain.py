"""`understudy explain`: who would answer a name, and why; who is passed over, and why."""

import json
import os
import sys
from dataclasses import replace
from typing import Any

import click

from understudy.explaining import Imagined, NoExplanation, as_text, from_gateway, from_snapshot
from understudy.local import from_files
from understudy.serving import tell
from understudy_api.config import Capability

_CAPABILITIES = [capability.value for capability in Capability]


@click.command("explain")
@click.argument("model")
@click.option(
    "-f", "--filename", "filenames", multiple=True, metavar="PATH", type=click.Path(exists=True),
    help="Explain from files or folders, as if a gateway had just started with them.",
)  # fmt: skip
@click.option("--url", help="The admin address of a running gateway.  [default: http://localhost:9090]")
@click.option("-n", "--namespace", default="", help="The caller's; with -f also that of objects that name none.")
@click.option("--stream", is_flag=True, help="For a streaming request.")
@click.option("--tokens", type=click.IntRange(0), default=0, help="For a prompt of so many tokens.")
@click.option(
    "--requires", multiple=True, type=click.Choice(_CAPABILITIES, case_sensitive=False),
    help="For a request that needs it; may be repeated.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to say it."
)
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
    imagined = Imagined(
        model=model, namespace=namespace, stream=stream, tokens=tokens, requires=tuple(map(Capability, requires))
    )
    told = _from_files(filenames, imagined) if filenames else _from_gateway(url or "http://localhost:9090", imagined)
    click.echo(json.dumps(told, indent=2) if output == "json" else as_text(told))
    sys.exit(0 if told["found"] and told["choices"] else 1)


def _from_files(filenames: tuple[str, ...], imagined: Imagined) -> dict[str, Any]:
    """Explain what can be served of the files; what cannot is told first, because it may be the explanation."""
    namespace = imagined.namespace or "default"
    local = from_files(filenames, environment=os.environ, namespace=namespace)
    tell(local.errors)
    return from_snapshot(local.snapshot, replace(imagined, namespace=namespace))


def _from_gateway(url: str, imagined: Imagined) -> dict[str, Any]:
    try:
        return from_gateway(url, imagined)
    except NoExplanation as error:
        raise click.ClickException(str(error)) from error
