"""Personas whose tools the gateway runs: what clients of every dialect hear, whoever answers."""

import pytest

from harness.callers import CALLERS
from harness.callers.caller import Asking, Caller
from harness.executing import MODEL, staged
from harness.vendors import VENDORS, Vendor

PAIRS = [
    pytest.param(caller, vendor, id=f"{asks}-{answers}")
    for asks, caller in CALLERS.items()
    for answers, vendor in VENDORS.items()
]
ROUNDS = "[say: Let me see.] [call: look_up, sums] [then: [call: sums] [then: [say: It is 42.]]]"


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_rounds_of_tools_are_one_answer(caller: Caller, vendor: Vendor, stream: bool) -> None:
    """The client hears what was said before and after, and of no call; usage is that of all calls of the model."""
    async with staged(vendor=vendor) as stage:
        asked = Asking([caller.user(ROUNDS)], model=MODEL, stream=stream)
        answer = await caller.send(stage.port, asked)
        assert (200, True) == (answer.status, answer.complete), answer
        heard = caller.heard(answer, stream=stream)
        assert ("Let me see.\n\nIt is 42.", "stop", ()) == (heard.text, heard.finish, heard.calls)
        assert ["/echo", "/sums", "/sums"] == sorted(one.path for one in stage.tools.asked)
        assert {"city": "city"} == next(one.json() for one in stage.tools.asked if one.path == "/echo")
        assert 3 == stage.mock.stats.requests
        spent = await stage.gateway.metric("understudy_tokens_total", type="output")
        assert heard.usage is not None
        assert spent == heard.usage["output"]
        if not stream:
            assert "3" == answer.headers["x-understudy-tool-calls"]
