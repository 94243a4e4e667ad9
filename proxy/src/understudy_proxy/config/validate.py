"""What a configuration must hold beyond its schema, so that no request ever meets a name that leads nowhere.

Types and ranges are pydantic's; hashes and revisions are `understudy_api.config.shards`'. Here is only what ties the
parts together: every reference has its end. The operator's compiler never breaks these; a hand-made or damaged
configuration may.
"""

from collections.abc import Iterable, Iterator, Mapping

from understudy_api.config import SCHEMA_VERSION, Config, Names, Provider, Rule, Snapshot

_SHOWN = 3
"""How many problems a message names; one is enough to find the rest."""


class Invalid(Exception):
    """A configuration that must not be served; the message says why."""


def check(snapshot: Snapshot) -> None:
    """Let a sound snapshot pass.

    Raises:
        Invalid: it is of a newer schema, its two halves differ, or a reference in it leads nowhere.
    """
    config, credentials = snapshot.config, snapshot.credentials
    if config.schema_version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise Invalid(f"its schema version is {config.schema_version} and this proxy reads {SCHEMA_VERSION}")
    if not config.revision:
        raise Invalid("it carries no revision")
    if credentials.revision != config.revision:
        raise Invalid(f"its credentials are of revision {credentials.revision}")
    problems = list(_problems(config))
    if problems:
        more = f", and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise Invalid("; ".join(problems[:_SHOWN]) + more)


def _problems(config: Config) -> Iterator[str]:
    for key, target in config.targets.items():
        for rule in target.rules:
            yield from (f"{key}: rule {rule.name!r} {why}" for why in _dangling(rule, config.providers))
        executes = target.prompt.executes.items() if target.prompt else ()
        yield from (f"{key}: runs the unknown tool {k!r}" for _, k in executes if k not in config.tools)
    for name, target_key in _named(config.names):
        if target_key not in config.targets:
            yield f"the name {name!r} leads to the unknown target {target_key!r}"
    for name, keys in config.names.providers.items():
        yield from (f"the name {name!r} leads to the unknown provider {k!r}" for k in keys if k not in config.providers)
    for name, keys in config.names.tools.items():
        yield from (f"the name {name!r} leads to the unknown tool {k!r}" for k in keys if k not in config.tools)


def _dangling(rule: Rule, providers: Mapping[str, Provider]) -> Iterator[str]:
    for backend in rule.backends:
        provider = providers.get(backend.provider)
        if provider is None:
            yield f"names the unknown provider {backend.provider!r}"
        elif backend.model not in provider.models:
            yield f"names the model {backend.model!r}, which {backend.provider} does not serve"


def _named(names: Names) -> Iterator[tuple[str, str]]:
    tables: tuple[Iterable[tuple[str, tuple[str, ...]]], ...] = (
        names.exact.items(),
        names.prefixes,
        names.personas.items(),
    )
    for table in tables:
        for name, keys in table:
            for key in keys:
                yield name, key
