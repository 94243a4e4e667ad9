"""What a model cannot do is known before it is asked, whichever dialect the client speaks."""

import pytest

from harness.callers import CALLERS
from harness.callers.caller import Asking
from harness.gateways import ALL, Serving, in_order, route, snapshot
from harness.vendors import VENDORS
from understudy.mock import Mock
from understudy_api.config import Capability

BLIND = ALL - {Capability.VISION}
WINDOW = 300
"""Tokens; of which a `LONG` text has more, and a short one less."""
LONG = "word " * 500


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_an_image_goes_to_who_can_see(caller: str, vendor: str, stream: bool) -> None:
    """A model without Vision is passed over, and the one behind it sees what was sent."""
    asks = CALLERS[caller]
    async with Mock(name="a") as blind, Mock(name="b") as seeing:
        providers = [
            VENDORS["openai"].provider("a", blind.url, capabilities=BLIND),
            VENDORS[vendor].provider("b", seeing.url),
        ]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"))])) as gateway:
            heard = await asks.go_on(gateway.port, Asking([asks.user("Look", image=True)], stream=stream))
        assert blind.stats.requests == 0
    kind = "" if vendor == "ollama" else " (image/png)"
    assert f"It came with 1 image(s){kind}" in heard.text


@pytest.mark.parametrize("caller", CALLERS)
async def test_nobody_can_see(caller: str) -> None:
    """Where no model has Vision nobody is asked, and the client is told that this is why."""
    asks = CALLERS[caller]
    async with Mock(name="a") as blind:
        provider = VENDORS["anthropic"].provider("a", blind.url, capabilities=BLIND)
        async with Serving(snapshot([provider], [route("chat", *in_order("a"))])) as gateway:
            answer = await asks.send(gateway.port, Asking([asks.user("Look", image=True)]))
        assert (400, 0) == (answer.status, blind.stats.requests)
    wrong = asks.wrong(answer)
    assert wrong is not None
    assert "Vision" in wrong.message
    assert (wrong.code or "unsupported_parameter").lower() == "unsupported_parameter"


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_prompt_goes_where_there_is_room(caller: str, vendor: str) -> None:
    """What is beyond one model's window goes to the larger one; what is not, to the first."""
    asks = CALLERS[caller]
    async with Mock(name="a") as small, Mock(name="b") as large:
        providers = [
            VENDORS["openai"].provider("a", small.url, window=WINDOW),
            VENDORS[vendor].provider("b", large.url, window=100 * WINDOW),
        ]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"))])) as gateway:
            assert (await asks.ask(gateway.port, LONG, most=10)).text.startswith("This is b,")
            assert (0, 1) == (small.stats.requests, large.stats.requests)
            await asks.ask(gateway.port, "short", most=10)
            assert (1, 1) == (small.stats.requests, large.stats.requests)


@pytest.mark.parametrize("known", [True, False], ids=["window known", "provider refuses"])
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_prompt_that_fits_nowhere(caller: str, known: bool) -> None:
    """`context_length_exceeded` as each client knows it, from the gateway itself or from a provider of each dialect."""
    asks = CALLERS[caller]
    for vendor in VENDORS.values():
        async with Mock(name="a", faults=[] if known else ["context"]) as small:
            provider = vendor.provider("a", small.url, window=WINDOW if known else None)
            async with Serving(snapshot([provider], [route("chat", *in_order("a"))])) as gateway:
                answer = await asks.send(gateway.port, Asking([asks.user(LONG)], most=10))
        assert (400, 0 if known else 1) == (answer.status, small.stats.requests)
        wrong = asks.wrong(answer)
        assert wrong is not None
        kinds = {"openai": "invalid_request_error", "anthropic": "invalid_request_error", "gemini": "INVALID_ARGUMENT"}
        assert wrong.kind == kinds.get(caller)
        assert (wrong.code or "context_length_exceeded").lower() == "context_length_exceeded"
        assert wrong.message
