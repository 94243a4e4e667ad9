"""An answer of the protocol on its way: JSON while there is nothing to tell before it, and a stream from then on."""

import asyncio
from typing import Any, cast

from understudy_proxy.doors.door import Answer, Request
from understudy_proxy.doors.mcp.forms import Forms
from understudy_proxy.doors.mcp.reply import Reply
from understudy_proxy.mcp.messages import KEPT_ALIVE

DONE = {"jsonrpc": "2.0", "id": 1, "result": {}}
SOON = 0.001
NEVER = 3600.0


class Client:
    """A request whose sender keeps what it is sent, and may leave."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.headers: list[tuple[str, str]] = []
        self.ended = False
        self.left = False
        self.heard = asyncio.Event()

    async def begin(self, answer: Answer) -> "Client":
        """The stream begins."""
        self.headers += answer.headers
        await self.write(answer.body)
        return self

    async def write(self, data: bytes) -> None:
        """It goes on."""
        self.heard.set()
        if self.left:
            raise ConnectionResetError
        self.pieces.append(data)

    async def finish(self) -> None:
        """It ends well."""
        self.ended = True


def reply_to(client: Client, *, json: bool = True, stream: bool = True, token: Any = None) -> Reply:
    """The answer to a client that reads these."""
    return Reply(cast("Request", client), Forms(json=json, stream=stream), (("x-a", "b"),), token=token)


async def test_nothing_to_tell() -> None:
    """A whole answer, with its status and headers."""
    client = Client()
    reply = reply_to(client, token=1)
    async with reply.kept_alive(NEVER):
        pass
    answer = await reply.finish(DONE, status=404, headers=(("x-c", "d"),))
    assert answer is not None
    assert (404, (("x-a", "b"), ("x-c", "d")), []) == (answer.status, answer.headers, client.pieces)


async def test_a_client_that_has_to_wait_hears_that_it_is_not_forgotten() -> None:
    """Comments come until the answer does, which is in the stream then, with its headers as they were at its start."""
    client = Client()
    reply = reply_to(client)
    async with reply.kept_alive(SOON), asyncio.timeout(10):
        while len(client.pieces) < 3:
            client.heard.clear()
            await client.heard.wait()
    assert None is await reply.finish(DONE, status=200)
    *comments, last = client.pieces
    assert {KEPT_ALIVE} == set(comments)
    assert last.startswith(b"event: message\ndata: {")
    assert client.ended
    assert ("x-a", "b") in client.headers


async def test_a_client_that_reads_no_stream_just_waits() -> None:
    """There is no word that it would understand."""
    client = Client()
    reply = reply_to(client, stream=False, token=1)
    async with reply.kept_alive(SOON):
        await reply.tell("half")
        assert "mcp-keep-alive" not in {task.get_name() for task in asyncio.all_tasks()}
    answer = await reply.finish(DONE, status=200)
    assert (False, []) == (reply.heard, client.pieces)
    assert answer is not None


async def test_a_client_that_hears_words_needs_no_comment() -> None:
    """Progress is a sign of life, too; what is known of the answer by then is in its headers."""
    client = Client()
    reply = reply_to(client, token="t")
    async with reply.kept_alive(NEVER):
        await reply.tell("half", headers=(("x-c", "d"),))
        await reply.tell("more")
    await reply.finish(DONE, status=200, headers=(("x-late", "e"),))
    assert 3 == len(client.pieces)
    assert {"x-a", "x-c"} <= {name for name, _ in client.headers}
    assert client.pieces[1].endswith(
        b'"method":"notifications/progress","params":{"progressToken":"t","progress":2,"message":"more"}}\n\n'
    )


async def test_a_client_that_left_while_it_waited() -> None:
    """Reminding it fails quietly: whoever does the work hears of it otherwise."""
    client = Client()
    client.left = True
    reply = reply_to(client)
    async with reply.kept_alive(SOON), asyncio.timeout(10):
        await client.heard.wait()
    assert [] == client.pieces
