"""`understudy lint`: check YAML files as the operator would."""

import os
import sys

import click

from understudy.linting import FORMATS, check
from understudy.manifests import load
from understudy_operator.compile import Severity


@click.command("lint")
@click.option(
    "-f", "--filename", "filenames", multiple=True, metavar="PATH", help="A file, a folder, or - for standard input."
)
@click.argument("paths", nargs=-1)
@click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of objects that name none.")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option(
    "-o", "--output", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How to say it."
)
def lint(*, filenames: tuple[str, ...], paths: tuple[str, ...], namespace: str, strict: bool, output: str) -> None:
    """Check YAML files as the operator would, without a cluster.

    Exits with 1 where something would not be served. Secrets that the files do not hold are warnings: they are
    seldom kept beside the rest.
    """
    given = (*filenames, *paths)
    if not given:
        raise click.UsageError("Name a file or a folder: understudy lint -f PATH")
    checked = check(load(given, environment=os.environ, namespace=namespace, stdin=sys.stdin.buffer))
    click.echo(FORMATS[output](checked))
    if checked.count(Severity.ERROR) or (strict and checked.count(Severity.WARNING)):
        sys.exit(1)
