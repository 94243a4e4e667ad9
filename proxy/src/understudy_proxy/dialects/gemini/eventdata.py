"""What an event of Google's streams carries."""

from understudy_proxy.dialects import sse


def data_of(event: bytes) -> bytes:
    """The data of an event, empty for a comment. Errors also come bare, as the JSON that they would be elsewhere."""
    data = sse.parse(event).data
    return event if data is None and event[:1] in {b"{", b"["} else (data or b"").strip()
