"""Tool calls of a conversation whose results have not come yet, for dialects whose clients send none or few ids."""

from collections import deque

from understudy_proxy.dialects.canonical.content import ToolCall


class WaitingCalls:
    """The calls, in the order in which they were made. Every look takes the same time, however many there are."""

    __slots__ = ("_calls", "_count", "_queues")

    def __init__(self) -> None:
        self._calls: dict[int, ToolCall] = {}
        self._count = 0
        self._queues: dict[tuple[str, str], deque[int]] = {}

    def add(self, call: ToolCall) -> None:
        """One more is waiting."""
        self._count += 1
        self._calls[self._count] = call
        for key in (("id", call.id), ("name", call.name), ("any", "")):
            self._queues.setdefault(key, deque()).append(self._count)

    def answered(self, call_id: str | None, name: str | None) -> ToolCall | None:
        """The call that a result is for, which waits no longer: the one of that id, else the first of that name.

        Without either it is the first of all.
        """
        number = None if call_id is None else self._first(("id", call_id))
        if number is None:
            number = self._first(("any", "") if name is None else ("name", name))
        return None if number is None else self._calls.pop(number)

    def _first(self, key: tuple[str, str]) -> int | None:
        queue = self._queues.get(key)
        while queue:
            number = queue.popleft()
            if number in self._calls:
                return number
        return None
