"""Functions that the gateway runs, for code that waits."""

from collections.abc import Callable, Mapping
from typing import Any

from understudy.client._errors import UnderstudyError
from understudy.client._server_tools import TOOLS, execute_call, executed, refused, tool_list
from understudy.client._sync_connection import Connection
from understudy.client._tools import Tool


class ServerTools:
    """Functions that the gateway runs for this caller. It is `Client.tools`."""

    def __init__(self, connection: Connection) -> None:
        """Over the connection of a client."""
        self._connection = connection

    def list(self) -> tuple[Tool, ...]:
        """All that this caller may use; each runs at the gateway, also when `run` calls it.

        Raises:
            UnderstudyError: as `Client.chat`.
        """
        return tool_list(self._connection.answer(TOOLS)[0], self._executing)

    def execute(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Run one, and get its result.

        Raises:
            ToolNotFound: there is none of that name for this caller.
            ToolFailed: it has failed, or refuses its arguments.
            UnderstudyError: as `Client.chat`; it is not tried again where it may have had effects.
        """
        try:
            raw, _ = self._connection.answer(execute_call(name, arguments))
        except UnderstudyError as error:
            raise refused(error, name=name) from error
        return executed(raw, name=name)

    def _executing(self, name: str) -> Callable[..., Any]:
        def execute(**arguments: Any) -> Any:
            return self.execute(name, arguments)

        return execute
