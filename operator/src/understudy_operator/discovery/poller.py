"""Asking again and again: one task a server, and what each of them said last.

A server that does not answer keeps what it said before, and what became of it is told with it. What is known of a
provider is forgotten when nobody wants it asked any more.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from understudy_api.config import Config
from understudy_operator.compile import Discovered, DiscoveredModel, Inquiry, NamespacedName
from understudy_operator.discovery.asking import NoAnswer

log = logging.getLogger(__name__)

MIN_SECONDS = 1.0
"""No server is asked more often, whatever the object says."""
_JITTER = 0.2
"""Intervals are drawn from a fifth around what the object says: many servers must not be asked in step."""


Ask = Callable[[Inquiry, Discovered | None], Awaitable[Discovered]]
"""How one server is asked, given what was known of it: `Servers.ask`. Raises `NoAnswer`."""


class Poller:
    """Asks the servers that it is given.

    Attributes:
        known: What each of them said last, by provider; replaced, never changed.
    """

    def __init__(self, ask: Ask, *, changed: Callable[[], None], draw: Callable[[], float] = random.random) -> None:
        """Nothing is asked before `keep`.

        Args:
            ask: Asks one server.
            changed: Called whenever `known` says something else.
            draw: A number from 0 to 1.
        """
        self.known: Mapping[NamespacedName, Discovered] = {}
        self._ask = ask
        self._changed = changed
        self._draw = draw
        self._tasks: dict[NamespacedName, tuple[Inquiry, asyncio.Task[None]]] = {}

    def recall(self, known: Mapping[NamespacedName, Discovered]) -> None:
        """Take over what somebody else knows, where nothing newer is known of the same server."""
        newer = {at: mine for at, mine in self.known.items() if at not in known or mine.base_url == known[at].base_url}
        self.known = {**known, **newer}

    def keep(self, inquiries: Iterable[Inquiry]) -> None:
        """Ask exactly these from now on; new ones, and those with another address or key, at once."""
        wanted = {inquiry.provider: inquiry for inquiry in inquiries}
        for provider in [at for at, (inquiry, _) in self._tasks.items() if wanted.get(at) != inquiry]:
            self._tasks.pop(provider)[1].cancel()
        for provider, inquiry in wanted.items():
            if provider not in self._tasks:
                name = f"discover {provider[0]}/{provider[1]}"
                self._tasks[provider] = inquiry, asyncio.create_task(self._follow(inquiry), name=name)
        self.known = {provider: found for provider, found in self.known.items() if provider in wanted}

    async def close(self) -> None:
        """Ask nobody any more."""
        tasks = [task for _, task in self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, inquiry: Inquiry) -> None:
        while True:
            self._learn(inquiry, await _answer(self._ask, inquiry, self._before(inquiry)))
            seconds = max(MIN_SECONDS, inquiry.interval_seconds)
            await asyncio.sleep(seconds * (1 + _JITTER * (self._draw() - 0.5)))

    def _before(self, inquiry: Inquiry) -> Discovered | None:
        """What was known of the server, unless the provider was elsewhere then."""
        before = self.known.get(inquiry.provider)
        return before if before and before.base_url == inquiry.base_url else None

    def _learn(self, inquiry: Inquiry, found: Discovered) -> None:
        before = self.known.get(inquiry.provider)
        if found == before:
            return
        self.known = {**self.known, inquiry.provider: found}
        self._changed()
        _tell(inquiry, before, found)


async def first_answers(
    ask: Ask, inquiries: Iterable[Inquiry], *, within_seconds: float
) -> Mapping[NamespacedName, Discovered]:
    """What servers say that are asked once, all of them together; without those that take longer."""
    tasks = {inquiry.provider: asyncio.create_task(_answer(ask, inquiry, None)) for inquiry in inquiries}
    if not tasks:
        return {}
    _, late = await asyncio.wait(tasks.values(), timeout=within_seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return {provider: task.result() for provider, task in tasks.items() if task not in late}


def recalled(config: Config) -> Mapping[NamespacedName, Discovered]:
    """What a configuration that is live knows of servers, as if they had said it: the last good word on them.

    A new leader begins with it, so that it never takes out models because it has not asked for them yet.
    """
    return {
        (provider.namespace, provider.name): Discovered(
            provider.base_url,
            models=tuple(
                DiscoveredModel(
                    id=model.upstream_name,
                    name=name,
                    capabilities=model.capabilities,
                    context_window=model.context_window,
                )
                for name, model in sorted(provider.models.items())
            ),
            slots=provider.slots,
        )
        for provider in config.providers.values()
    }


async def _answer(ask: Ask, inquiry: Inquiry, before: Discovered | None) -> Discovered:
    """What the server says; where it says nothing, what was known before, with why it does not."""
    try:
        return await ask(inquiry, before)
    except NoAnswer as error:
        failure = str(error)
    except Exception:
        # Whatever is in an answer must not end the asking.
        log.exception("asking a server for its models failed for a reason that should not be")
        failure = "gives an answer that cannot be read"
    return replace(before or Discovered(inquiry.base_url), failure=failure)


def _tell(inquiry: Inquiry, before: Discovered | None, found: Discovered) -> None:
    """Into the log, where it is more than the same failure or the same list again."""
    where = {"provider": "/".join(inquiry.provider), "url": inquiry.base_url}
    if found.failure and (before is None or before.failure != found.failure):
        log.warning("a server does not say which models it has", extra={**where, "failure": found.failure})
    elif not found.failure:
        log.info("a server has said which models it has", extra={**where, "models": len(found.models or ())})
