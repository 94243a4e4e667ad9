"""Several messages in one array, which one version of the protocol had: answered side by side, in one array."""

import asyncio
from typing import Any

from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.doors.mcp.errors import protocol_error
from understudy_proxy.doors.mcp.methods import Methods
from understudy_proxy.mcp.eras import BATCHING, batches, era_of
from understudy_proxy.mcp.errors import Code, ProtocolError
from understudy_proxy.mcp.messages import Call, Message, error_of, id_in, read_message, result_of

MOST = 32
"""Messages in one array."""
_ALONE = "initialize"
"""A request that begins everything, and so cannot be among others."""


class Batch:
    """The messages of one array."""

    def __init__(self, values: list[Any], request: Request) -> None:
        """Look at what may be messages.

        Raises:
            ProtocolError: there may be no batch, or none like this.
        """
        if not batches(request.headers):
            raise ProtocolError(Code.INVALID_REQUEST, f"Send one message at a time: only MCP {BATCHING} had batches.")
        if not 1 <= len(values) <= MOST:
            raise ProtocolError(Code.INVALID_REQUEST, f"A batch has 1 to {MOST} messages, but this one {len(values)}.")
        self._values = values
        self._request = request

    async def answered_by(self, methods: Methods) -> list[dict[str, Any]]:
        """The answers to all that are owed one, in their order."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._answer(value, methods)) for value in self._values]
        return [answer for task in tasks if (answer := task.result()) is not None]

    def unanswered(self, error: ProtocolError) -> list[dict[str, Any]]:
        """`error` as the answer to each request."""
        ids = [id_in(value) for value in self._values]
        return [error_of(each, error) for each in ids if each is not None]

    async def _answer(self, value: Any, methods: Methods) -> dict[str, Any] | None:
        try:
            message = _read(value)
            if not isinstance(message, Call):
                return None
            era = era_of(self._request.headers, message)
            result, _ = await methods.answer(self._request, message, era, tell=None)
        except ProtocolError as error:
            return error_of(id_in(value), error)
        except Refused as refused:
            return error_of(id_in(value), protocol_error(refused))
        return result_of(message, result)


def _read(value: Any) -> Message:
    message = read_message(value)
    if isinstance(message, Call) and message.method == _ALONE:
        raise ProtocolError(Code.INVALID_REQUEST, f"{_ALONE!r} is sent by itself, in no batch.")
    return message
