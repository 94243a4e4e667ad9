"""`understudy serve`: the gateway on a laptop, from the YAML that a cluster would get."""

import os
import sys
from functools import partial

import click

from understudy.environment import VENDORS, objects_from
from understudy.local import Local, LocalSource, Reader, from_files, from_objects
from understudy.serving import announce, report
from understudy_proxy.settings import BadSetting, Settings


@click.command("serve")
@click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True),
    help="A file or a folder.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8080, show_default=True, help="For callers.")
@click.option("--admin-port", default=9090, show_default=True, help="For metrics, /config and /explain.")
@click.option("--workers", default=1, show_default=True, help="Processes that share the port.")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Reload when a file changes.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of objects that name none.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="info writes a line of JSON for each request.",
)
def serve(
    *,
    filenames: tuple[str, ...],
    host: str,
    port: int,
    admin_port: int,
    workers: int,
    watch: bool,
    namespace: str,
    log_level: str,
) -> None:
    """Run the gateway from YAML files, reloading when they change.

    Without -f it is built from the provider keys found in the environment, such as OPENAI_API_KEY.
    """
    from understudy_proxy.process import run

    read = _reader(filenames, namespace)
    first = read()
    report(first, serving=bool(first.compiled.config.targets))
    if not first.compiled.config.targets and not first.compiled.config.providers:
        raise click.ClickException("nothing to serve: see above what is wrong with the objects")
    settings = _settings(
        host=host, port=port, admin_host=host, admin_port=admin_port, workers=workers, log_level=log_level,
        default_namespace=namespace,
    )  # fmt: skip
    announce(first, settings)
    source = LocalSource(read, first=first, watch=filenames if watch else (), report=report)
    sys.exit(run(settings, source))


def _reader(filenames: tuple[str, ...], namespace: str) -> Reader:
    if filenames:
        return partial(from_files, filenames, environment=os.environ, namespace=namespace)
    objects = objects_from(os.environ)
    if not objects:
        variables = ", ".join(vendor.variable for vendor in VENDORS)
        raise click.UsageError(f"Name a file or a folder with -f, or set one of {variables}.")

    def read() -> Local:
        return from_objects(objects)

    return read


def _settings(**given: object) -> Settings:
    """The environment's settings with those of the command line over them."""
    names = {f"UNDERSTUDY_{name.upper()}": str(value) for name, value in given.items()}
    try:
        return Settings.from_environment({**os.environ, **names})
    except BadSetting as error:
        raise click.UsageError(str(error)) from error
