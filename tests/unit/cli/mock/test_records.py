"""What a mock remembers, shows and hides."""

import pytest

from understudy.mock.records import Recorded, Records, masked

MEGABYTE = 1024 * 1024


def received(number: int = 1, body: bytes = b"{}", **headers: str) -> Recorded:
    """Return a request as it arrives."""
    return Recorded(
        number=number, method="POST", path="/v1/chat/completions", headers=headers, body=body, received_at=0.0
    )


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        pytest.param("Authorization", "Bearer sk-0123456789abcdef", "Bearer ***cdef", id="bearer"),
        pytest.param("authorization", "Bearer short", "Bearer ***", id="a short key shows nothing"),
        pytest.param("authorization", "sk-0123456789abcdef", "***cdef", id="without a scheme"),
        pytest.param("api-key", "0123456789abcdef", "***cdef", id="Azure"),
        pytest.param("X-Api-Key", "0123456789abcdef", "***cdef", id="Anthropic"),
        pytest.param("x-goog-api-key", "0123456789abcdef", "***cdef", id="Gemini"),
        pytest.param("user-agent", "OpenAI/Python", "OpenAI/Python", id="no secret"),
    ],
)
def test_masks(name: str, value: str, shown: str) -> None:
    """A secret is told from others by its end alone; other headers are shown."""
    assert shown == masked(name, value)


def test_a_secret_is_kept_but_not_shown() -> None:
    """A test can compare the key that arrived; neither repr nor what the admin address shows has it."""
    recorded = received(authorization="Bearer sk-0123456789abcdef")
    assert recorded.headers["authorization"] == "Bearer sk-0123456789abcdef"
    assert "0123456789" not in repr(recorded) + str(recorded.shown())


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(b'{"a": 1}', {"a": 1}, id="JSON"),
        pytest.param(b"", None, id="none"),
        pytest.param(b"not \xff", "not \ufffd", id="anything else as text"),
    ],
)
def test_shows_the_body(body: bytes, shown: object) -> None:
    """A body is shown as what it is."""
    assert shown == received(body=body).shown()["body"]


def test_forgets_the_oldest() -> None:
    """No more than a thousand requests are kept, the newest ones."""
    records = Records()
    for number in range(1, 1203):
        records.begin(received(number))
    assert (len(records.kept), records.kept[0].number, records.kept[-1].number) == (1000, 203, 1202)


def test_forgets_large_bodies_sooner() -> None:
    """Bodies take no more than 64 MiB in all, and room is made again once they are gone."""
    records = Records()
    for number in range(1, 11):
        records.begin(received(number, bytes(20 * MEGABYTE)))
    assert [recorded.number for recorded in records.kept] == [8, 9, 10]
    records.clear()
    records.begin(received(11, bytes(60 * MEGABYTE)))
    assert [recorded.number for recorded in records.kept] == [11]


def test_counts() -> None:
    """The counters tell what is going on and what has been."""
    records = Records()
    first, second = received(1), received(2)
    second.stream, second.fault = True, "stall"
    records.begin(first)
    records.begin(second)
    records.end(first)
    second.client_left = True
    records.end(second)
    stats = records.stats
    assert (stats.requests, stats.streams, stats.faults, stats.aborted) == (2, 1, 1, 1)
    assert (stats.in_flight, stats.max_in_flight) == (0, 2)
