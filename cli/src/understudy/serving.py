"""What a person sees of a gateway on a laptop: what it serves, where, and what is wrong with the files."""

import click

from understudy.local import Local
from understudy_api.config import Config, TargetKind
from understudy_operator.compile import Severity
from understudy_proxy.settings import Settings

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_SHOWN_NAMES = 12


def announce(local: Local, settings: Settings) -> None:
    """Say what is served, and a command that answers."""
    address = f"http://{_host(settings.host)}:{settings.port}"
    names = names_of(local.compiled.config)
    shown = ", ".join(names[:_SHOWN_NAMES]) + (
        f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    )
    click.echo(f"{click.style('understudy', bold=True)} serves {shown}")
    click.echo(f"  OpenAI base URL  {address}/v1")
    click.echo(f"  metrics, explain http://{_host(settings.admin_host)}:{settings.admin_port}")
    if names:
        click.echo(
            f"\n  curl {address}/v1/chat/completions -H 'Content-Type: application/json' \\\n"
            f'    -d \'{{"model": "{names[0]}", "messages": [{{"role": "user", "content": "Hello!"}}]}}\'\n'
        )


def report(local: Local, serving: bool) -> None:
    """Say what was found in the files, and which revision serves now."""
    for finding in local.checked.findings if local.checked else ():
        label = click.style(f"{finding.severity.lower()}:", fg=_COLORS[finding.severity])
        click.echo(f"{finding.position}: {label} {finding}", err=True)
    if not serving:
        click.echo(click.style("not reloaded: the last good configuration goes on serving", fg="red"), err=True)


def names_of(config: Config) -> list[str]:
    """What clients may send as `model`: routes first, then personas, then models at their providers."""
    routes = [name for name, keys in config.names.exact.items() if any(key in config.targets for key in keys)]
    prefixes = [f"{prefix}*" for prefix, _ in config.names.prefixes]
    personas = [f"persona/{target.name}" for target in config.targets.values() if target.kind is TargetKind.PERSONA]
    models = [f"{provider.name}/{model}" for provider in config.providers.values() for model in provider.models]
    return [*routes, *prefixes, *personas, *models]


def _host(host: str) -> str:
    return "localhost" if host in {"::", "0.0.0.0", "127.0.0.1", "::1"} else host
