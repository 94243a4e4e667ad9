"""`understudy serve`: the gateway on a laptop, from the YAML that a cluster would get."""

import logging
import os
import sys
from dataclasses import replace

import click

from understudy.environment import VENDORS
from understudy.local import Local, LocalSource, Reader, acquainted, from_environment, from_files
from understudy.manifests.inputs import NOTHING_DISCOVERED, Discoveries
from understudy.serving import announce, by_one_worker, report, tell, tell_first
from understudy.watching import Watch
from understudy_operator import discovery
from understudy_proxy.config import loader
from understudy_proxy.settings import PREFIX, BadSetting, Settings

_PORT = click.IntRange(0, 65535)


@click.command("serve")
@click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True),
    help="A file or a folder; may be repeated.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8080, show_default=True, type=_PORT, help="For callers; 0 for a free one.")
@click.option("--admin-port", default=9090, show_default=True, type=_PORT, help="For metrics, /config and /explain.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that share the port."
)
@click.option("--watch/--no-watch", default=True, show_default=True, help="Reload when a file changes.")
@click.option(
    "-n", "--namespace", default="default", show_default=True, help="Of callers, and of objects that name none."
)
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

    Without -f it is built from the provider keys found in the environment, such as OPENAI_API_KEY. Limits, timeouts and
    draining are set by the environment, as they are for `understudy proxy`.
    """
    from understudy_proxy.process import run

    settings = _settings(
        host=host, port=port, admin_host=host, admin_port=admin_port, workers=workers, log_level=log_level,
        default_namespace=namespace,
    )  # fmt: skip
    watched = Watch(filenames if watch else ())
    read = _reader(filenames, namespace)
    first = acquainted(read(NOTHING_DISCOVERED))
    if not first.config.providers:
        tell(first.findings)
        raise click.ClickException("nothing to serve: no provider can be used")
    tell_first(first)
    _keep_refusals_out_of_logs(log_level)

    def announce_at(port: int, admin_port: int) -> None:
        announce(first, replace(settings, port=port, admin_port=admin_port))

    with by_one_worker(report) as told:
        source = LocalSource(read, first=first, watch=watched, report=told)
        sys.exit(run(settings, source, announce=announce_at))


def _reader(filenames: tuple[str, ...], namespace: str) -> Reader:
    def read_files(discovered: Discoveries) -> Local:
        return from_files(filenames, environment=os.environ, namespace=namespace, discovered=discovered)

    if filenames:
        return read_files
    local = from_environment(os.environ, namespace=namespace)
    if local is None:
        variables = ", ".join(vendor.variables[0] for vendor in VENDORS)
        raise click.UsageError(f"Name a file or a folder with -f, or set one of {variables}.")
    return lambda _discovered: local


def _settings(**given: object) -> Settings:
    """The environment's settings with those of the command line over them."""
    # No load balancer has to take note before a gateway on a laptop ends.
    usual = {f"{PREFIX}DRAIN_DELAY_SECONDS": "0"}
    names = {f"{PREFIX}{name.upper()}": str(value) for name, value in given.items()}
    try:
        return Settings.from_environment({**usual, **os.environ, **names})
    except BadSetting as error:
        raise click.UsageError(str(error)) from error


def _keep_refusals_out_of_logs(log_level: str) -> None:
    """What is wrong with files and servers has been told for people; who wants logs gets it there too."""
    if log_level not in {"debug", "info"}:
        logging.getLogger(loader.__name__).setLevel(logging.CRITICAL)
        logging.getLogger(discovery.__name__).setLevel(logging.ERROR)
