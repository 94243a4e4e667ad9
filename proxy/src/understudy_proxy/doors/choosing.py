"""One path that several vendors' clients ask, told apart by a header that only one vendor's clients send."""

from dataclasses import dataclass

from understudy_proxy.doors.door import Answer, Door, ErrorFormat, Refused, Request
from understudy_proxy.doors.refusing import rendered


@dataclass(frozen=True, slots=True)
class Told:
    """A vendor's door, for requests with a header."""

    header: str
    door: Door
    errors: ErrorFormat


class ByHeader:
    """The first door whose header is there; else the one that the route's errors belong to."""

    def __init__(self, otherwise: Door, *told: Told) -> None:
        self._otherwise = otherwise
        self._told = told

    async def __call__(self, request: Request) -> Answer | None:
        """Answer, errors too in the words of the vendor."""
        for told in self._told:
            if told.header in request.headers:
                try:
                    return await told.door(request)
                except Refused as refused:
                    return rendered(refused, told.errors, request_id=request.id)
        return await self._otherwise(request)
