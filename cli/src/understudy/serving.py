"""What a person sees of a gateway on a laptop: what it serves, where, and what is wrong with the files."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from understudy.linting import Finding, as_line, printable
from understudy.local import Became, Local, Report
from understudy_api.config import Capability, Snapshot
from understudy_operator.compile import Severity
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.routing.names import PERSONA_PREFIX
from understudy_proxy.routing.resolve import resolve, visible_models
from understudy_proxy.settings import Settings

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_SHOWN_NAMES = 12


def announce(local: Local, settings: Settings) -> None:
    """Say what is served, and a command that answers. `settings` hold the ports that were had."""
    address = f"http://{_host(settings.host)}:{settings.port}"
    names = tuple(map(printable, names_of(local.snapshot, namespace=settings.default_namespace)))
    shown = _shown(names) or f"no model that a caller in namespace {settings.default_namespace} could name"
    click.echo(f"{click.style('understudy', bold=True)} serves {shown}")
    click.echo(f"  OpenAI base URL   {address}/v1")
    click.echo(f"  metrics, explain  http://{_host(settings.admin_host)}:{settings.admin_port}")
    if chats := _first_that_chats(local.snapshot, namespace=settings.default_namespace):
        click.echo(
            f"\n  curl {address}/v1/chat/completions -H 'Content-Type: application/json' \\\n"
            f'    -d \'{{"model": "{printable(chats)}", "messages": [{{"role": "user", "content": "Hello!"}}]}}\'\n'
        )


def tell_first(local: Local) -> None:
    """Say what is wrong with the files at the start, and that the rest of them is served."""
    tell(local.findings)
    if local.errors:
        _warn("serving without what is wrong above")


def tell(findings: Iterable[Finding]) -> None:
    """Say what is wrong with the files, on standard error."""
    for finding in findings:
        click.secho(as_line(finding), fg=_COLORS[finding.severity], err=True)


def report(local: Local, became: Became) -> None:
    """Say what was found in files that have changed, and what serves now."""
    tell(local.findings)
    revision = local.config.revision
    match became:
        case Became.SERVED:
            click.echo(f"reloaded: revision {revision}" + (", without what is wrong above" if local.errors else ""))
        case Became.UNCHANGED:
            click.echo(f"read again: revision {revision} serves on")
        case Became.LEARNED:
            click.echo(f"servers were asked for their models: revision {revision} serves")
        case Became.KEPT_OUT:
            _warn("not reloaded: until that is mended, the last good configuration serves on")
        case Became.REFUSED:
            _warn(f"not reloaded: revision {revision} cannot be served; /config on the admin port says why")


@contextmanager
def by_one_worker(report: Report) -> Iterator[Report]:
    """Let one of the processes report that are forked inside, which all read the same.

    It is the first that gets a lock, until it ends; then the next one that has something to report.
    """
    import fcntl  # not on Windows, where nothing forks

    with tempfile.TemporaryFile() as lock:

        def report_first(local: Local, became: Became) -> None:
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another one has it
                return
            report(local, became)

        yield report_first


def names_of(snapshot: Snapshot, *, namespace: str) -> tuple[str, ...]:
    """What callers in `namespace` may send as `model`: routes first, then personas, then models at their providers."""
    names = (model.name for model in visible_models(build(snapshot, now=0.0), namespace=namespace))
    return tuple(sorted(names, key=lambda name: (name.startswith(PERSONA_PREFIX) + 2 * _at_provider(name), name)))


def _first_that_chats(snapshot: Snapshot, *, namespace: str) -> str | None:
    """A name that can be sent to chat completions: a route may be there for vectors alone."""
    runtime = build(snapshot, now=0.0)
    for name in names_of(snapshot, namespace=namespace):
        target = resolve(runtime, name, namespace=namespace)
        if isinstance(target, RuntimeTarget) and any(
            Capability.CHAT in each.capabilities for rule in target.rules for tier in rule.tiers for each in tier
        ):
            return name
    return None


def _at_provider(name: str) -> bool:
    return "/" in name and not name.startswith(PERSONA_PREFIX)


def _shown(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _warn(text: str) -> None:
    click.secho(text, fg="red", err=True)


def _host(host: str) -> str:
    """How an address is written in a URL; for all of them, as for loopback, the machine's own name."""
    if host in {"", "*", "::", "0.0.0.0", "127.0.0.1", "::1"}:
        return "localhost"
    return f"[{host}]" if ":" in host else host
