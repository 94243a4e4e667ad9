"""What a client says who it is stays with the gateway, however its SDK says it, and whichever provider answers."""

from typing import Any

import orjson
import pytest

from harness.callers import CALLERS
from harness.callers.caller import Asking, Caller
from harness.gateways import KEY, Serving, in_order, route, snapshot
from harness.raw_http import eventually, exchange
from harness.vendors import VENDORS, Vendor
from understudy.mock import Mock

MINE = "the-callers-own-secret"
HEADERS = {
    "authorization": f"Bearer {MINE}",
    "proxy-authorization": f"Basic {MINE}",
    "x-api-key": MINE,
    "api-key": MINE,
    "x-goog-api-key": MINE,
    "x-goog-user-project": MINE,
    "x-amz-security-token": MINE,
    "openai-organization": MINE,
    "cookie": f"session={MINE}",
}
PAIRS = [
    pytest.param(caller, vendor, id=f"{asks}-{answers}")
    for asks, caller in CALLERS.items()
    for answers, vendor in VENDORS.items()
]


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
async def test_no_key_of_a_caller_goes_on(caller: Caller, vendor: Vendor) -> None:
    """Neither in a header nor in the query, nor into a log; the provider gets the gateway's own."""
    async with Mock(name="a") as mock:
        served = snapshot([vendor.provider("a", mock.url)], [route("chat", *in_order("a"))])
        async with Serving(served, settings={"log_level": "info"}) as gateway:
            asked = Asking([caller.user("Hi")])
            path = f"{caller.path(asked)}?key={MINE}"
            answer = await exchange(
                gateway.port, "POST", path, orjson.dumps(caller.body(asked)), {**caller.headers, **HEADERS}
            )
            await eventually(lambda: any("model" in line for line in gateway.log()))
            logged = repr(gateway.log())
        sent: list[Any] = [(one.path, dict(one.headers), one.body) for one in mock.requests]
    assert (200, 1) == (answer.status, len(sent))
    assert KEY in repr(sent)
    assert MINE not in repr(sent)
    assert MINE not in logged
