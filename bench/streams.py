"""A load of streams: N connections that each ask for one stream after the other and count its events.

Run as a process of its own, pinned away from the program under test: `python bench/streams.py PORT CONNECTIONS SECONDS`
prints one line of JSON with streams, events, failures and milliseconds to the first event.
"""

import asyncio
import json
import statistics
import sys
import time

BODY = b'{"model":"chat","messages":[{"role":"user","content":"tell me a story"}],"stream":true}'
REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer bench\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


class Tally:
    """What all connections saw together."""

    def __init__(self) -> None:
        self.streams = 0
        self.events = 0
        self.failures = 0
        self.first_event_ms: list[float] = []


async def one_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tally: Tally) -> None:
    """Ask once and read to the end of the chunked body."""
    started = time.perf_counter()
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(head.split(b"\r\n", 1)[0].decode())
    first, tail = True, b""
    while not tail.endswith(b"0\r\n\r\n"):
        data = await reader.read(65536)
        if not data:
            raise ConnectionError("the stream was cut")
        if first:
            tally.first_event_ms.append((time.perf_counter() - started) * 1000)
            first = False
        tally.events += data.count(b"data: ")
        tail = (tail + data)[-16:]
    tally.streams += 1


async def connection(port: int, until: float, tally: Tally) -> None:
    """One client that asks until the time is up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.perf_counter() < until:
            await one_stream(reader, writer, tally)
    except (ConnectionError, asyncio.IncompleteReadError):
        tally.failures += 1
    finally:
        writer.close()


async def main(port: int, connections: int, seconds: float) -> None:
    """Run the load and print what came of it."""
    tally = Tally()
    until = time.perf_counter() + seconds
    await asyncio.gather(*(connection(port, until, tally) for _ in range(connections)))
    firsts = tally.first_event_ms or [float("nan")]
    result = {
        "streams": tally.streams,
        "events": tally.events,
        "failures": tally.failures,
        "first_event_ms_p50": round(statistics.median(firsts), 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
