"""Responses out of bytes, however the bytes fall: every message is cut at every place."""

import asyncio
import gzip
from collections.abc import Callable

import pytest

from understudy_proxy.exchange.http.connection import Connection
from understudy_proxy.exchange.http.response import Response, Stale
from understudy_proxy.failure import FailureKind, UpstreamError

PATIENT = 5.0
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nX-Thing: one\r\n\r\n"
    b"4;ext=1\r\nhell\r\n1\r\no\r\n0\r\ntrailer: t\r\n\r\n"
)
PACKED = gzip.compress(b"hello")
MESSAGES = {
    "content-length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Thing: one\r\n\r\nhello",
    "chunked": CHUNKED,
    "after interim responses": b"HTTP/1.1 103 Early Hints\r\nx-thing: none\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    + CHUNKED,
    "packed": b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nx-thing: one\r\ncontent-length: %d\r\n\r\n%b"
    % (len(PACKED), PACKED),
}


class _Wire(asyncio.Transport):
    """A transport that only remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class _Keeper:
    """Where connections go back to."""

    def __init__(self) -> None:
        self.kept: list[Connection] = []
        self.gone: list[Connection] = []

    def keep(self, connection: Connection) -> None:
        self.kept.append(connection)

    def lost(self, connection: Connection, *, gone: bool) -> None:
        del gone
        self.gone.append(connection)


class _Played:
    """A connection on which a test plays the upstream."""

    def __init__(self) -> None:
        self.wire = _Wire()
        self.keeper = _Keeper()
        self.connection = Connection(asyncio.get_running_loop(), self.keeper, silent_seconds=5.0)
        self.connection.connection_made(self.wire)

    def ask(self) -> Response:
        """Send a request."""
        return self.connection.request(b"POST / HTTP/1.1\r\n\r\n", b"")

    def plays(self, *parts: bytes, ends: bool = False) -> None:
        """The upstream sends these, and closes the connection if it `ends`."""
        for part in parts:
            self.connection.data_received(part)
        if ends:
            self.connection.connection_lost(None)


async def _whole(response: Response) -> tuple[int, str, bytes]:
    await response.head(within=PATIENT)
    return response.status, response.headers.get("x-thing", ""), await response.read(limit=100, within=PATIENT)


def _everywhere(message: bytes) -> range:
    return range(1, len(message))


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
async def test_a_message_in_two_pieces_is_the_same_message(message: bytes) -> None:
    """Wherever it is parted, the same status, headers and body come out, and the connection is kept."""
    for place in _everywhere(message):
        played = _Played()
        response = played.ask()
        played.plays(message[:place], message[place:])
        assert await _whole(response) == (200, "one", b"hello")
        response.close()
        assert played.keeper.kept == [played.connection]


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
async def test_a_message_byte_by_byte_is_the_same_message(message: bytes) -> None:
    """The slowest network changes nothing."""
    played = _Played()
    response = played.ask()
    played.plays(*(message[place : place + 1] for place in range(len(message))))
    assert await _whole(response) == (200, "one", b"hello")


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
async def test_a_message_cut_anywhere_is_a_failure(message: bytes) -> None:
    """A connection that ends early never makes a whole answer, and is not kept."""
    end_of_head = (
        message.rindex(b"\r\n\r\n", 0, -4) + 4 if message.count(b"\r\n\r\n") > 1 else message.index(b"\r\n\r\n") + 4
    )
    for place in _everywhere(message):
        played = _Played()
        response = played.ask()
        played.plays(message[:place], ends=True)
        with pytest.raises(UpstreamError) as caught:
            await _whole(response)
        assert caught.value.failure.kind in {FailureKind.CONNECTION_RESET, FailureKind.INTERRUPTED}
        if place < end_of_head - 4 and b"103" not in message:
            assert caught.value.failure.kind == FailureKind.CONNECTION_RESET
        response.close()
        assert (played.keeper.kept, played.keeper.gone) == ([], [played.connection])


async def test_a_kept_connection_that_ends_unanswered_is_stale() -> None:
    """Stale is told from failed: only for a kept connection, and only while nothing has come."""
    played = _Played()
    first = played.ask()
    played.plays(MESSAGES["content-length"])
    await _whole(first)
    first.close()
    second = played.ask()
    played.plays(ends=True)
    with pytest.raises(Stale):
        await second.head(within=PATIENT)


@pytest.mark.parametrize("came", [b"H", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-le"])
async def test_a_kept_connection_that_began_to_answer_has_failed(came: bytes) -> None:
    """Once a byte has come the upstream was at work: that is no stale connection."""
    played = _Played()
    first = played.ask()
    played.plays(MESSAGES["content-length"])
    await _whole(first)
    first.close()
    second = played.ask()
    played.plays(came, ends=True)
    with pytest.raises(UpstreamError):
        await second.head(within=PATIENT)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", id="another answer"),
        pytest.param(b"garbage", id="garbage"),
        pytest.param(b"\r\n\r\nHTTP/1.1 200 OK\r\n", id="the beginning of another answer"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["in one piece", "after it"])
async def test_what_nobody_asked_for_ends_the_connection(extra: bytes, *, together: bool) -> None:
    """Bytes after an answer belong to no request: they are in no answer, and the connection is not used again."""
    played = _Played()
    response = played.ask()
    if together:
        played.plays(MESSAGES["content-length"] + extra)
    else:
        played.plays(MESSAGES["content-length"], extra)
    assert await _whole(response) == (200, "one", b"hello")
    response.close()
    assert (played.keeper.kept, played.wire.aborted) == ([], True)


async def test_a_server_that_answers_as_soon_as_it_has_accepted_is_heard() -> None:
    """A server that is full says so without waiting for a request; on a new connection that is the answer."""
    played = _Played()
    played.plays(MESSAGES["content-length"])
    response = played.ask()
    assert await _whole(response) == (200, "one", b"hello")


async def test_a_connection_that_ends_as_soon_as_it_is_there_takes_no_request() -> None:
    """A request cannot be sent where nothing is any more; whoever sends it is told before it is sent."""
    played = _Played()
    played.plays(ends=True)
    with pytest.raises(Stale):
        played.ask()
    assert played.wire.written == b""


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\n", id="connection: close"),
        pytest.param(b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\n", id="HTTP/1.0"),
    ],
)
async def test_a_connection_that_is_not_to_be_kept_is_not(head: bytes) -> None:
    """What the upstream says of its connection counts."""
    played = _Played()
    response = played.ask()
    played.plays(head + b"hello")
    assert (await _whole(response))[2] == b"hello"
    response.close()
    assert (played.keeper.kept, played.wire.aborted) == ([], True)


async def test_closing_twice_gives_back_once() -> None:
    """A connection is never in the pool twice, where two requests would share it."""
    played = _Played()
    response = played.ask()
    played.plays(MESSAGES["content-length"])
    await _whole(response)
    response.close()
    response.let_go()
    response.close()
    assert played.keeper.kept == [played.connection]


async def test_letting_go_keeps_the_connection_once_the_end_has_come() -> None:
    """After the last event nothing matters but the end of the body; with it the connection can be kept."""
    played = _Played()
    response = played.ask()
    played.plays(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
    assert await response.chunk(within=PATIENT) == b"hello"
    response.let_go()
    assert played.keeper.kept == []
    played.plays(b"4\r\nrest\r\n0\r\n\r\n")
    assert played.keeper.kept == [played.connection]


async def test_unread_pieces_stop_the_upstream_and_reading_lets_it_go_on() -> None:
    """Beyond the high water mark nothing more is taken in; the upstream may go on when most of it was read."""
    played = _Played()
    response = played.ask()
    played.plays(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    for _ in range(5):
        played.plays(b"x" * 65536)
    assert not played.wire.reading
    await response.chunk(within=PATIENT)
    assert played.wire.reading


async def test_an_answer_given_up_leaves_its_connection_reading() -> None:
    """A connection goes back to the pool able to read, whatever was left unread of the answer before."""
    played = _Played()
    response = played.ask()
    played.plays(b"HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\n" + b"x" * 500_000)
    assert not played.wire.reading
    with pytest.raises(UpstreamError):
        await response.read(limit=10, within=PATIENT)
    response.close()
    assert (played.keeper.kept, played.wire.reading) == ([played.connection], True)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(b"HTTP/1.1 401 No\r\ncontent-length: 1\r\n\r\nx", id="another answer"),
        pytest.param(b"HTTP/1.1 401 No\r\nx-thing: ", id="the beginning of another answer"),
        pytest.param(b"garbage", id="garbage"),
        pytest.param(b"H", id="a byte"),
    ],
)
async def test_what_follows_an_answer_that_was_let_go_ends_the_connection(extra: bytes) -> None:
    """Nobody reads it any more, and still what comes in one piece with its end reaches no other caller."""
    played = _Played()
    response = played.ask()
    played.plays(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
    response.let_go()
    played.plays(b"0\r\n\r\n" + extra)
    assert (played.keeper.kept, played.wire.aborted) == ([], True)


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        pytest.param(b"2\r\n{}\r\n0\r\nx-long: ", b"a" * 4096, id="one trailer without an end"),
        pytest.param(b"2\r\n{}\r\n0\r\n", b"x: y\r\n" * 512, id="trailers without an end"),
        pytest.param(b"2;ext=", b"a" * 4096, id="an extension without an end"),
    ],
)
async def test_what_is_neither_head_nor_body_is_bounded(begun: bytes, more: bytes) -> None:
    """An upstream cannot fill the memory with what no caller will ever see."""
    played = _Played()
    response = played.ask()
    played.plays(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + begun)
    for _ in range(32):
        played.plays(more)
    with pytest.raises(UpstreamError) as caught:
        await response.read(limit=100, within=PATIENT)
    assert (caught.value.failure.kind, played.wire.aborted) == (FailureKind.INVALID_RESPONSE, True)


async def test_a_long_stream_of_small_pieces_is_not_too_long() -> None:
    """The bound on what is neither head nor body is one between two pieces of the body."""
    played = _Played()
    response = played.ask()
    played.plays(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(40_000):
        played.plays(b"1\r\nx\r\n")
    played.plays(b"0\r\n\r\n")
    assert await response.read(limit=50_000, within=PATIENT) == b"x" * 40_000


@pytest.mark.parametrize(
    "wait",
    [
        pytest.param(lambda response: response.head(within=0.01), id="head"),
        pytest.param(lambda response: response.chunk(within=0.01), id="piece"),
        pytest.param(lambda response: response.read(limit=9, within=0.01), id="body"),
        pytest.param(lambda response: response.head(within=0.0), id="no time at all"),
        pytest.param(lambda response: response.head(within=-1.0), id="too late already"),
    ],
)
async def test_waiting_ends(wait: Callable[[Response], object]) -> None:
    """Every wait ends by itself."""
    response = _Played().ask()
    with pytest.raises(TimeoutError):
        await wait(response)  # type: ignore[misc] # each is awaitable


async def test_a_short_wait_after_a_long_one_is_short() -> None:
    """The timer of a long wait does not make the next wait long, nor the other way round."""
    played = _Played()
    response = played.ask()
    long = asyncio.create_task(response.head(within=PATIENT))
    await asyncio.sleep(0)
    played.plays(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
    await long
    with pytest.raises(TimeoutError):
        await response.chunk(within=0.01)
    later = asyncio.create_task(response.chunk(within=PATIENT))
    await asyncio.sleep(0.03)
    played.plays(b"hello")
    assert await later == b"hello"


async def test_others_have_their_turn_while_much_is_unpacked() -> None:
    """A few kilobytes can stand for gigabytes: between two pieces of them the loop goes round."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    bomb = gzip.compress(bytes(32 * 1024 * 1024))
    played = _Played()
    response = played.ask()
    played.plays(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb), bomb)
    await response.head(within=PATIENT)
    task = asyncio.create_task(others())
    assert 32 * 1024 * 1024 == len(await response.read(limit=64 * 1024 * 1024, within=PATIENT))
    task.cancel()
    assert turns > 100
