"""Carries out a `Delivery` on a connection: the only module that touches sockets.

What is to be sent, when, and how it ends is decided in `delivery`.
"""

import asyncio
import contextlib
import socket
import sys
from http import HTTPStatus
from struct import pack, unpack

from aiohttp import web

from understudy.mock.delivery import Delivery, Ending
from understudy.mock.records import Recorded

if sys.platform == "linux":
    from fcntl import ioctl
    from termios import TIOCOUTQ

# No client waits longer, and a forgotten one does not keep its connection for ever.
_LONGEST_STALL_SECONDS = 3600.0
# Enough steps that a reader sees many small reads, few enough that their timing stays exact.
_HEAD_STEPS = 20
# How often to look whether all that was written has arrived, and how long to wait for a reader that does not read.
_FLUSH_CHECK_SECONDS = 0.001
_LONGEST_FLUSH_SECONDS = 5.0


async def send(request: web.BaseRequest, delivery: Delivery, recorded: Recorded) -> web.StreamResponse:
    """Answer `request`, and note in `recorded` how far that came.

    Returns a response for aiohttp to finish; where the connection was closed on purpose, finishing is a no-op.

    Raises:
        ConnectionError: If the client has left.
    """
    if delivery.wait:
        await asyncio.sleep(delivery.wait)
    if delivery.status is None:
        await _end(request, delivery.ending)
        return web.Response()
    recorded.status = delivery.status
    if delivery.head_time:
        return await _send_slowly(request, delivery, recorded)
    if delivery.length is not None and delivery.ending is Ending.COMPLETE:
        content = b"".join(content for _, content in delivery.chunks)
        recorded.chunks_sent = 1
        return web.Response(status=delivery.status, headers=delivery.headers, body=content)
    response = web.StreamResponse(status=delivery.status, headers=delivery.headers)
    response.content_length = delivery.length
    await response.prepare(request)
    for pause, content in delivery.chunks:
        if pause:
            await asyncio.sleep(pause)
        await response.write(content)
        recorded.chunks_sent += 1
    if delivery.ending is Ending.COMPLETE:
        await response.write_eof()
    else:
        await _end(request, delivery.ending)
    return response


async def _end(request: web.BaseRequest, ending: Ending) -> None:
    """End the connection other than by completing the answer."""
    if ending is Ending.STALL:
        await asyncio.sleep(_LONGEST_STALL_SECONDS)
    transport = request.transport
    if transport is None:
        return
    if ending is not Ending.RESET:
        transport.close()
        return
    connection = transport.get_extra_info("socket")
    # A reset throws away what the other side has not got yet; the chunks before it are to arrive.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_FLUSH_SECONDS):
            while _on_the_way(transport, connection):  # noqa: ASYNC110 - nothing tells of its end
                await asyncio.sleep(_FLUSH_CHECK_SECONDS)
    if not transport.is_closing():
        # Lingering for no time makes the kernel send RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
        transport.abort()


def _on_the_way(transport: asyncio.Transport, connection: socket.socket) -> bool:
    """Whether bytes that were written have not reached the other side's kernel yet."""
    if transport.is_closing():
        return False
    if transport.get_write_buffer_size():
        return True
    if sys.platform != "linux":
        return False
    # What is sent and not acknowledged, SIOCOUTQ, which has the number of TIOCOUTQ: man 7 tcp
    (unacknowledged,) = unpack("i", ioctl(connection.fileno(), TIOCOUTQ, bytes(4)))
    return bool(unacknowledged)


async def _send_slowly(request: web.BaseRequest, delivery: Delivery, recorded: Recorded) -> web.StreamResponse:
    """Send the head in small steps. aiohttp writes a head at once, so it is written past aiohttp here."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("The client has left.")
    head = _head(delivery)
    step = -(-len(head) // _HEAD_STEPS)
    for start in range(0, len(head), step):
        transport.write(head[start : start + step])
        await asyncio.sleep(delivery.head_time / _HEAD_STEPS)
    for pause, content in delivery.chunks:
        if pause:
            await asyncio.sleep(pause)
        transport.write(content)
        recorded.chunks_sent += 1
    transport.close()
    return web.Response()


def _head(delivery: Delivery) -> bytes:
    """Return status line and headers of an answer that ends when the connection does."""
    status = HTTPStatus(delivery.status or 200)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in delivery.headers.items()]
    if delivery.length is not None:
        lines.append(f"content-length: {delivery.length}")
    return "\r\n".join([*lines, "connection: close", "", ""]).encode()
