"""A client's request for an answer, read once: enough of it to route, the rest left as it is.

`/api/chat` and `/api/generate` differ in where the words are. The estimate of input tokens is that of
`dialects/openai/request.py`.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy_api.config import Capability
from understudy_proxy.dialects.fields import array, boolean, integer, mapping, missing, string, wrong_type
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.ollama.clock import SYSTEM, Clock
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.routing.need import BYTES_PER_TOKEN, Need

_MAX_DETAIL = 120
_IMAGE_TOKENS = 1000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OllamaRequest(Asked):
    """A request for an answer."""

    generate: bool
    """Of `/api/generate`: words without roles."""
    clock: Clock
    began: int
    """When it came, by `clock.elapsed`."""

    @property
    def thoughts(self) -> bool:
        """The client has nothing against reading the reasoning."""
        return self.body.get("think") is not False


def read_chat(raw: bytes, *, clock: Clock = SYSTEM) -> OllamaRequest:
    """Read the body of `/api/chat`.

    Raises:
        RequestError: it is not one.
    """
    body = read_object(raw)
    messages = [mapping(one, f"messages[{place}]") for place, one in enumerate(array(body.get("messages"), "messages"))]
    images = [image for message in messages for image in _images(message)]
    return _asked(raw, body, images, clock, generate=False)


def read_generate(raw: bytes, *, clock: Clock = SYSTEM) -> OllamaRequest:
    """Read the body of `/api/generate`.

    Raises:
        RequestError: it is not one.
    """
    body = read_object(raw)
    return _asked(raw, body, _images(body), clock, generate=True)


def read_object(raw: bytes) -> dict[str, Any]:
    """The object that a body is.

    Raises:
        RequestError: it is none.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"The body is not JSON: {str(error)[:_MAX_DETAIL]}.") from None
    return mapping(body, "body")


def model_in(body: dict[str, Any]) -> str:
    """The model that a body names; older clients call it `name`."""
    model = body.get("model") or body.get("name")
    if not model:
        raise missing("model")
    return string(model, "model")


def _asked(raw: bytes, body: dict[str, Any], images: list[Any], clock: Clock, *, generate: bool) -> OllamaRequest:
    # An answer is a stream unless the client wants none.
    stream = body.get("stream")
    streams = True if stream is None else boolean(stream, "stream")
    capabilities = {Capability.CHAT}
    if streams:
        capabilities.add(Capability.STREAMING)
    if body.get("tools"):
        capabilities.add(Capability.TOOLS)
    if images:
        capabilities.add(Capability.VISION)
    if type(body.get("format")) is dict:
        capabilities.add(Capability.JSON_SCHEMA)
    image_bytes = sum(len(image) for image in images if type(image) is str)
    return OllamaRequest(
        body=body,
        model=model_in(body),
        need=Need(
            capabilities=frozenset(capabilities),
            input_tokens=max(0, len(raw) - image_bytes) // BYTES_PER_TOKEN + _IMAGE_TOKENS * len(images),
            stream=streams,
            max_output_tokens=max_tokens(read_options(body)),
        ),
        stream=streams,
        generate=generate,
        clock=clock,
        began=clock.elapsed(),
    )


def read_options(body: dict[str, Any]) -> dict[str, Any]:
    """The `options` of a request."""
    options = body.get("options")
    return {} if options is None else mapping(options, "options")


def max_tokens(options: dict[str, Any]) -> int | None:
    """How long an answer may be; zero and less stand for no bound."""
    tokens = options.get("num_predict")
    if tokens is None:
        return None
    bound = integer(tokens, "options.num_predict")
    return bound if bound > 0 else None


def _images(message: dict[str, Any]) -> list[Any]:
    images = message.get("images")
    if images is not None and type(images) is not list:
        raise wrong_type("images", "an array of strings", images)
    return images or []
