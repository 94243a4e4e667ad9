"""One attempt at one upstream: send, wait, and hold everything back until it is sure that an answer has begun."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from yarl import URL

from understudy_proxy.dialects.interpretation import Interpretation
from understudy_proxy.exchange.course import Course, Whole
from understudy_proxy.exchange.credentials.protocol import CloudCredentials
from understudy_proxy.exchange.ledger import Entry
from understudy_proxy.exchange.patience import Patience
from understudy_proxy.exchange.stream import Stream
from understudy_proxy.exchange.transport import Receiving, Sending, Transport
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure
from understudy_proxy.routing.health import HealthEffect

_ANSWER_BYTES = 64 * 1024 * 1024
"""The largest whole answer: images and audio travel inside as base64."""
_ERROR_BYTES = 1024 * 1024
# What is certainly no stream of events, whatever was asked for; a stream with a wrong type is let through.
_NO_EVENTS = ("application/json", "text/html", "application/problem+json")


@dataclass(slots=True)
class Attempt:
    """What one attempt needs. `run` makes it, once."""

    interpretation: Interpretation
    streaming: bool
    """A stream was asked for."""
    sending: Sending
    entry: Entry
    patience: Patience
    course: Course
    effect: Callable[[UpstreamFailure], HealthEffect]
    """What a failure after the beginning means for the endpoint's health."""
    clock: Callable[[], float]
    """Seconds since the epoch, for signatures."""

    async def run(self, transport: Transport) -> Whole | Stream:
        """The answer. The entry stays open while a stream runs, else it is ended here.

        Raises:
            UpstreamError: there is none.
        """
        begun = False
        receiving: Receiving | None = None
        try:
            if self.sending.upstream.cloud is not None:
                async with asyncio.timeout(self._until_head()):
                    await self._sign(self.sending.upstream.cloud)
            receiving = await transport.send(self.sending, within=self._until_head())
            if (
                self.streaming
                and receiving.status == 200
                and (not _is_whole(receiving) or self.interpretation.call.may_come_whole)
            ):
                stream = await self._begun(receiving)
                begun = True
                return stream
            return await self._whole(receiving)
        except TimeoutError:
            raise self.patience.spent(begun=False, stream=self.streaming) from None
        finally:
            if not begun and receiving is not None:
                receiving.close()

    async def _sign(self, cloud: CloudCredentials) -> None:
        """Add what makes the request its sender's own, over the very bytes that are sent."""
        sending = self.sending
        url = URL(f"{str(sending.upstream.base_url).rstrip('/')}{sending.path}", encoded=True)
        sending.headers += await cloud.headers(sending.method, url, sending.body, now=self.clock())

    def _until_head(self) -> float:
        return self.patience.until_first_token() if self.streaming else self.patience.until_answer()

    async def _whole(self, receiving: Receiving) -> Whole:
        limit = _ANSWER_BYTES if receiving.status == 200 else _ERROR_BYTES
        body = await receiving.read(limit=limit, within=self._until_head())
        reading = self.interpretation.read_answer(receiving.status, receiving.headers, body)
        if reading.failure is not None:
            raise UpstreamError(reading.failure)
        if self.streaming:
            raise UpstreamError(
                UpstreamFailure(FailureKind.INVALID_RESPONSE, "a whole answer came where a stream was asked for")
            )
        self.entry.succeeded(stream=False)
        return Whole(reading.body, reading.usage)

    async def _begun(self, receiving: Receiving) -> Stream:
        events = self.interpretation.flow()
        while True:
            piece = await receiving.chunk(within=self.patience.until_first_token())
            fed = events.feed(piece) if piece else events.close()
            if fed.failure is not None:
                # Even if an answer had begun in these bytes: the client has seen none of them.
                raise UpstreamError(fed.failure)
            if fed.began:
                break
            if not piece:
                raise UpstreamError(UpstreamFailure(FailureKind.INVALID_RESPONSE, "the stream ended without an answer"))
        self.entry.succeeded(stream=True)
        if self.course.first_token is None:
            self.course.first_token = self.patience.now()
        return Stream(
            fed.out,
            events=events,
            receiving=receiving,
            entry=self.entry,
            patience=self.patience,
            effect=self.effect,
        )


def _is_whole(receiving: Receiving) -> bool:
    return receiving.headers.get("content-type", "").lower().startswith(_NO_EVENTS)
