"""Pictures, sound and files as Gemini takes them: base64 with its type, or an address with its type."""

from typing import Any
from urllib.parse import urlsplit

from understudy_proxy.dialects.canonical.content import Audio, Document, Image
from understudy_proxy.dialects.request_error import Unsupported

_TYPES = {
    "aac": "audio/aac",
    "csv": "text/csv",
    "flac": "audio/flac",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "md": "text/markdown",
    "mov": "video/quicktime",
    "mp3": "audio/mp3",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
}
_IMAGE, _FILE = "image/jpeg", "application/pdf"
"""What an address that does not say is taken for: Gemini wants a type with every one."""


def part_of(medium: Image | Audio | Document) -> dict[str, Any]:
    """The part of a content that holds it.

    Raises:
        Unsupported: there is nothing in it that Gemini could read.
    """
    if isinstance(medium, Document) and medium.text is not None:
        return {"text": f"{medium.title}\n\n{medium.text}" if medium.title else medium.text}
    usual = _IMAGE if isinstance(medium, Image) else _FILE
    data: str | None = medium.data
    if data is not None:
        return {"inlineData": {"mimeType": medium.media_type or usual, "data": data}}
    url = medium.url if isinstance(medium, (Image, Document)) else None
    if url is None:
        raise Unsupported("A file that is neither in the request nor at an address cannot be sent to Gemini.")
    return {"fileData": {"mimeType": medium.media_type or guessed(url) or usual, "fileUri": url}}


def guessed(url: str) -> str | None:
    """The type that the ending of an address tells."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return _TYPES.get(path.rpartition(".")[2].lower())
