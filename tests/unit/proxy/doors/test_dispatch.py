"""From a request line's target to its route, however clients write it."""

import pytest

from understudy_proxy.doors.dispatch import Dispatch
from understudy_proxy.doors.door import Answer, Refused, Request, Route


async def _door(_request: Request) -> Answer:
    return Answer()


def _errors(refused: Refused) -> bytes:
    return refused.message.encode()


CHAT = Route("/v1/chat/completions", {"POST": _door}, _errors)
MODELS = Route("/v1/models", {"GET": _door}, _errors)
MODEL = Route("/v1/models", {"GET": _door}, _errors, below=True)
DEEPER = Route("/v1/models/special", {"GET": _door}, _errors, below=True)
DISPATCH = Dispatch((CHAT, MODELS, MODEL, DEEPER))


@pytest.mark.parametrize(
    ("target", "route", "rest", "namespace", "query"),
    [
        pytest.param("/v1/chat/completions", CHAT, "", None, "", id="exact"),
        pytest.param("/v1/chat/completions/", CHAT, "", None, "", id="trailing slash"),
        pytest.param("//v1///chat/completions", CHAT, "", None, "", id="doubled slashes"),
        pytest.param("/v1/chat/completions?a=b&c=d", CHAT, "", None, "a=b&c=d", id="query"),
        pytest.param("http://gateway.example:8080/v1/models", MODELS, "", None, "", id="absolute URL"),
        pytest.param("/v1/models/m", MODEL, "m", None, "", id="below"),
        pytest.param("/v1/models/vendor/m", MODEL, "vendor/m", None, "", id="below, with a slash"),
        pytest.param("/v1/models/vendor%2Fm%20x", MODEL, "vendor/m x", None, "", id="below, percent-encoded"),
        pytest.param("/v1/models/special/m", DEEPER, "m", None, "", id="the longest prefix"),
        pytest.param("/ns/team-a/v1/models", MODELS, "", "team-a", "", id="namespace"),
        pytest.param("/ns/team-a//v1/models/m?x", MODEL, "m", "team-a", "x", id="namespace, below, query"),
    ],
)
def test_finds(target: str, route: Route, rest: str, namespace: str | None, query: str) -> None:
    """A path leads to its route, whatever a client did to it on the way."""
    found = DISPATCH.find(target)
    assert found is not None
    assert (route, rest, namespace, query) == (found.route, found.rest, found.namespace, found.query)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/", id="root"),
        pytest.param("", id="nothing"),
        pytest.param("*", id="asterisk"),
        pytest.param("/v1", id="a part of a path"),
        pytest.param("/v1/modelsandmore", id="a path that only begins alike"),
        pytest.param("/V1/models", id="another case"),
        pytest.param("/v1/%6dodels", id="an encoded path: it names nothing here"),
        pytest.param("/ns/Team_A/v1/models", id="no namespace's name"),
        pytest.param(f"/ns/{'a' * 64}/v1/models", id="a namespace too long to be one"),
        pytest.param("/ns/team-a", id="a namespace alone"),
        pytest.param("/ns/a/ns/b/v1/models", id="two namespaces"),
    ],
)
def test_finds_nothing(target: str) -> None:
    """What is not served is not guessed at."""
    assert DISPATCH.find(target) is None
