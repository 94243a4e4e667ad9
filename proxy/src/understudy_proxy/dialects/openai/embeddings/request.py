"""A client's request for vectors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from understudy_proxy.dialects.canonical.embedding import Embedding
from understudy_proxy.dialects.embedding import need_of
from understudy_proxy.dialects.fields import integer, invalid, missing, optional_string, shown, string, wrong_type
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.openai.request import model_in, parse_object

_KNOWN = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
_FORMATS = frozenset({"float", "base64"})
_EXPECTED = "a string, an array of strings, an array of tokens or an array of arrays of tokens"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EmbeddingRequest(Asked):
    """A request for vectors."""

    inputs: tuple[str | tuple[int, ...], ...]
    base64: bool
    """The client wants base64 in the place of numbers."""


def read(raw: bytes, *, model: str | None = None) -> EmbeddingRequest:
    """Read the body of a request; `model` stands in the path where the body's does not count.

    Raises:
        RequestError: it is not one.
    """
    body = parse_object(raw)
    model = model or model_in(body)
    inputs = tuple(_inputs(body.get("input")))
    encoding = body.get("encoding_format")
    if encoding is not None and (type(encoding) is not str or encoding not in _FORMATS):
        raise invalid("encoding_format", f"expected 'float' or 'base64', but got {shown(str(encoding))}.")
    return EmbeddingRequest(
        body=body,
        model=model,
        need=need_of(inputs),
        inputs=inputs,
        base64=encoding == "base64",
    )


def embedding(asked: EmbeddingRequest) -> Embedding:
    """The request in canonical form."""
    body = asked.body
    dimensions = body.get("dimensions")
    return Embedding(
        model=asked.model,
        inputs=asked.inputs,
        dimensions=None if dimensions is None else integer(dimensions, "dimensions"),
        user=optional_string(body, "user", ""),
        extra={name: value for name, value in body.items() if name not in _KNOWN and value is not None},
    )


def _inputs(value: Any) -> Iterator[str | tuple[int, ...]]:
    if type(value) is str:
        yield value
    elif type(value) is not list:
        raise missing("input") if value is None else wrong_type("input", _EXPECTED, value)
    elif not value:
        raise invalid("input", "the array must not be empty.")
    elif type(value[0]) is int:
        yield _tokens_of(value, "input")
    else:
        for index, one in enumerate(value):
            path = f"input[{index}]"
            yield _tokens_of(one, path) if type(one) is list else string(one, path)


def _tokens_of(value: list[Any], param: str) -> tuple[int, ...]:
    if not value:
        raise invalid(param, "the array must not be empty.")
    return tuple(integer(token, f"{param}[{index}]") for index, token in enumerate(value))
