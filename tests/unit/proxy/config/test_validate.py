"""What must hold of a configuration beyond its schema."""

import pytest

from harness.runtimes import a_backend, a_provider, a_rule, a_target
from harness.snapshots import a_snapshot
from understudy_api.config import Config, Credentials, Names, Snapshot
from understudy_proxy.config.validate import Invalid, check


def snapshot(config: Config, *, credentials: str = "r1") -> Snapshot:
    """The configuration with credentials of some revision."""
    return Snapshot(config, Credentials(revision=credentials, values={}))


def test_lets_a_sound_one_pass() -> None:
    """What the operator publishes is taken."""
    check(a_snapshot())


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        pytest.param(
            snapshot(Config(revision="r1", schema_version="2.0")),
            "its schema version is 2.0 and this proxy reads 1.3",
            id="newer major",
        ),
        pytest.param(snapshot(Config(), credentials=""), "it carries no revision", id="no revision"),
        pytest.param(
            snapshot(Config(revision="r1"), credentials="r0"),
            "its credentials are of revision r0",
            id="other credentials",
        ),
        pytest.param(
            snapshot(
                Config(revision="r1", targets={"LLMRoute/ai/chat": a_target("ai/chat", a_rule(a_backend("ai/x", "m")))})
            ),
            "LLMRoute/ai/chat: rule 'all' names the unknown provider 'ai/x'",
            id="unknown provider",
        ),
        pytest.param(
            snapshot(
                Config(
                    revision="r1",
                    providers={"ai/x": a_provider("ai/x", "m")},
                    targets={"LLMRoute/ai/chat": a_target("ai/chat", a_rule(a_backend("ai/x", "n")))},
                )
            ),
            "LLMRoute/ai/chat: rule 'all' names the model 'n', which ai/x does not serve",
            id="unknown model",
        ),
        pytest.param(
            snapshot(Config(revision="r1", names=Names(exact={"chat": ("LLMRoute/ai/chat",)}))),
            "the name 'chat' leads to the unknown target 'LLMRoute/ai/chat'",
            id="exact name",
        ),
        pytest.param(
            snapshot(Config(revision="r1", names=Names(prefixes=(("gpt-", ("LLMRoute/ai/chat",)),)))),
            "the name 'gpt-' leads to the unknown target 'LLMRoute/ai/chat'",
            id="prefix",
        ),
        pytest.param(
            snapshot(Config(revision="r1", names=Names(personas={"p": ("Persona/ai/p",)}))),
            "the name 'p' leads to the unknown target 'Persona/ai/p'",
            id="persona",
        ),
        pytest.param(
            snapshot(Config(revision="r1", names=Names(providers={"x": ("ai/x",)}))),
            "the name 'x' leads to the unknown provider 'ai/x'",
            id="provider name",
        ),
    ],
)
def test_refuses(broken: Snapshot, why: str) -> None:
    """Each way to be broken is refused in words that name the object."""
    with pytest.raises(Invalid) as refused:
        check(broken)
    assert why == str(refused.value)


def test_names_a_few_of_many_problems() -> None:
    """A message stays readable however much is wrong."""
    names = Names(exact={f"n{number}": ("LLMRoute/ai/gone",) for number in range(50)})
    with pytest.raises(Invalid, match=r"'n0'.*'n1'.*'n2'.*, and 47 more$"):
        check(snapshot(Config(revision="r1", names=names)))
