"""Plans for tests: routes to made-up backends, asked without anybody behind them."""

import random
from collections.abc import Callable, Mapping

from harness.runtimes import CHAT, a_backend, a_model, a_provider, a_rule, a_runtime, a_target, the_target
from understudy_api.config import Capability, RetryPolicy, Strategy
from understudy_proxy.config.runtime import RuntimeTarget, Upstream
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.plan import Choice, Endpoint, Plan, plan

NOW = 1000.0


def one_endpoint(upstream: Upstream) -> tuple[Endpoint, ...]:
    """Every upstream has only its URL."""
    return (Endpoint(upstream.key),)


def planned(
    target: RuntimeTarget,
    need: Need = CHAT,
    headers: Mapping[str, str] | None = None,
    *,
    board: HealthBoard | None = None,
    endpoints: Callable[[Upstream], tuple[Endpoint, ...]] = one_endpoint,
    draw: Callable[[], float] = lambda: 0.0,
    looking: bool = False,
    now: float = NOW,
) -> Plan:
    """The plan of a request."""
    return plan(
        target,
        need,
        headers or {},
        board=board or HealthBoard(),
        endpoints=endpoints,
        draw=draw,
        now=now,
        looking=looking,
    )


def chance(seed: int) -> Callable[[], float]:
    """The same draws each time."""
    return random.Random(seed).random  # noqa: S311 - chance that can be repeated


def keys(choices: tuple[Choice, ...]) -> list[str]:
    """Where they lead."""
    return [choice.endpoint.key for choice in choices]


def a_need(*capabilities: Capability, tokens: int = 10, output: int | None = None, stream: bool = False) -> Need:
    """A chat request that needs more."""
    return Need(frozenset({Capability.CHAT, *capabilities}), tokens, stream=stream, max_output_tokens=output)


def a_route(
    *priorities: int,
    weights: tuple[int, ...] = (),
    strategy: Strategy = Strategy.WEIGHTED,
    prices: tuple[tuple[str, str] | None, ...] = (),
    retry: RetryPolicy | None = None,
) -> RuntimeTarget:
    """A route to `x/p0`, `x/p1`, ... of these priorities, weights and prices."""
    backends = [
        a_backend(f"x/p{number}", "m", priority=priority, weight=weights[number] if weights else 1)
        for number, priority in enumerate(priorities)
    ]
    providers = [
        a_provider(f"x/p{number}", serves={"m": a_model(price=prices[number] if prices else None)})
        for number in range(len(priorities))
    ]
    target = a_target("x/chat", a_rule(*backends, strategy=strategy), retry=retry)
    return the_target(a_runtime(*providers, targets=[target]))
