"""Parts of a client's message: text, pictures, sound, files."""

import re
from collections.abc import Mapping
from mimetypes import guess_type
from typing import Any, NamedTuple

from understudy_proxy.dialects.canonical.content import Audio, Document, Image, Text
from understudy_proxy.dialects.fields import (
    invalid,
    mapping,
    missing,
    optional_string,
    shown,
    string,
    unknown,
    wrong_type,
)
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.dialects.tools import read_cache_mark

UserContent = Text | Image | Audio | Document
_MAX_MEDIA_TYPE = 256
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_AUDIO_TYPES = {"audio/mpeg": "audio/mp3", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav"}
"""Names that one thing has beside the one used here."""
_PDF = "application/pdf"


class _Data(NamedTuple):
    """What a data URI holds: base64 `data` of a media type."""

    media_type: str | None
    data: str


def read_user_content(content: Any, param: str) -> list[UserContent]:
    """What a user says."""
    if type(content) is str:
        return [Text(content)]
    if type(content) is not list:
        raise _no_content(content, param)
    parts = ((mapping(part, f"{param}[{index}]"), f"{param}[{index}]") for index, part in enumerate(content))
    return [_user_part(part, path) for part, path in parts]


def read_texts(content: Any, param: str) -> list[Text]:
    """What can be said in text alone: a system prompt."""
    texts: list[Text] = []
    for part in read_user_content(content, param):
        if not isinstance(part, Text):
            raise RequestError(f"Invalid value for '{param}': only text parts are allowed here.", param=param)
        texts.append(part)
    return texts


def read_result(content: Any, param: str) -> tuple[Text | Image | Document, ...]:
    """What a tool returned; nothing for null and for empty words."""
    said: list[Text | Image | Document] = []
    for part in () if content is None else read_user_content(content, param):
        if isinstance(part, Audio):
            raise Unsupported("Sound in a tool's result can be put to no provider of another dialect.", param=param)
        if not (isinstance(part, Text) and not part.text):
            said.append(part)
    return tuple(said)


def _user_part(part: Mapping[str, Any], param: str) -> UserContent:
    match part.get("type"):
        case "text":
            return Text(string(part.get("text"), f"{param}.text"), read_cache_mark(part))
        case "image_url":
            return _image(part, param)
        case "input_audio":
            return _audio(mapping(part.get("input_audio"), f"{param}.input_audio"), f"{param}.input_audio")
        case "file":
            return _file(part, param)
        case None:
            raise missing(f"{param}.type")
        case kind:
            raise unknown(f"{param}.type", kind, "'text', 'image_url', 'input_audio' and 'file'")


def _image(part: Mapping[str, Any], param: str) -> Image | Document:
    """A picture; some clients give the URL where an object with it belongs, and some give a PDF for a picture."""
    image = part.get("image_url")
    path = f"{param}.image_url"
    if type(image) is str:
        image = {"url": image}
    elif type(image) is not dict:
        raise missing(path) if image is None else wrong_type(path, "an object", image)
    url = string(image.get("url"), f"{path}.url")
    cache = read_cache_mark(part)
    if _is_remote(url):
        return Image(url=url, detail=optional_string(image, "detail", path), cache=cache)
    media_type, data = _data(url, f"{path}.url")
    if media_type == _PDF:
        return Document(media_type, data, cache=cache)
    return Image(media_type, data, detail=optional_string(image, "detail", path), cache=cache)


def _audio(audio: Mapping[str, Any], param: str) -> Audio:
    data, kind = string(audio.get("data"), f"{param}.data"), string(audio.get("format"), f"{param}.format")
    if data.startswith("data:"):
        data = _data(data, f"{param}.data").data
    media_type = f"audio/{kind.lower()}"
    if _MEDIA_TYPE.fullmatch(media_type) is None:
        raise invalid(f"{param}.format", f"expected 'wav' or 'mp3', but got {shown(kind)}.")
    return Audio(_AUDIO_TYPES.get(media_type, media_type), data)


def _file(part: Mapping[str, Any], param: str) -> UserContent:
    path = f"{param}.file"
    file = mapping(part.get("file"), path)
    if file.get("file_data") is None and file.get("file_id") is not None:
        raise Unsupported(
            f"{path}.file_id names a file that only the provider has to which it was uploaded: send 'file_data'.",
            param=f"{path}.file_id",
        )
    said = string(file.get("file_data"), f"{path}.file_data")
    title = optional_string(file, "filename", path)
    cache = read_cache_mark(part)
    if _is_remote(said):
        return Document(_guessed(title or said), url=said, title=title, cache=cache)
    stated, data = _data(said, f"{path}.file_data") if said.startswith("data:") else _Data(None, said)
    media_type = stated or _guessed(title)
    if media_type.startswith("image/"):
        return Image(media_type, data, cache=cache)
    if media_type.startswith("audio/"):
        return Audio(_AUDIO_TYPES.get(media_type, media_type), data)
    return Document(media_type, data, title=title, cache=cache)


def _guessed(name: str | None) -> str:
    """The media type that a file's name speaks for; a PDF where it speaks for none, as OpenAI takes nothing else."""
    return (guess_type(name)[0] if name else None) or _PDF


def _is_remote(url: str) -> bool:
    return url[:8].lower().startswith(("http://", "https://"))


def _data(uri: str, param: str) -> _Data:
    """The media type, without its parameters, and the base64 of a data URI."""
    head, comma, _ = uri[:_MAX_MEDIA_TYPE].partition(",")
    scheme, _, kind = head.partition(":")
    if scheme.lower() != "data" or not comma:
        raise invalid(param, f"expected an http or https URL or a base64 data URI, but got {shown(uri)}.")
    media_type, *parameters = kind.split(";")
    if not parameters or parameters[-1].strip().lower() != "base64":
        raise invalid(param, "a data URI must be in base64: 'data:image/png;base64,...'.")
    media_type = media_type.strip().lower()
    if media_type and _MEDIA_TYPE.fullmatch(media_type) is None:
        raise invalid(param, f"{shown(media_type)} is no media type.")
    return _Data(media_type or None, uri[len(head) + 1 :])


def _no_content(content: Any, param: str) -> RequestError:
    return missing(param) if content is None else wrong_type(param, "a string or an array of content parts", content)
