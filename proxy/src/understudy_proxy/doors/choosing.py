"""One path that several vendors' clients ask, told apart by a credential or header that only one vendor's send."""

from dataclasses import dataclass

from understudy_proxy.doors.door import Answer, Door, ErrorFormat, Refused, Request
from understudy_proxy.doors.refusing import rendered


@dataclass(frozen=True, slots=True)
class Told:
    """A vendor's door, for requests with a header, or with a parameter in the query that stands for it."""

    header: str
    door: Door
    errors: ErrorFormat
    parameter: str | None = None

    def means(self, request: Request) -> bool:
        """Whether the request is for this vendor."""
        if self.header in request.headers:
            return True
        given = request.query.split("&") if self.parameter and request.query else ()
        return any(pair.partition("=")[0] == self.parameter for pair in given)

    async def answer(self, request: Request) -> Answer | None:
        """Answer, errors too in the words of the vendor."""
        try:
            return await self.door(request)
        except Refused as refused:
            return rendered(refused, self.errors, request_id=request.id)


class ByHeader:
    """The first door that a request means; else the one that the route's errors belong to."""

    def __init__(self, otherwise: Door, *told: Told) -> None:
        self._otherwise = otherwise
        self._told = told

    async def __call__(self, request: Request) -> Answer | None:
        """Answer."""
        for told in self._told:
            if told.means(request):
                return await told.answer(request)
        return await self._otherwise(request)
