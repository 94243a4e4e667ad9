"""From the name a client sends to the target it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runtimes import a_backend, a_provider, a_rule, a_runtime, a_target
from understudy_api.config import Names, Target, TargetKind
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.routing.names import neighbors
from understudy_proxy.routing.resolve import NotFound, resolve, visible_models

RULE = a_rule(a_backend("ai/openai", "gpt"))


def _route(key: str, *, visible_to: tuple[str, ...] | None = None) -> Target:
    return a_target(key, RULE, visible_to=visible_to)


def _persona(key: str, *, visible_to: tuple[str, ...] | None = None) -> Target:
    return a_target(key, RULE, kind=TargetKind.PERSONA, visible_to=visible_to)


def _meant(runtime: Runtime, model: str, namespace: str | None = None) -> str:
    found = resolve(runtime, model, namespace=namespace)
    return "nothing" if isinstance(found, NotFound) else found.key


HOUSE = a_runtime(
    a_provider("ai/openai", "gpt", "org/llama-3", visible_to=None),
    a_provider("team/private", "gpt", visible_to=()),
    targets=[
        _route("ai/chat"),
        _route("team/chat", visible_to=()),
        _route("other/chat", visible_to=()),
        _route("ai/gpt"),
        _route("ai/gpt-4"),
        _route("team/everything", visible_to=()),
        _route("ai/shared", visible_to=("team",)),
        _route("ai/openai-gpt"),
        _persona("ai/code-assistant"),
        _persona("team/secret", visible_to=()),
    ],
    names=Names(
        exact={
            "chat": ("LLMRoute/other/chat", "LLMRoute/ai/chat", "LLMRoute/team/chat"),
            "gpt-4o": ("LLMRoute/ai/gpt",),
            "shared": ("LLMRoute/ai/shared",),
            "openai/org/llama-3": ("LLMRoute/ai/openai-gpt",),
        },
        prefixes=(
            ("gpt-4", ("LLMRoute/ai/gpt-4",)),
            ("gpt-", ("LLMRoute/ai/gpt",)),
            ("g", ("LLMRoute/team/everything",)),
        ),
        personas={
            "code-assistant": ("Persona/ai/code-assistant",),
            "helper-one": ("Persona/ai/code-assistant",),
            "secret": ("Persona/team/secret",),
        },
        providers={"openai": ("ai/openai",), "private": ("team/private",)},
    ),
)


@pytest.mark.parametrize(
    ("model", "namespace", "meant"),
    [
        pytest.param("chat", "team", "LLMRoute/team/chat", id="the caller's own first"),
        pytest.param("chat", "ai", "LLMRoute/ai/chat", id="whoever the caller is"),
        pytest.param("chat", "elsewhere", "LLMRoute/ai/chat", id="then what is visible"),
        pytest.param("chat", None, "LLMRoute/ai/chat", id="an unknown caller sees what all see"),
        pytest.param("gpt-4o", "elsewhere", "LLMRoute/ai/gpt", id="exact beats prefix"),
        pytest.param("gpt-4-turbo", "elsewhere", "LLMRoute/ai/gpt-4", id="the longest prefix"),
        pytest.param("gpt-5", "elsewhere", "LLMRoute/ai/gpt", id="a shorter one"),
        pytest.param("gpt-4o", "team", "LLMRoute/team/everything", id="own prefix before others' names"),
        pytest.param("shared", "team", "LLMRoute/ai/shared", id="visible to some"),
        pytest.param("shared", "elsewhere", "nothing", id="not visible to others"),
        pytest.param("shared", None, "nothing", id="nor to an unknown caller"),
        pytest.param("persona/code-assistant", None, "Persona/ai/code-assistant", id="a persona"),
        pytest.param("persona/code_assistant", None, "Persona/ai/code-assistant", id="- and _ are the same"),
        pytest.param("persona/helper_one", None, "Persona/ai/code-assistant", id="an alias"),
        pytest.param("persona/secret", None, "nothing", id="a persona of others"),
        pytest.param("persona/secret", "team", "Persona/team/secret", id="a persona of one's own"),
        pytest.param("code-assistant", None, "nothing", id="a persona needs its prefix"),
        pytest.param("openai/gpt", None, "provider/ai/openai:gpt", id="a provider's model"),
        pytest.param("openai/org/llama-3", None, "LLMRoute/ai/openai-gpt", id="a route may take its name"),
        pytest.param("private/gpt", None, "nothing", id="a provider of others"),
        pytest.param("private/gpt", "team", "provider/team/private:gpt", id="a provider of one's own"),
        pytest.param("openai/unknown", None, "nothing", id="a model that it does not serve"),
        pytest.param("openai/", None, "nothing", id="no model"),
        pytest.param("/gpt", None, "nothing", id="no provider"),
        pytest.param("", None, "nothing", id="nothing"),
        pytest.param("Chat", None, "nothing", id="names are case-sensitive"),
    ],
)
def test_names(model: str, namespace: str | None, meant: str) -> None:
    """A name means what the order of the API says, to this caller."""
    assert _meant(HOUSE, model, namespace) == meant


def test_a_models_name_may_hold_slashes() -> None:
    """Everything behind the first slash is the model."""
    runtime = a_runtime(a_provider("ai/router", "org/llama-3/instruct"))
    assert _meant(runtime, "router/org/llama-3/instruct") == "provider/ai/router:org/llama-3/instruct"


def test_a_catch_all_does_not_take_exact_names() -> None:
    """A route for everything gets what nothing else means; personas are never reached by a prefix."""
    runtime = a_runtime(
        a_provider("ai/openai", "gpt"),
        targets=[_route("ai/all"), _persona("ai/p")],
        names=Names(
            prefixes=(("", ("LLMRoute/ai/all",)),),
            personas={"p": ("Persona/ai/p",)},
            providers={"openai": ("ai/openai",)},
        ),
    )
    assert _meant(runtime, "anything") == "LLMRoute/ai/all"
    assert _meant(runtime, "openai/gpt") == "provider/ai/openai:gpt"
    assert _meant(runtime, "openai/other") == "LLMRoute/ai/all"
    assert _meant(runtime, "persona/unknown") == "nothing"


def test_a_provider_that_is_out_leads_nowhere() -> None:
    """A provider whose credential is missing is not there to be addressed."""
    runtime = a_runtime(names=Names(providers={"openai": ("ai/openai",)}))
    assert _meant(runtime, "openai/gpt") == "nothing"


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        pytest.param("chatt", ("chat",), id="one letter too many"),
        pytest.param("cat", ("chat",), id="one too few"),
        pytest.param("hchat", ("chat",), id="at the beginning"),
        pytest.param("openai/gbt", ("openai/gpt",), id="a model"),
        pytest.param("opena/gpt", ("openai/gpt",), id="a provider"),
        pytest.param("persona/code-asistant", ("persona/code-assistant",), id="a persona"),
        pytest.param("something entirely else", (), id="nothing like it"),
        pytest.param("shard", (), id="never what the caller may not see"),
        pytest.param("persona/secrets", ("persona/helper-one",), id="nor another's persona"),
    ],
)
def test_nearest_names(asked: str, nearest: tuple[str, ...]) -> None:
    """A typo hears the names that look alike, of those that the caller may use."""
    found = resolve(HOUSE, asked, namespace="elsewhere")
    assert isinstance(found, NotFound)
    assert found.nearest == nearest


def test_nearest_names_are_few() -> None:
    """With ten thousand names at most three come back, and few are looked at, however odd the name asked for."""
    runtime = a_runtime(
        a_provider("ai/openai", "gpt"), targets=[_route(f"ai/model-{number:05}") for number in range(10_000)]
    )
    found = resolve(runtime, "model-0500", namespace=None)
    assert isinstance(found, NotFound)
    assert len(found.nearest) == 3
    assert all(name.startswith("model-0") for name in found.nearest)
    for odd in ("x" * 100_000, "model-" * 1000, "\x00", "莫" * 5000):
        assert isinstance(resolve(runtime, odd, namespace=None), NotFound)
        assert len(neighbors(runtime.index, odd)) <= 40


@given(st.text(max_size=60), st.sampled_from([None, "ai", "team", "elsewhere", ""]))
def test_any_name_is_answered(model: str, namespace: str | None) -> None:
    """No name raises, and what it leads to may be seen by the caller."""
    found = resolve(HOUSE, model, namespace=namespace)
    if not isinstance(found, NotFound):
        assert found.visible_to is None or namespace in found.visible_to


@pytest.mark.parametrize(
    ("namespace", "names"),
    [
        pytest.param(
            None,
            ["chat", "gpt-4o", "openai/gpt", "openai/org/llama-3", "persona/code-assistant"],
            id="an unknown caller",
        ),
        pytest.param(
            "team",
            [
                "chat",
                "gpt-4o",
                "openai/gpt",
                "openai/org/llama-3",
                "persona/code-assistant",
                "persona/secret",
                "private/gpt",
                "shared",
            ],
            id="a namespace",
        ),
    ],
)
def test_visible_models(namespace: str | None, names: list[str]) -> None:
    """The list of models is what this caller may send, without aliases and prefixes, and each name works."""
    listed = visible_models(HOUSE, namespace=namespace)
    assert [model.name for model in listed] == names
    owners = {model.name: model.owner for model in listed}
    for name in names:
        found = resolve(HOUSE, name, namespace=namespace)
        assert not isinstance(found, NotFound)
        assert owners[name] == found.namespace
