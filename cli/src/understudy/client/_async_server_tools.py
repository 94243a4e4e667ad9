"""Functions that the gateway runs, for coroutines."""

from collections.abc import Callable, Mapping
from typing import Any

from understudy.client._async_connection import AsyncConnection
from understudy.client._errors import UnderstudyError
from understudy.client._server_tools import TOOLS, execute_call, executed, refused, tool_list
from understudy.client._tools import Tool


class AsyncServerTools:
    """Functions that the gateway runs for this caller. It is `AsyncClient.tools`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Over the connection of a client."""
        self._connection = connection

    async def list(self) -> tuple[Tool, ...]:
        """All that this caller may use; each runs at the gateway, also when `run` calls it.

        Raises:
            UnderstudyError: as `AsyncClient.chat`.
        """
        return tool_list((await self._connection.answer(TOOLS))[0], self._executing)

    async def execute(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Run one, and get its result.

        Raises:
            ToolNotFound: there is none of that name for this caller.
            ToolFailed: it has failed, or refuses its arguments.
            UnderstudyError: as `AsyncClient.chat`; it is not tried again where it may have had effects.
        """
        try:
            raw, _ = await self._connection.answer(execute_call(name, arguments))
        except UnderstudyError as error:
            raise refused(error, name=name) from error
        return executed(raw, name=name)

    def _executing(self, name: str) -> Callable[..., Any]:
        async def execute(**arguments: Any) -> Any:
            return await self.execute(name, arguments)

        return execute
