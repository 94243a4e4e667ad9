"""What messages hold besides text: found, checked, and told about."""

from base64 import b64decode
from binascii import Error
from collections import Counter
from collections.abc import Sequence

from understudy.mock.asks import Media, MediaKind
from understudy.mock.failures import bad_request

_PLURAL = {MediaKind.AUDIO: "audio"}


def check_base64(data: object, *, param: str, message: str = "The image data is no valid base64.") -> None:
    """Refuse what no vendor could decode.

    Raises:
        RefusedError: If `data` is no base64 of at least one byte.
    """
    try:
        if isinstance(data, str) and b64decode(data, validate=True):
            return
    except (Error, ValueError):
        pass
    raise bad_request(message, param=param)


def from_url(kind: MediaKind, url: str, *, param: str) -> Media:
    """Return what a URL points to; a `data:` URL is checked, any other is not fetched.

    Raises:
        RefusedError: If it is a `data:` URL without proper base64.
    """
    if not url.startswith("data:"):
        return Media(kind, "by URL")
    head, _, data = url.removeprefix("data:").partition(",")
    media_type, *parameters = head.split(";")
    if "base64" not in parameters:
        raise bad_request("A data URL has to be base64.", param=param)
    check_base64(data, param=param)
    return Media(kind, media_type)


def told(media: Sequence[Media]) -> str:
    """Return a sentence such as `It came with 1 image(s) (image/png), 1 audio (audio/wav).`, or nothing."""
    parts = []
    for kind, number in Counter(one.kind for one in media).items():
        types = sorted({one.type for one in media if one.kind is kind and one.type})
        parts.append(f"{number} {_PLURAL.get(kind, f'{kind}(s)')}" + (f" ({', '.join(types)})" if types else ""))
    return f"It came with {', '.join(parts)}." if parts else ""
