"""`understudy operator`: the control plane, as the chart runs it."""

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from understudy_operator.main import run
from understudy_operator.settings import LOG_LEVELS, Settings, SettingsError, variable

_PORT = click.IntRange(0, 65535)
_SECONDS = click.FloatRange(min=0, min_open=True)

Command = TypeVar("Command", bound=Callable[..., None])


def _option(flag: str, text: str, **attributes: Any) -> Callable[[Command], Command]:
    return click.option(flag, help=text, **attributes)


@click.command("operator")
@_option("--namespace", "Where the proxies and the published configuration are.")
@_option("--watch-namespaces", "Whose objects are served, comma-separated. Default: the whole cluster.")
@_option("--kubeconfig", "How to reach the cluster. Default: KUBECONFIG, or the pod's ServiceAccount.")
@_option("--prefix", "What the names of everything published begin with. Default: understudy.")
@_option("--proxy-selector", "Labels of the proxy pods.")
@_option("--admin-port", "Where each proxy tells its revision. Default: 9090.", type=_PORT)
@_option("--owner-deployment", "Deployment with which everything published goes. Default: none; it stays.")
@_option("--http-host", "Address for health and metrics. Default: every interface.")
@_option("--http-port", "Port for health and metrics; 0 for a free one. Default: 8080.", type=_PORT)
@_option("--quiet-seconds", "A burst of changes is over after so long. Default: 0.1.", type=_SECONDS)
@_option("--patience-seconds", "A burst is not waited for longer than this. Default: 1.", type=_SECONDS)
@_option("--resync-seconds", "How often to read everything without a reason. Default: 60.", type=_SECONDS)
@_option("--confirm-seconds", "After this a proxy is called lagging. Default: 10.", type=_SECONDS)
@_option("--reference-watches", "How many Secrets and ConfigMaps to watch. Default: 256.", type=click.IntRange(0))
@_option("--lease-seconds", "How long a dead leader keeps others waiting. Default: 15.", type=_SECONDS)
@_option("--renew-seconds", "A leader that cannot renew for so long stops writing. Default: 10.", type=_SECONDS)
@_option("--retry-seconds", "How often to renew. Default: 2.", type=_SECONDS)
@_option("--identity", "Who this process is. Default: the host's name and some digits.")
@_option("--log-level", "From which level on to log. Default: info.", type=click.Choice(LOG_LEVELS))
def operator(**options: Any) -> None:
    """Run the control plane: objects become the configuration of the proxies, and their statuses say so.

    Each option is also an environment variable, such as UNDERSTUDY_WATCH_NAMESPACES; an option wins. Any number of
    operators may run: one leads, the others stand by.
    """
    given = {variable(name): str(value) for name, value in options.items() if value is not None}
    try:
        settings = Settings.from_environment(os.environ | given)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(run(settings))
