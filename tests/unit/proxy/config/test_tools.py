"""Tools, made ready when a configuration loads."""

import pytest

from harness.gateways import snapshot
from harness.tools import CREDENTIAL, TOKEN, tool, with_tools
from understudy_api.config import Config, Names, Prompt, Snapshot, Target, TargetKind, Tool, with_revision
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.config.validate import Invalid, check


def made(one: Tool, *, token: str = TOKEN) -> RuntimeTool:
    """The tool, ready."""
    return build(with_tools(snapshot([], []), [one], token=token), now=0).tools[one.key]


def test_a_handler() -> None:
    """A call finds its URL, method, time and every header that the tool needs, the token among them."""
    ready = made(tool("t", "https://h:8443/run?v=1", method="PUT", headers={"X-Team": "a"}, credential=CREDENTIAL))
    handler = ready.handler
    assert handler is not None
    assert ("PUT", "https://h:8443/run?v=1", 30.0) == (handler.method, str(handler.url), handler.timeout_seconds)
    assert (f"Bearer {TOKEN}", "a") == (handler.headers["authorization"], handler.headers["x-team"])
    assert "" == ready.out


def test_nothing_is_shown() -> None:
    """The token is in no representation."""
    assert TOKEN not in repr(made(tool("t", "http://h/", credential=CREDENTIAL)))


@pytest.mark.parametrize(
    ("one", "token", "why"),
    [
        pytest.param(tool("t", None), TOKEN, "no spec.handler", id="no handler"),
        pytest.param(tool("t", "http://h/", credential=CREDENTIAL), "", "came without a value", id="no token"),
        pytest.param(tool("t", "http://h/", credential=CREDENTIAL), "a\nb", "line breaks", id="two lines"),
        pytest.param(tool("t", "ftp://h/"), TOKEN, "is not http(s)://HOST", id="no web server"),
        pytest.param(tool("t", "http://h:99999/"), TOKEN, "URL", id="no URL"),
        pytest.param(tool("t", "http://h/", headers={"a b": "c"}), TOKEN, "cannot be sent", id="a header"),
    ],
)
def test_without_a_handler(one: Tool, token: str, why: str) -> None:
    """It is still there to be declared, and says why it is not run."""
    ready = made(one, token=token)
    assert ready.handler is None
    assert why in ready.out
    assert "t" == ready.declaration["function"]["name"]


PERSONA = Target(kind=TargetKind.PERSONA, namespace="ai", name="p", rules=(), prompt=Prompt(executes={"t": "ai/t"}))


def with_config(**fields: object) -> Snapshot:
    """A configuration that does not hold together."""
    before = snapshot([], [])
    config = with_revision(Config.model_validate({**before.config.model_dump(), **fields}))
    return Snapshot(config, before.credentials.model_copy(update={"revision": config.revision}))


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        pytest.param(
            with_config(names=Names(tools={"t": ("ai/t",)})), "the name 't' leads to the unknown tool 'ai/t'", id="name"
        ),
        pytest.param(
            with_config(
                targets={"Persona/ai/p": PERSONA}
            ),
            "Persona/ai/p: runs the unknown tool 'ai/t'",
            id="persona",
        ),
    ],
)  # fmt: skip
def test_names_that_lead_nowhere(broken: Snapshot, why: str) -> None:
    """Such a configuration is refused."""
    with pytest.raises(Invalid) as refused:
        check(broken)
    assert why == str(refused.value)
