"""Frames of AWS's event stream encoding."""

import pytest

from harness.event_frames import parsed_frames
from understudy.mock.dialects.event_stream import error, event, exception, frame


@pytest.mark.parametrize(
    ("headers", "payload", "expected"),
    [
        # Known frames, with which the AWS SDKs test their decoders: botocore, tests/unit/test_eventstream.py
        pytest.param({}, b"", "00000010 00000000 05c248eb 7d98c8ff", id="nothing"),
        pytest.param(
            {},
            b"{'foo':'bar'}",
            "0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936",
            id="a payload",
        ),
        pytest.param(
            {"content-type": "application/json"},
            b"{'foo':'bar'}",
            "0000003d 00000020 07fd8396 0c636f6e74656e742d74797065 070010 6170706c69636174696f6e2f6a736f6e"
            "7b27666f6f273a27626172277d 8d9c08b1",
            id="a header",
        ),
    ],
)
def test_a_frame_is_laid_out_as_aws_has_it(headers: dict[str, str], payload: bytes, expected: str) -> None:
    """Lengths, checksums and headers are where they belong."""
    assert bytes.fromhex(expected) == frame(headers, payload)


@pytest.mark.parametrize(
    ("made", "headers", "payload"),
    [
        pytest.param(
            event("messageStart", b'{"role":"assistant"}'),
            {":event-type": "messageStart", ":content-type": "application/json", ":message-type": "event"},
            b'{"role":"assistant"}',
            id="event",
        ),
        pytest.param(
            exception("throttlingException", b'{"message":"\xc3\xa9"}'),
            {
                ":exception-type": "throttlingException",
                ":content-type": "application/json",
                ":message-type": "exception",
            },
            b'{"message":"\xc3\xa9"}',
            id="exception",
        ),
        pytest.param(
            error("AccessDeniedException", "não"),
            {":error-code": "AccessDeniedException", ":error-message": "não", ":message-type": "error"},
            b"",
            id="error",
        ),
    ],
)
def test_a_frame_can_be_read(made: bytes, headers: dict[str, str], payload: bytes) -> None:
    """A reader that checks every length and checksum gets back what went in."""
    assert [(headers, payload)] == parsed_frames(made)
