"""What holds for any objects whatever: order, isolation, totality and whole references."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from understudy_api.config import Config, canonical_json
from understudy_api.v1alpha1 import Invalid, parse
from understudy_operator.compile import (
    Compiled,
    Discovered,
    DiscoveredModel,
    Inputs,
    compile_objects,
    references,
)

_NAMESPACES = {"ai": {"team": "core"}, "web": {"team": "web"}}
_NAMES = ("a", "b", "c")

_texts = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates too, which JSON can hold
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(_texts, children, max_size=3),
    max_leaves=8,
)


sources = json_values | st.dictionaries(
    st.sampled_from(["data", "stringData", "metadata"]),
    json_values | st.dictionaries(st.sampled_from(["good", "broken", "text", "resourceVersion"]), json_values),
)


def _references() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"name": st.sampled_from(_NAMES)}, optional={"namespace": st.sampled_from(sorted(_NAMESPACES))}
    )


def _openness() -> st.SearchStrategy[dict[str, Any]]:
    selector = {"from": "Selector", "selector": {"matchLabels": {"team": "core"}}}
    return st.sampled_from([{"from": "All"}, {"from": "Same"}, selector])


def _name_of(part: dict[str, Any]) -> str:
    return str(part["name"])


def _model(name: str, capabilities: list[str] | None) -> dict[str, Any]:
    return {"name": name} if capabilities is None else {"name": name, "capabilities": capabilities}


_models = st.lists(
    st.builds(_model, st.sampled_from(["m", "n"]), st.sampled_from([None, ["Chat"], ["Chat", "Tools"]])),
    min_size=1,
    max_size=2,
    unique_by=_name_of,
)
_providers = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["OpenAI", "VLLM", "Anthropic", "Mesh"]),
        "baseURL": st.just("http://models/v1"),
        "models": _models,
    },
    optional={
        "auth": st.builds(
            lambda name, key: {"apiKey": {"secretKeyRef": {"name": name, "key": key}}},
            st.sampled_from(["keys", "absent"]),
            st.sampled_from(["good", "broken", "absent"]),
        ),
        "allowedNamespaces": _openness(),
        "discovery": st.just({}),
    },
)
_backends = st.fixed_dictionaries(
    {"providerRef": _references(), "model": st.sampled_from(["m", "n"])},
    optional={"weight": st.integers(0, 3), "priority": st.integers(0, 2)},
)
_routes = st.fixed_dictionaries(
    {
        "rules": st.lists(
            st.fixed_dictionaries(
                {"backends": st.lists(_backends, min_size=1, max_size=3)},
                optional={"matches": st.just([{"stream": True}]), "name": st.sampled_from(["r", "s"])},
            ),
            min_size=1,
            max_size=2,
        )
    },
    optional={
        "models": st.lists(
            st.sampled_from(["chat", "gpt-*", "*", "persona/a"]).map(lambda name: {"name": name}),
            max_size=2,
            unique_by=_name_of,
        ),
        "access": _openness() | st.just({"authorization": "RBAC"}),
        "limits": st.just([{"per": "Caller", "requests": 1, "window": "1m"}]),
    },
)
_preferences = st.lists(
    st.fixed_dictionaries({"providerRef": _references()}, optional={"model": st.sampled_from(["m", "n"])})
    | st.just({"selector": {"matchLabels": {"tier": "one"}}}),
    min_size=1,
    max_size=2,
)
_systems = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["Hello", "Hello {{ team }}", "{{ absent }}"]),
        "include": st.lists(st.sampled_from(_NAMES), max_size=2, unique=True),
        "variables": st.sampled_from([[], [{"name": "team"}], [{"name": "team", "default": "us"}]]),
    },
) | st.just({"configMapKeyRef": {"name": "prompts", "key": "text"}})
_personas = st.builds(
    lambda players, rest: {**players, **rest},
    _preferences.map(lambda preferences: {"preferences": preferences})
    | _references().map(lambda reference: {"routeRef": reference}),
    st.fixed_dictionaries(
        {},
        optional={
            "aliases": st.lists(st.sampled_from(["a_b", "a-b", "c"]), max_size=2, unique=True),
            "system": _systems,
            "requires": st.sampled_from([[], ["Tools"], ["Vision"]]),
            "tools": st.lists(_references(), max_size=2).map(lambda refs: {"refs": refs}),
            "access": _openness(),
            "parameters": st.dictionaries(_texts, json_values, max_size=2).map(lambda d: {"defaults": d}),
        },
    ),
)
_handlers = st.fixed_dictionaries(
    {"url": st.sampled_from(["http://h/run", "http://h:0/", "https://[::1]/?a=b#c"])},
    optional={
        "headers": st.dictionaries(_texts, st.text(max_size=8), max_size=2),
        "auth": st.just({"bearer": {"secretKeyRef": {"name": "one", "key": "key"}}}),
    },
)
_tools = st.fixed_dictionaries(
    {"description": st.just("Does it")},
    optional={
        "parameters": st.dictionaries(_texts, json_values, max_size=2),
        "functionName": st.just("f"),
        "handler": st.fixed_dictionaries({"http": _handlers}),
        "allowedNamespaces": st.sampled_from([{"from": "All"}, {"from": "Same"}]),
    },
)


def _object(kind: str, specs: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    metadata = st.fixed_dictionaries(
        {"name": st.sampled_from(_NAMES), "namespace": st.sampled_from(sorted(_NAMESPACES))},
        optional={
            "creationTimestamp": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
            "labels": st.just({"tier": "one"}),
        },
    )
    return st.builds(
        lambda about, spec: {"apiVersion": "understudy.dev/v1alpha1", "kind": kind, "metadata": about, "spec": spec},
        metadata,
        specs,
    )


_sound = st.one_of(
    _object("LLMProvider", _providers),
    _object("LLMRoute", _routes),
    _object("Persona", _personas),
    _object("LLMTool", _tools),
)
sound_objects = st.lists(
    _sound, max_size=10, unique_by=lambda each: (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"])
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, child in children for deeper in _paths(child, (*path, key)))]


def _put(value: Any, path: tuple[Any, ...], replacement: Any) -> Any:
    if not path:
        return replacement
    copy = value.copy()
    copy[path[0]] = _put(value[path[0]], path[1:], replacement)
    return copy


@st.composite
def garbled_objects(draw: st.DrawFn) -> Any:
    """A sound object with anything whatever in one place."""
    sound = draw(_sound)
    return _put(sound, draw(st.sampled_from(_paths(sound))), draw(json_values))


@st.composite
def broken_objects(draw: st.DrawFn) -> dict[str, Any]:
    """An object that cannot be read or accepted, under a name that nobody refers to."""
    sound = draw(_sound)
    broken = {**sound, "metadata": {**sound["metadata"], "name": "zzzzz"}}
    unacceptable: dict[str, dict[str, Any]] = {
        "LLMProvider": {"type": "VertexAI", "auth": {"none": {}}},
        "LLMRoute": {"access": {"authorization": "RBAC"}},
        "Persona": {"system": {"text": "{{ absent }}"}},
        "LLMTool": {"parameters": {"type": "array"}},
    }
    if draw(st.booleans()):
        return {**broken, "spec": {**sound["spec"], **unacceptable[sound["kind"]]}}
    broken["spec"] = _put(sound["spec"], draw(st.sampled_from(_paths(sound["spec"]))), draw(json_values))
    assume(isinstance(parse(broken), Invalid))
    return broken


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no reason to fail."""


def _compiled(objects: list[Any]) -> Compiled:
    return compile_objects(_inputs(objects))


def _inputs(objects: list[Any]) -> Inputs:
    secret = {"data": {"good": "Z29vZA==", "broken": "%"}, "metadata": {"resourceVersion": "1"}}
    return Inputs(
        objects=tuple(objects),
        secrets={("ai", "keys"): secret, ("web", "keys"): secret},
        config_maps={("ai", "prompts"): {"data": {"text": "You are kind."}}},
        namespaces=_NAMESPACES,
    )


@unhurried
@given(objects=sound_objects, data=st.data())
def test_the_order_of_objects_changes_nothing(objects: list[Any], data: st.DataObject) -> None:
    """An API server lists objects as it likes."""
    assert _compiled(data.draw(st.permutations(objects))) == _compiled(objects)


@unhurried
@given(objects=sound_objects, broken=st.lists(broken_objects(), min_size=1, max_size=2))
def test_a_broken_object_changes_nothing_for_the_others(objects: list[Any], broken: list[Any]) -> None:
    """Neither their part of the configuration nor what is said of them."""
    alone, together = _compiled(objects), _compiled([*broken, *objects])
    keys = {verdict.object for verdict in alone.verdicts}
    assert together.config == alone.config
    assert [verdict for verdict in together.verdicts if verdict.object in keys] == list(alone.verdicts)


@unhurried
@given(
    objects=st.lists(garbled_objects() | json_values, max_size=6),
    secrets=st.dictionaries(st.tuples(st.just("ai"), st.sampled_from(["keys", "absent"])), sources),
    config_maps=st.dictionaries(st.tuples(st.just("ai"), st.just("prompts")), sources),
)
def test_anything_at_all_compiles(objects: list[Any], secrets: Any, config_maps: Any) -> None:
    """Every object gets a verdict, and what comes out can be published and read again."""
    inputs = Inputs(objects=tuple(objects), secrets=secrets, config_maps=config_maps, namespaces=_NAMESPACES)
    references(inputs.objects)
    compiled = compile_objects(inputs)
    assert Config.model_validate_json(canonical_json(compiled.config)) == compiled.config
    assert all(len(verdict.accepted.message) <= 1024 for verdict in compiled.verdicts)
    assert all(len(verdict.resolved_refs.message) <= 1024 for verdict in compiled.verdicts)
    "".join(f"{each}" for verdict in compiled.verdicts for each in (verdict.object, *verdict.findings)).encode()


@unhurried
@given(objects=sound_objects)
def test_whatever_the_configuration_refers_to_is_in_it(objects: list[Any]) -> None:
    """A proxy never has to look for what is not there."""
    compiled = _compiled(objects)
    config = compiled.config
    named = config.names
    for target in config.targets.values():
        for backend in (backend for rule in target.rules for backend in rule.backends):
            assert backend.model in config.providers[backend.provider].models
    by_name = [*named.exact.values(), *(keys for _, keys in named.prefixes), *named.personas.values()]
    assert {key for keys in by_name for key in keys} == set(config.targets)
    assert {key for keys in named.providers.values() for key in keys} == set(config.providers)
    wanted = {provider.credential.name for provider in config.providers.values() if provider.credential}
    assert wanted == set(compiled.credentials.values)
    assert compiled.credentials.revision == config.revision


@unhurried
@given(objects=sound_objects)
def test_a_digest_says_that_an_object_is_served(objects: list[Any]) -> None:
    """Served objects have a digest; the others have none, and a condition that says why."""
    for verdict in _compiled(objects).verdicts:
        assert verdict.serving == bool(verdict.digest)
        assert verdict.serving or not verdict.degraded
        assert verdict.accepted.status or not verdict.serving
        assert verdict.serving or not (verdict.accepted.status and verdict.resolved_refs.status)


_heard = st.builds(
    Discovered,
    base_url=st.sampled_from(["http://models/v1", "http://elsewhere/v1"]),
    models=st.none()
    | st.lists(
        st.builds(
            DiscoveredModel,
            id=st.sampled_from(["m", "n", "o", "org/m"]),
            name=st.sampled_from(["m", "n", "o"]),
            context_window=st.none() | st.integers(1, 9),
        ),
        max_size=3,
    ).map(tuple),
    any_name=st.booleans(),
    slots=st.none() | st.integers(1, 9),
    failure=st.sampled_from(["", "cannot be connected to"]),
)


@unhurried
@given(
    objects=sound_objects,
    discovered=st.dictionaries(st.tuples(st.sampled_from(sorted(_NAMESPACES)), st.sampled_from(_NAMES)), _heard),
)
def test_what_servers_say_takes_nothing_out(objects: list[Any], discovered: Any) -> None:
    """Whatever is said, all that is served without it is served with it, and nothing leads nowhere."""
    before, after = _compiled(objects), compile_objects(replace(_inputs(objects), discovered=discovered))
    assert before.config.providers.keys() == after.config.providers.keys()
    for key, provider in before.config.providers.items():
        assert provider.models.keys() <= after.config.providers[key].models.keys()
    assert {each.object for each in before.verdicts if each.serving} <= {
        each.object for each in after.verdicts if each.serving
    }
    for target in after.config.targets.values():
        for backend in (backend for rule in target.rules for backend in rule.backends):
            assert backend.model in after.config.providers[backend.provider].models
    assert before.inquiries == after.inquiries


class _Watched(dict[Any, Any]):
    """Remembers what was looked up."""

    def __init__(self, content: Mapping[Any, Any]) -> None:
        super().__init__(content)
        self.asked: set[Any] = set()

    def get(self, key: Any, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


@unhurried
@given(objects=sound_objects)
def test_references_names_all_that_compile_looks_up(objects: list[Any]) -> None:
    """What an operator has not read, it cannot miss."""
    inputs = _inputs(objects)
    secrets, config_maps = _Watched(inputs.secrets), _Watched(inputs.config_maps)
    compile_objects(replace(inputs, secrets=secrets, config_maps=config_maps))
    named = references(inputs.objects)
    assert secrets.asked <= named.secrets
    assert config_maps.asked <= named.config_maps
