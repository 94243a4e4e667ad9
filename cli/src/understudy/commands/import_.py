"""`understudy import`: print the objects that another gateway's configuration amounts to."""

import sys
from collections.abc import Iterator
from io import BytesIO

import click

from understudy.importing import as_yaml, convert
from understudy.linting import check, printable
from understudy.manifests import load
from understudy_operator.compile import Severity


@click.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-n", "--namespace", default="", help="Written into each object.  [default: none is]")
@click.option("-q", "--quiet", is_flag=True, help="Do not say what each file was taken for.")
def import_(*, paths: tuple[str, ...], namespace: str, quiet: bool) -> None:
    """Print the objects that another gateway's configuration amounts to.

    Reads a LiteLLM config.yaml, a config.yaml with providers and models, persona_policy.yaml with capabilities.yaml,
    and tools.json, and tells by their fields which is which. Give files that belong together in one go; - is standard
    input. What has no equivalent is said in comments, what cannot be used on standard error, and then the exit code
    is 1.
    """
    imported = convert(paths, stdin=sys.stdin.buffer)
    text = as_yaml(imported.objects, namespace=namespace)
    if text:
        click.echo(text, nl=False)
    for line in () if quiet else imported.taken_for:
        click.echo(f"read {printable(line)}", err=True)
    problems = [*imported.problems, *_lint(text)]
    for problem in problems:
        click.echo(printable(problem), err=True)
    if problems:
        sys.exit(1)


def _lint(text: str) -> Iterator[str]:
    """What the operator would refuse of the output: a file may hold what no object can."""
    if text:
        for finding in check(load(["-"], environment={}, stdin=BytesIO(text.encode()))).findings:
            if finding.severity is Severity.ERROR:
                yield f"<output>:{finding.position.line}:{finding.position.column}: error: {finding}"
