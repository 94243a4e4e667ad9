"""Carries out a `Delivery` on a connection: the only module that touches sockets.

What is to be sent, when, and how it ends is decided in `delivery`.
"""

import asyncio
import socket
from http import HTTPStatus
from struct import pack

from aiohttp import web

from understudy.mock.delivery import Delivery, Ending
from understudy.mock.records import Recorded

# No client waits longer, and a forgotten one does not keep its connection for ever.
_LONGEST_STALL_SECONDS = 3600.0
# Enough steps that a reader sees many small reads, few enough that their timing stays exact.
_HEAD_STEPS = 20
# How often to look whether the kernel has taken what was written.
_FLUSH_CHECK_SECONDS = 0.001


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
    # A reset throws away what has not left yet, so what was written has to leave first.
    while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(_FLUSH_CHECK_SECONDS)
    connection = transport.get_extra_info("socket")
    # Lingering for no time makes the kernel send RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
    transport.abort()


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
