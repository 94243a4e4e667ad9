"""The decorator that hands a function a model of the mesh."""

import inspect
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from understudy.agents._addresses import Addresses
from understudy.agents._async_llm import AsyncLLM
from understudy.agents._directory import Directory
from understudy.agents._matching import Wanted
from understudy.agents._sync_llm import LLM
from understudy.client import Clock

R = TypeVar("R")
ANY_LLM: Mapping[str, Any] = {"capability": "llm"}


def llm(
    provider: Mapping[str, Any] = ANY_LLM,
    *,
    parameter: str = "llm",
    registry: str | None = None,
    timeout: float | None = None,
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Hand a function a model that agents offer: an `LLM`, or an `AsyncLLM` where it is a coroutine function.

    Who it is, is looked up when the model is called, and again after a few seconds, so that agents may come and go.
    Whoever calls the function may give it a model of their own.

    Args:
        provider: What is looked for: `capability`, and maybe `tags` (`x` must be there, `+x` is better there, `-x` must
            not be there) and a `version` such as `>=1.0`.
        parameter: What the function calls the model.
        registry: Where agents are listed; else MCP_MESH_REGISTRY_URL, else the gateway.
        timeout: The longest silence, in seconds; else LLM_GATEWAY_TIMEOUT.

    Raises:
        TypeError: `provider` is none, or the function has no such parameter.
    """
    found = _Found(Wanted.of(provider), registry=registry, timeout=timeout)

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        signature = inspect.signature(function)
        if parameter not in signature.parameters or signature.parameters[parameter].kind not in _BY_NAME:
            raise TypeError(f"{getattr(function, '__name__', function)} has no parameter {parameter} for the model")
        wrapped = _wrapped(function, _Injection(parameter, signature, found))
        shown = [each for name, each in signature.parameters.items() if name != parameter]
        wrapped.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined] # as inspect has it
        return wrapped

    return decorate


_BY_NAME = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


class _Found:
    """What all calls of a decorated function share: who is known to be there."""

    def __init__(self, wanted: Wanted, *, registry: str | None, timeout: float | None) -> None:
        self._wanted = wanted
        self._registry = registry
        self._timeout = timeout
        self._directory: Directory | None = None

    @contextmanager
    def llm(self) -> Iterator[LLM]:
        model = LLM(*self._looked_up(), Clock())
        try:
            yield model
        finally:
            model.close()

    @asynccontextmanager
    async def async_llm(self) -> AsyncIterator[AsyncLLM]:
        model = AsyncLLM(*self._looked_up(), Clock())
        try:
            yield model
        finally:
            await model.close()

    def _looked_up(self) -> tuple[Directory, Addresses]:
        """By the environment as it is now: a module may be imported before its configuration is there."""
        addresses = Addresses(os.environ, registry=self._registry, timeout=self._timeout)
        directory = self._directory
        if directory is None or directory.registry != addresses.registry.url:
            self._directory = directory = Directory(addresses.registry.url, self._wanted)
        return directory, addresses


@dataclass(frozen=True, slots=True)
class _Injection:
    """What a function is handed, and as which parameter."""

    parameter: str
    signature: inspect.Signature
    found: _Found

    def is_made(self, given: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
        """Whether the caller gives a model of their own."""
        return self.parameter in self.signature.bind_partial(*given, **named).arguments


def _wrapped(function: Callable[..., Any], injection: _Injection) -> Callable[..., Any]:
    """The function with a model, of the kind that it is of, so that whoever asks what it is gets the same answer."""
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, injection)
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, injection)
    if inspect.isgeneratorfunction(function):
        return _generator(function, injection)
    return _function(function, injection)


def _function(function: Callable[..., R], injection: _Injection) -> Callable[..., R]:
    @wraps(function)
    def call(*given: Any, **named: Any) -> R:
        if injection.is_made(given, named):
            return function(*given, **named)
        with injection.found.llm() as model:
            return function(*given, **named, **{injection.parameter: model})

    return call


def _generator(
    function: Callable[..., Generator[Any, Any, Any]], injection: _Injection
) -> Callable[..., Generator[Any, Any, Any]]:
    @wraps(function)
    def call(*given: Any, **named: Any) -> Generator[Any, Any, Any]:
        if injection.is_made(given, named):
            return (yield from function(*given, **named))
        with injection.found.llm() as model:
            return (yield from function(*given, **named, **{injection.parameter: model}))

    return call


def _coroutine(function: Callable[..., Awaitable[R]], injection: _Injection) -> Callable[..., Awaitable[R]]:
    @wraps(function)
    async def call(*given: Any, **named: Any) -> R:
        if injection.is_made(given, named):
            return await function(*given, **named)
        async with injection.found.async_llm() as model:
            return await function(*given, **named, **{injection.parameter: model})

    return call


def _async_generator(
    function: Callable[..., AsyncGenerator[R, None]], injection: _Injection
) -> Callable[..., AsyncGenerator[R, None]]:
    @wraps(function)
    async def call(*given: Any, **named: Any) -> AsyncGenerator[R, None]:
        if injection.is_made(given, named):
            async with aclosing(function(*given, **named)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        async with (
            injection.found.async_llm() as model,
            aclosing(function(*given, **named, **{injection.parameter: model})) as pieces,
        ):
            async for piece in pieces:
                yield piece

    return call
