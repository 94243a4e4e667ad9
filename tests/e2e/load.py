"""A steady load from inside the cluster, to prove that nobody notices what happens behind the gateway.

Runs in a pod: `python load.py URL MODEL...`. Several callers ask for whole answers and several for streams, of one
model after the other, each as soon as its last answer has ended, until SIGTERM. Once it is under way it says `begun`;
at the end one line of JSON tells what they saw. A request fails when its status is not 200, its body is not a whole
answer, or its stream ends without `[DONE]`; the first failures are kept word for word.
"""

import asyncio
import itertools
import json
import signal
import sys
import time
from dataclasses import dataclass, field

import aiohttp

WHOLE_CALLERS, STREAM_CALLERS = 4, 4
PAUSE_SECONDS = 0.02
"""Between two requests of one caller: a steady load, not a stress test on the two cores of a test machine."""
UNDER_WAY = 50
KEPT_FAILURES = 20


class Broken(Exception):
    """An answer that is none; the message says why."""


@dataclass(slots=True)
class Tally:
    """What all callers saw together.

    Attributes:
        whole: Good whole answers.
        streams: Good streams.
        failed: Requests without a good answer.
        failures: The words of the first of them.
        providers: How many answers came from whom.
        revisions: Of each model and each revision of its prompt, how often each text was said.
        slowest_seconds: The longest request.
    """

    whole: int = 0
    streams: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    providers: dict[str, int] = field(default_factory=dict)
    revisions: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    slowest_seconds: float = 0.0

    def answer(self, model: str, heard: "Heard", *, stream: bool) -> None:
        """Count a good one."""
        if stream:
            self.streams += 1
        else:
            self.whole += 1
        self.providers[heard.provider] = self.providers.get(heard.provider, 0) + 1
        texts = self.revisions.setdefault(model, {}).setdefault(heard.revision, {})
        texts[heard.said] = texts.get(heard.said, 0) + 1
        if self.whole + self.streams == UNDER_WAY:
            say("begun")

    def failure(self, what: str) -> None:
        """Count one, and keep its words while there is room."""
        self.failed += 1
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(f"{time.strftime('%H:%M:%S')} {what}"[:500])

    def report(self) -> str:
        """One line of JSON."""
        shown = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps({**shown, "slowest_seconds": round(self.slowest_seconds, 3)})


@dataclass(frozen=True, slots=True)
class Heard:
    """A good answer: who gave it, by which revision of a persona's prompt, and what it says."""

    provider: str
    revision: str
    said: str


def body(model: str, *, stream: bool) -> dict[str, object]:
    """One request."""
    question = {"role": "user", "content": "Tell me something about understudies."}
    return {"model": model, "messages": [question], "stream": stream}


async def ask(session: aiohttp.ClientSession, url: str, model: str, *, stream: bool) -> Heard:
    """One request; raises Broken where what comes is no good answer."""
    async with session.post(f"{url}/chat/completions", json=body(model, stream=stream)) as answer:
        text = await answer.text()
        provider = answer.headers.get("x-understudy-provider", "")
        if answer.status != 200:
            raise Broken(f"by {provider or 'nobody'}: status {answer.status}: {text}")
        said = streamed(text) if stream else json.loads(text)["choices"][0]["message"]["content"]
        if not said:
            raise Broken(f"by {provider}: an empty answer: {text}")
        return Heard(provider, answer.headers.get("x-understudy-persona-revision", ""), said)


def streamed(text: str) -> str:
    """What a stream says; raises Broken where it has no end."""
    if not text.endswith("data: [DONE]\n\n"):
        raise Broken(f"a stream without end: …{text[-300:]}")
    events = [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n")[:-2]]
    return "".join(each["delta"].get("content") or "" for event in events for each in event["choices"])


async def caller(
    session: aiohttp.ClientSession, url: str, models: list[str], tally: Tally, stop: asyncio.Event, *, stream: bool
) -> None:
    """Ask until told to stop."""
    for model in itertools.cycle(models):
        if stop.is_set():
            return
        started = time.perf_counter()
        try:
            tally.answer(model, await ask(session, url, model, stream=stream), stream=stream)
        except (Broken, aiohttp.ClientError, TimeoutError, ValueError, LookupError) as error:
            tally.failure(f"{'stream' if stream else 'whole'} of {model}: {type(error).__name__}: {error}")
        tally.slowest_seconds = max(tally.slowest_seconds, time.perf_counter() - started)
        await asyncio.sleep(PAUSE_SECONDS)


def say(line: str) -> None:
    """Write one line to standard output, which is where a pod's log comes from."""
    print(line, flush=True)  # noqa: T201 - the report is the output


async def main(url: str, models: list[str]) -> None:
    """Load until SIGTERM, then report."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tally = Tally()
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as callers:
        for number in range(WHOLE_CALLERS + STREAM_CALLERS):
            callers.create_task(caller(session, url, models, tally, stop, stream=number >= WHOLE_CALLERS))
    say(tally.report())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
