"""Stands between an app and a gateway, passes on all bytes as they are, and tells what credentials came with what.

Runs in a pod: `python ear.py PORT HOST HOST_PORT`. After each connection it prints one line of JSON for each request
that came by it: its path and its Authorization header.
"""

import asyncio
import json
import re
import sys
from functools import partial

REQUEST = re.compile(rb"(?:GET|POST) (\S+) HTTP/1\.1\r\n((?:[^\r\n]+\r\n)+)\r\n")
AUTHORIZATION = re.compile(rb"^authorization: ([^\r\n]+)\r$", re.IGNORECASE | re.MULTILINE)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Until the end of what comes; all of it."""
    heard = b""
    while data := await reader.read(65536):
        heard += data
        writer.write(data)
        await writer.drain()
    writer.write_eof()
    return heard


async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, gateway: tuple[str, int]) -> None:
    """One connection of an app."""
    from_gateway, to_gateway = await asyncio.open_connection(*gateway)
    heard, _ = await asyncio.gather(pass_on(reader, to_gateway), pass_on(from_gateway, writer))
    for path, head in REQUEST.findall(heard):
        found = AUTHORIZATION.search(head)
        line = {"path": path.decode(), "authorization": found[1].decode() if found else None}
        print(json.dumps(line), flush=True)  # noqa: T201 - a pod's log is its output
    to_gateway.close()
    writer.close()


async def main(port: int, host: str, host_port: int) -> None:
    """Listen for ever."""
    server = await asyncio.start_server(partial(connection, gateway=(host, host_port)), port=port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
