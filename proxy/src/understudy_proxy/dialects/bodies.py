"""Bodies of requests, written."""

from typing import Any

import orjson

from understudy_proxy.dialects.request_error import RequestError


def written(body: dict[str, Any]) -> bytes:
    """The bytes of a body.

    Raises:
        RequestError: it is nested too deeply to be written.
    """
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        raise RequestError("The body of the request is nested too deeply: at most 254 levels can be sent on.") from None
