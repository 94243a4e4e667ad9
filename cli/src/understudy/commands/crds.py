"""`understudy crds`: print the CRDs, for `kubectl apply -f -`."""

import click

from understudy_api.crdgen import definitions
from understudy_api.crdgen.text import render


@click.command("crds")
def crds() -> None:
    """Print the CRDs, for `understudy crds | kubectl apply -f -`."""
    for definition in definitions().values():
        click.echo(render(definition), nl=False)
