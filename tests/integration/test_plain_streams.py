"""Streams in plain fields when one side goes: nothing goes on for nobody, and nothing ends without a word."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from harness.gateways import Serving, backend, persona, provider, snapshot
from harness.raw_http import Answer, RawHttp, eventually
from understudy.mock import Mock, Settings
from understudy_api.config import Prompt

SLOW = Settings(tokens=1000, token_interval=0.01)
ASKED = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}


class Door(NamedTuple):
    """Where to ask, and how."""

    path: str
    named: Mapping[str, Any]
    headers: Mapping[str, str]

    def ask(self, client: RawHttp) -> None:
        """Ask for a stream."""
        client.send("POST", self.path, json.dumps({**ASKED, **self.named}).encode(), self.headers)


DOORS = [
    pytest.param(Door("/api/v1/chat", {"persona": "kind"}, {}), id="personas"),
    pytest.param(Door("/internal/llm/proxy", {"model": "persona/kind"}, {"x-internal-secret": "s"}), id="internal"),
]


def serving(mock: Mock) -> Serving:
    """One persona, and one who plays it."""
    kind = persona("kind", backend("a"), prompt=Prompt(system="Be kind."))
    return Serving(snapshot([provider("a", mock.url)], [kind]), settings={"internal_secret": "s"})


def last(answer: Answer) -> dict[str, Any]:
    """The last event of a stream."""
    event: dict[str, Any] = json.loads(answer.body.decode().strip().split("\n\n")[-1].removeprefix("data: "))
    return event


@pytest.mark.parametrize("door", DOORS)
async def test_a_client_that_leaves_cancels_its_upstream(door: Door) -> None:
    """At once, and it is no failure of the backend's."""
    async with Mock(name="a", settings=SLOW) as mock, serving(mock) as gateway:
        async with RawHttp(gateway.port) as client:
            door.ask(client)
            await client.saw(b"delta")
        await eventually(lambda: mock.stats.aborted == 1)
        await gateway.reaches("understudy_requests_in_flight", 0)
        assert 0 == await gateway.metric("understudy_endpoints_out")


@pytest.mark.parametrize("door", DOORS)
async def test_draining_cuts_at_the_deadline_and_says_so(door: Door) -> None:
    """The last event is an error, and the connection is cut."""
    async with Mock(name="a", settings=SLOW) as mock, serving(mock) as gateway:
        async with RawHttp(gateway.port) as client:
            door.ask(client)
            await client.saw(b"delta")
            assert 1 == await gateway.gateway.drain(deadline_seconds=0.05)
            answer = await client.answer()
        await eventually(lambda: mock.stats.aborted == 1)
    assert (False, "error", "stream_interrupted") == (
        answer.complete, last(answer)["type"], last(answer)["error"]["code"],
    )  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        pytest.param("error-first", {502}, id="an error in the place of an answer"),
        pytest.param("stall-after:2", {200}, id="silence"),
        pytest.param("reset-after:2", {200, 502}, id="a reset"),
        pytest.param("error-after:2", {200, 502}, id="an error in the middle"),
        pytest.param("end-after:2", {200, 502}, id="an end that is none"),
    ],
)
async def test_no_failure_looks_like_an_answer(door: Door, fault: str, statuses: set[int]) -> None:
    """Before the first word it is an error of its own, after it the last event says so.

    Which of them it is where both come at once is up to the network.
    """
    async with Mock(name="a", faults=[fault]) as mock, serving(mock) as gateway, RawHttp(gateway.port) as client:
        door.ask(client)
        answer = await client.answer()
    assert answer.status in statuses
    if answer.status == 200:
        assert ("error", False) == (last(answer)["type"], answer.complete)
    assert (last(answer) if answer.status == 200 else answer.json())["detail"]
