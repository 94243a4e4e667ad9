"""`understudy proxy`: the data plane, as the chart runs it."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import click

from understudy_proxy.config.in_cluster import published
from understudy_proxy.process import run
from understudy_proxy.settings import BadSetting, LogLevel, Settings

_PORT = click.IntRange(0, 65535)


@click.command("proxy")
@click.option("--host", help="Address that callers reach. Default: every interface.")
@click.option("--port", type=_PORT, help="Port for callers; 0 for a free one. Default: 8080.")
@click.option("--admin-host", help="Address of the admin port. Default: every interface.")
@click.option("--admin-port", type=_PORT, help="Port for metrics, /config and /explain. Default: 9090.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that share the port. Default: 1.")
@click.option("--namespace", help="Where the configuration's objects are. Default: the pod's own.")
@click.option("--prefix", help="What the names of those objects begin with. Default: understudy.")
@click.option("--api/--no-api", default=None, help="Watch them through the Kubernetes API. Default: yes.")
@click.option("--volume", type=click.Path(path_type=Path), help="Folder into which they are mounted.")
@click.option("--log-level", type=click.Choice(get_args(LogLevel)), help="From which level on to log. Default: info.")
def proxy(**options: Any) -> None:
    """Run the data plane with the configuration that the operator publishes.

    Each option is also an environment variable, such as UNDERSTUDY_ADMIN_PORT; an option wins. Limits, timeouts and
    draining are set by the environment alone.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = replace(Settings.from_environment(os.environ), **given)
        source = published(settings, os.environ)
    except BadSetting as error:
        raise click.ClickException(str(error)) from error
    sys.exit(run(settings, source))
