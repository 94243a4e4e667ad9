"""`docs/failover.md` against a gateway on real sockets: what its headers say, and its words when nobody answers."""

import json
from typing import Any

from harness.gateways import Serving, backend, in_order, persona, provider, route, snapshot
from harness.pages import code, page, rows, section
from harness.raw_http import Answer, RawHttp, exchange
from harness.tools import tool, with_tools
from understudy.mock import Mock
from understudy_api.config import Capability, Dialect, Match, Prompt, Provider, Rule, Target, TargetKind

PAGE = page("docs/failover.md")
CHAT = "/v1/chat/completions"


def question(model: str, **fields: Any) -> bytes:
    """A chat request."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()


async def ask(port: int, model: str = "chat", **fields: Any) -> Answer:
    """Ask as a client would."""
    return await exchange(port, "POST", CHAT, question(model, **fields))


def claude(mock: Mock) -> Provider:
    """A provider that must be asked in another dialect."""
    return provider("claude", mock.url).model_copy(update={"dialect": Dialect.ANTHROPIC, "base_url": mock.url})


def told() -> dict[str, str]:
    """On which answers each header of the table is."""
    table = rows(section(PAGE, "## What the headers say"), "header")
    return {name: row[1] for row in table for name in code(row[0])}


def sent(answer: Answer) -> set[str]:
    """The headers of an answer that are the gateway's own words."""
    ours = ("x-understudy-", "x-request-id", "retry-after", "x-should-retry")
    return {name for name in answer.headers if name.startswith(ours)}


async def test_what_the_headers_say() -> None:
    """The table has the headers that are sent, on the answers that it names."""
    async with Mock() as well, Mock() as ill:
        clock = tool("clock", "http://127.0.0.1:9/")
        runs = Prompt(tools=(clock.declaration,), executes={"clock": clock.key}, revision="2f")
        served = snapshot(
            [provider("ill", ill.url), provider("well", well.url), claude(well)],
            [
                route("chat", *in_order("ill", "well")),
                route("alone", backend("ill")),
                route("claude", backend("claude")),
                persona("kind", backend("well"), prompt=Prompt(system="Be kind.", revision="1f")),
                persona("punctual", backend("well"), prompt=runs),
            ],
        )
        async with Serving(with_tools(served, [clock])) as serving:
            plain = await ask(serving.port)
            ill.set_faults(["500"])
            failover = await ask(serving.port)
            refused = await ask(serving.port, "alone")
            ill.set_faults(["429;retry-after=30"])
            resting = await ask(serving.port, "alone")
            translated = await ask(serving.port, "claude", seed=1)
            kind = await ask(serving.port, "persona/kind")
            punctual = await ask(serving.port, "persona/punctual")
    always = {name for name, on in told().items() if on in {"every answer", "every answer of a route"}}
    asked = always | {name for name, on in told().items() if on == "where one was asked"}
    assert sent(plain) == asked
    assert sent(failover) == asked | {"x-understudy-reason"}
    assert sent(refused) == asked | {"x-understudy-reason", "x-should-retry"}
    assert sent(resting) == asked | {"x-understudy-reason", "retry-after", "retry-after-ms"}
    assert sent(translated) == asked | {"x-understudy-warning"}
    assert "'seed' was left out" in translated.headers["x-understudy-warning"]
    assert sent(kind) == asked | {"x-understudy-persona-revision"}
    assert sent(punctual) == sent(kind) | {"x-understudy-tool-calls"}
    assert set(told()) == sent(refused) | sent(resting) | sent(translated) | sent(punctual)
    assert {told()[name] for name in ("retry-after", "retry-after-ms")} == {"refusals that pass"}


async def test_when_nobody_could_be_asked() -> None:
    """Each row of the table, met in its order."""
    async with Mock(faults=["429;retry-after=30;model=tired", "stall;model=m"]) as mock:
        chat_only = frozenset({Capability.CHAT, Capability.STREAMING})
        plain = provider("plain", mock.url, models=("m", "tired"))
        models = {name: model.model_copy(update={"capabilities": chat_only}) for name, model in plain.models.items()}
        only_streams = Rule(name="streams", matches=(Match(stream=True),), backends=(backend("plain"),))
        routes = [
            route("chat", backend("plain")),
            Target(kind=TargetKind.ROUTE, namespace="default", name="streams", rules=(only_streams,)),
            route("tired", backend("plain", model="tired")),
            Target(kind=TargetKind.ROUTE, namespace="default", name="nobody", rules=()),
        ]
        served = snapshot(
            [plain.model_copy(update={"models": models}), claude(mock)], [*routes, route("two", backend("claude"))]
        )
        async with Serving(served, settings={"max_in_flight": 1}) as serving:
            tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
            answers = [await ask(serving.port, tools=[tool]), await ask(serving.port, "two", n=2)]
            answers.append(await ask(serving.port, "streams"))
            assert (await ask(serving.port, "tired")).status == 429
            asked = len(mock.requests)
            answers += [await ask(serving.port, "tired"), await ask(serving.port, "nobody")]
            assert len(mock.requests) == asked
            async with RawHttp(serving.port) as busy:
                busy.send("POST", CHAT, question("chat"))
                await serving.reaches("understudy_requests_in_flight", 1)
                answers.append(await ask(serving.port))
    statuses = [row[0] for row in rows(section(PAGE, "## When nobody answers"), "status")]
    assert [str(answer.status) for answer in answers] == statuses
    assert answers[3].headers["retry-after"] == "30"
