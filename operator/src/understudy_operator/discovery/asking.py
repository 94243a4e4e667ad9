"""One question to one server: which models have you? With the provider's own key, headers and trust.

The addresses are users' own, so that nothing here goes further than they say: redirects are not followed, what comes
back is bounded in size and time, and of it only models' names and numbers are kept, never an error's text.

Of a Service with several endpoints one is asked, whichever its name leads to: they are replicas of one deployment.
"""

import asyncio
import ssl
from dataclasses import replace
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from understudy_api.config import TLS
from understudy_api.v1alpha1.provider import ProviderType
from understudy_operator.compile.discovered import MAX_MODELS, Discovered, DiscoveredModel, Inquiry
from understudy_operator.discovery.answers import (
    NoList,
    Props,
    read_list,
    read_llama_cpp,
    read_props,
    read_show,
    read_tags,
)
from understudy_operator.discovery.lookups import Lookups
from understudy_operator.together import together

ANSWER_SECONDS = 10.0
"""All that is asked of one server, together."""
_MAX_ANSWER_BYTES = 4 * 1024 * 1024
_MAX_ASKED_AT_ONCE = 64
"""Servers; the others wait their turn. So many that do not answer cost the rest ten seconds, not minutes."""
_MAX_SHOWN_AT_ONCE = 4
"""Models of one Ollama."""
_WITHOUT = frozenset({404, 405, 501})
"""Statuses that mean: this server has no such path."""
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "understudy"}


class NoAnswer(Exception):
    """A server that did not say what it has; the message ends a sentence about it, the same one each time."""


class _Status(NoAnswer):
    def __init__(self, status: int, path: str) -> None:
        super().__init__(f"answers {path} with HTTP {status}{_remedy(status)}")
        self.status = status


class Servers:
    """Asks servers; to be entered before and left after."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._lookups = Lookups()
        self._turns = asyncio.Semaphore(_MAX_ASKED_AT_ONCE)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._lookups),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers=_HEADERS,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        await self._lookups.close()

    async def ask(self, inquiry: Inquiry, before: Discovered | None) -> Discovered:
        """What the server has now.

        Args:
            inquiry: The server, and how to ask it.
            before: What was known of it; what cannot have changed is not asked again.

        Raises:
            NoAnswer: It did not say.
        """
        if self._session is None:
            raise RuntimeError("not entered")
        async with self._turns:
            question = _Question(self._session, inquiry)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await question.answer(before)
            except TimeoutError:
                raise NoAnswer(f"does not answer within {ANSWER_SECONDS:g}s") from None
            except NoList:
                raise NoAnswer("answers without a list of models: is its type right?") from None


class _Question:
    """What is asked of one server."""

    def __init__(self, session: aiohttp.ClientSession, inquiry: Inquiry) -> None:
        self._session = session
        self._inquiry = inquiry

    async def answer(self, before: Discovered | None) -> Discovered:
        match self._inquiry.type:
            case ProviderType.OLLAMA:
                return self._found(await self._ollama(before))
            case ProviderType.LLAMA_CPP:
                return await self._llama_cpp()
            case _:
                return self._found(read_list(await self._get("/models")))

    async def _llama_cpp(self) -> Discovered:
        document = await self._get("/models")
        props = await self._props()
        found = read_llama_cpp(document, props)
        return replace(self._found(found), any_name=len(found) == 1 and not props.router, slots=props.slots)

    async def _props(self) -> Props:
        """At the root of the server, which older ones do not have."""
        try:
            return read_props(await self._get("/props", base=self._inquiry.base_url.removesuffix("/v1")))
        except _Status as error:
            if error.status in _WITHOUT:
                return Props()
            raise

    async def _ollama(self, before: Discovered | None) -> tuple[DiscoveredModel, ...]:
        known = {model.id: model for model in (before.models if before else None) or () if model.version}
        turns = asyncio.Semaphore(_MAX_SHOWN_AT_ONCE)

        async def shown(model: DiscoveredModel) -> DiscoveredModel:
            last = known.get(model.id)
            if last is not None and last.version == model.version:
                return last
            async with turns:
                return await self._show(model)

        listed = read_tags(await self._get("/api/tags"))
        return (*await together(shown(model) for model in listed[:MAX_MODELS]), *listed[MAX_MODELS:])

    async def _show(self, model: DiscoveredModel) -> DiscoveredModel:
        """With what it tells of itself; a model deleted meanwhile, or too new for it, stays without."""
        try:
            return read_show(model, await self._call("POST", "/api/show", {"model": model.id}))
        except _Status:
            return replace(model, version="")

    def _found(self, models: tuple[DiscoveredModel, ...]) -> Discovered:
        left_out = max(0, len(models) - MAX_MODELS)
        return Discovered(self._inquiry.base_url, models=models[:MAX_MODELS], left_out=left_out)

    async def _get(self, path: str, *, base: str | None = None) -> Any:
        return await self._call("GET", path, None, base=base)

    async def _call(self, method: str, path: str, body: Any, *, base: str | None = None) -> Any:
        inquiry = self._inquiry
        try:
            async with self._session.request(
                method,
                f"{inquiry.base_url if base is None else base}{path}",
                json=body,
                headers=dict(inquiry.headers),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=inquiry.connect_seconds),
                ssl=_trust(inquiry.tls),
                server_hostname=inquiry.tls.server_name if inquiry.tls else None,
            ) as response:
                if response.status != 200:
                    raise _Status(response.status, path)
                return orjson.loads(await _read(response))
        except orjson.JSONDecodeError:
            raise NoAnswer(f"answers {path} with what is not JSON") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswer(_plainly(error)) from error


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            raise NoAnswer(f"answers with more than {_MAX_ANSWER_BYTES // 1024**2} MiB")
    return bytes(body)


def _plainly(error: Exception) -> str:
    """What kind of failure it is. Its own words hold addresses and numbers that change, and maybe more."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "has a name that does not resolve"
        case aiohttp.ClientConnectorCertificateError():
            return "has a certificate that is not trusted: see spec.tls"
        case aiohttp.ClientSSLError():
            return "fails in the TLS handshake"
        case TimeoutError():  # also aiohttp's
            return "cannot be connected to in time"
        case aiohttp.ClientConnectorError():
            return "cannot be connected to"
        case _:
            return "does not answer in HTTP as it should"


def _remedy(status: int) -> str:
    if status in {401, 403}:
        return ": check spec.auth"
    if status == 404:
        return ": is its address right, and its type?"
    return ", and redirects are not followed" if 300 <= status < 400 else ""


def _trust(tls: TLS | None) -> ssl.SSLContext | bool:
    return True if tls is None or tls.ca_pem is None else _trusting(tls.ca_pem)


@lru_cache(maxsize=64)  # reading the system's trust store takes tens of milliseconds
def _trusting(ca_pem: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=ca_pem)
    return context
