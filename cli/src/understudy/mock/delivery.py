"""What goes over the wire: an encoded answer and a fault become one `Delivery`.

Pure: the whole table of faults is decided here as data; `wire` only carries it out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from understudy.mock.faults import Fault, FaultKind
from understudy.mock.settings import Settings

Chunk = tuple[float, bytes]
"""Seconds of silence, then bytes that leave in one write."""


class Ending(StrEnum):
    """How the answer ends on the connection.

    COMPLETE as HTTP wants it, CLOSE by closing (FIN), RESET by a TCP reset, STALL by falling silent.
    """

    COMPLETE = "complete"
    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Body:
    """An answer in one piece; `tokens` is how many pieces its stream would have had, 0 for what never streams."""

    content: bytes
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer in events: what comes before any content, the content, and what ends it well."""

    opening: tuple[bytes, ...]
    pieces: tuple[bytes, ...]
    closing: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An encoded answer: its content, and its response headers with the content type."""

    content: Body | Stream
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Replacements:
    """What a wire format says instead of an answer, made only when a fault wants it.

    Attributes:
        refusal: The status, the headers and the body of the error that a fault stands for, before any answer.
        error: The same error under status 200: a body, or an event of a stream, which is told whether it is the first.
        garbage: What nobody can parse: a body, or the first event of a stream.
    """

    refusal: Callable[[Fault], tuple[int, Mapping[str, str], bytes]]
    error: Callable[[Fault, bool], bytes]
    garbage: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes and timing of one answer.

    Attributes:
        status: The HTTP status; None to send no head at all.
        headers: Response headers, without length and transfer encoding.
        chunks: What is sent.
        length: The Content-Length; None for chunks of unknown number.
        ending: How it ends.
        wait: Seconds before anything is sent.
        head_time: Seconds over which status line and headers dribble out.
    """

    status: int | None
    headers: Mapping[str, str]
    chunks: tuple[Chunk, ...] = ()
    length: int | None = None
    ending: Ending = Ending.COMPLETE
    wait: float = 0.0
    head_time: float = 0.0


def whole(status: int, headers: Mapping[str, str], content: bytes, *, wait: float = 0.0) -> Delivery:
    """Return the delivery of `content` in one piece."""
    return Delivery(status, headers, ((0.0, content),), len(content), wait=wait)


def delivery_of(answer: Answer, settings: Settings) -> Delivery:
    """Return the delivery of an answer that nothing happens to, at the pace that the settings ask for."""
    content = answer.content
    if isinstance(content, Body):
        wait = settings.first_token_delay + settings.token_interval * (content.tokens - 1) if content.tokens else 0.0
        return whole(200, answer.headers, content.content, wait=wait)
    return Delivery(200, answer.headers, _paced(content, settings))


def spoiled(answer: Answer, fault: Fault, *, instead: Replacements, settings: Settings) -> Delivery:
    """Return the delivery of an answer that `fault` happens to."""
    if fault.kind is FaultKind.DELAY:
        good = delivery_of(answer, settings)
        made = replace(good, wait=good.wait + fault.seconds)
    elif fault.kind is FaultKind.SLOW_HEADERS:
        made = replace(delivery_of(answer, settings), head_time=fault.seconds)
    else:
        made = _replaced(answer, fault, instead) or _interrupted(answer, fault, instead, settings)
    return replace(made, wait=made.wait + fault.delay)


def _replaced(answer: Answer, fault: Fault, instead: Replacements) -> Delivery | None:
    """Return a delivery that holds nothing of the answer; None if the fault lets an answer begin."""
    match fault.kind:
        case FaultKind.STATUS:
            status, headers, content = instead.refusal(fault)
            return whole(status, headers, content)
        case FaultKind.HTML:
            return whole(fault.status, {"content-type": "text/html", **dict(fault.headers)}, _page(fault.status))
        case FaultKind.GARBAGE:
            return whole(200, answer.headers, instead.garbage())
        case FaultKind.EMPTY:
            return whole(200, answer.headers, b"")
        case FaultKind.REFUSE:
            return Delivery(None, {}, ending=Ending.CLOSE)
        case FaultKind.RESET:
            return Delivery(None, {}, ending=Ending.RESET)
        case _:
            return None


def _interrupted(answer: Answer, fault: Fault, instead: Replacements, settings: Settings) -> Delivery:
    """Return a delivery that begins well, with status 200, and does not end so."""
    length = len(answer.content.content) if isinstance(answer.content, Body) else None
    begun = Delivery(200, answer.headers, _begun(answer.content, fault.chunks, settings), length)
    match fault.kind:
        case FaultKind.STALL:
            return replace(begun, chunks=(), ending=Ending.STALL)
        case FaultKind.STALL_AFTER:
            return replace(begun, ending=Ending.STALL)
        case FaultKind.CUT_AFTER:
            return replace(begun, ending=Ending.CLOSE)
        case FaultKind.RESET_AFTER:
            return replace(begun, ending=Ending.RESET)
        case FaultKind.END_AFTER:
            sent = sum(len(content) for _, content in begun.chunks)
            return replace(begun, length=None if length is None else sent)
        case _:
            if length is not None:
                return whole(200, answer.headers, instead.error(fault, True))
            before = () if fault.kind is FaultKind.ERROR_FIRST else begun.chunks
            return replace(begun, chunks=(*before, (0.0, instead.error(fault, not before))))


def _begun(content: Body | Stream, chunks: int, settings: Settings) -> tuple[Chunk, ...]:
    """Return what goes out before an interruption: so many chunks with content, or half a body."""
    if isinstance(content, Body):
        return ((0.0, content.content[: len(content.content) // 2]),)
    return _paced(replace(content, pieces=content.pieces[:chunks], closing=()), settings)


def _paced(stream: Stream, settings: Settings) -> tuple[Chunk, ...]:
    chunks = (*stream.opening, *stream.pieces, *stream.closing)
    if not settings.first_token_delay and not settings.token_interval:
        return tuple((0.0, chunk) for chunk in chunks)
    first_paced, after_pieces = len(stream.opening) + 1, len(stream.opening) + len(stream.pieces)
    return tuple(
        (
            settings.first_token_delay
            if number == 0
            else settings.token_interval * (first_paced <= number < after_pieces),
            chunk,
        )
        for number, chunk in enumerate(chunks)
    )


def _page(status: int) -> bytes:
    return (
        f"<html>\n<head><title>{status}</title></head>\n"
        f"<body><center><h1>{status}</h1></center><hr><center>mock</center></body>\n</html>\n"
    ).encode()
