"""Integration tests of the gateway run on the event loops that it runs on."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

Loops = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]

# Where sockets are handled by hand the loops differ most; these run on both.
_BOTH = frozenset({"test_gateway_transports", "test_gateway_bad_clients"})
_PLAIN: Loops = {"asyncio": asyncio.new_event_loop}


def pytest_asyncio_loop_factories(item: pytest.Item) -> Loops:
    """For the gateway uvloop, which it runs on wherever that is installed; asyncio's own for everything else."""
    module = item.path.stem
    fast = _uvloop() if module.startswith("test_gateway") else {}
    return {**_PLAIN, **fast} if module in _BOTH or not fast else fast


def _uvloop() -> Loops:
    try:
        import uvloop
    except ImportError:
        return {}
    return {"uvloop": uvloop.new_event_loop}
