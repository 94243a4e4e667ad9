"""A steady load from inside the cluster, to prove that nobody notices what happens behind the gateway.

Runs in a pod: `python load.py URL`. Several callers ask for whole answers and several for streams, each as soon as its
last answer has ended, until SIGTERM; then one line of JSON on stdout tells what they saw. A request fails when its
status is not 200, its body is not a whole answer, or its stream ends without `[DONE]`; the first failures are kept
word for word.
"""

import asyncio
import json
import signal
import sys
import time

import aiohttp

WHOLE_CALLERS, STREAM_CALLERS = 4, 4
PAUSE_SECONDS = 0.02
"""Between two requests of one caller: a steady load, not a stress test on the two cores of a test machine."""
KEPT_FAILURES = 20


class Tally:
    """What all callers saw together."""

    def __init__(self) -> None:
        self.whole = 0
        self.streams = 0
        self.failures: list[str] = []
        self.failed = 0
        self.providers: dict[str, int] = {}
        self.slowest_seconds = 0.0

    def failure(self, what: str) -> None:
        """Count one, and keep its words while there is room."""
        self.failed += 1
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(f"{time.strftime('%H:%M:%S')} {what}"[:500])

    def report(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "whole": self.whole,
                "streams": self.streams,
                "failed": self.failed,
                "failures": self.failures,
                "providers": self.providers,
                "slowest_seconds": round(self.slowest_seconds, 3),
            }
        )


def body(*, stream: bool) -> dict[str, object]:
    """One request."""
    question = {"role": "user", "content": "Tell me something about understudies."}
    return {"model": "chat", "messages": [question], "stream": stream}


async def ask(session: aiohttp.ClientSession, url: str, *, stream: bool) -> tuple[str | None, str]:
    """One request; its failure, if it is one, and who answered."""
    async with session.post(f"{url}/chat/completions", json=body(stream=stream)) as answer:
        text = await answer.text()
        provider = answer.headers.get("x-understudy-provider", "")
        if answer.status != 200:
            return f"status {answer.status}: {text}", provider
        if stream:
            return None if text.endswith("data: [DONE]\n\n") else f"a stream without end: …{text[-300:]}", provider
        content = json.loads(text)["choices"][0]["message"]["content"]
        return None if content else f"an empty answer: {text}", provider


async def caller(session: aiohttp.ClientSession, url: str, tally: Tally, stop: asyncio.Event, *, stream: bool) -> None:
    """Ask until told to stop."""
    while not stop.is_set():
        started = time.perf_counter()
        try:
            failure, provider = await ask(session, url, stream=stream)
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError) as error:
            failure, provider = f"{type(error).__name__}: {error}", ""
        tally.slowest_seconds = max(tally.slowest_seconds, time.perf_counter() - started)
        if failure is not None:
            tally.failure(f"{'stream' if stream else 'whole'} by {provider or 'nobody'}: {failure}")
        elif stream:
            tally.streams += 1
        else:
            tally.whole += 1
        tally.providers[provider] = tally.providers.get(provider, 0) + 1
        await asyncio.sleep(PAUSE_SECONDS)


async def main(url: str) -> None:
    """Load until SIGTERM, then report."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tally = Tally()
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as callers:
        for number in range(WHOLE_CALLERS + STREAM_CALLERS):
            callers.create_task(caller(session, url, tally, stop, stream=number >= WHOLE_CALLERS))
    print(tally.report(), flush=True)  # noqa: T201 - the report is the output


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
