"""What goes over the wire for each fault: the table, as data."""

from collections.abc import Mapping

import pytest

from understudy.mock.delivery import Answer, Body, Delivery, Ending, Replacements, Stream, delivery_of, spoiled
from understudy.mock.faults import Fault, parse_fault
from understudy.mock.settings import Settings

HEADERS = {"content-type": "application/json"}
STREAM = Answer(Stream((b"role ",), (b"a ", b"b ", b"c "), (b"stop ", b"done")), HEADERS)
BODY = Answer(Body(b"0123456789"), HEADERS)


def refusal(fault: Fault) -> tuple[int, Mapping[str, str], bytes]:
    """Stand for a wire format's refusal."""
    return 429, {"x-from": "dialect", **dict(fault.headers)}, f"refused: {fault.error}".encode()


def error(fault: Fault, first: bool) -> bytes:
    """Stand for a wire format's error under status 200, which tells whether it is the first event."""
    return f"{'only ' if first else ''}error: {fault.error}".encode()


INSTEAD = Replacements(refusal=refusal, error=error, garbage=lambda: b"{not json")


def made(answer: Answer, fault: str, settings: Settings | None = None) -> Delivery:
    """Return the delivery that a fault makes of an answer."""
    return spoiled(answer, parse_fault(fault), instead=INSTEAD, settings=settings or Settings())


def sent(delivery: Delivery) -> bytes:
    """Return all content of a delivery."""
    return b"".join(content for _, content in delivery.chunks)


@pytest.mark.parametrize(
    ("fault", "status", "content", "length", "ending"),
    [
        pytest.param("429", 429, b"refused: 429", 12, Ending.COMPLETE, id="status"),
        pytest.param("garbage", 200, b"{not json", 9, Ending.COMPLETE, id="garbage"),
        pytest.param("empty", 200, b"", 0, Ending.COMPLETE, id="empty"),
        pytest.param("refuse", None, b"", None, Ending.CLOSE, id="refuse"),
        pytest.param("reset", None, b"", None, Ending.RESET, id="reset"),
        pytest.param("delay:1s", 200, b"role a b c stop done", None, Ending.COMPLETE, id="delay"),
        pytest.param("slow-headers:1s", 200, b"role a b c stop done", None, Ending.COMPLETE, id="slow headers"),
        pytest.param("stall", 200, b"", None, Ending.STALL, id="stall"),
        pytest.param("stall-after:0", 200, b"role ", None, Ending.STALL, id="stall after the role"),
        pytest.param("stall-after:2", 200, b"role a b ", None, Ending.STALL, id="stall after two"),
        pytest.param("cut-after:1", 200, b"role a ", None, Ending.CLOSE, id="cut"),
        pytest.param("cut-after:99", 200, b"role a b c ", None, Ending.CLOSE, id="cut before the end at the latest"),
        pytest.param("reset-after:1", 200, b"role a ", None, Ending.RESET, id="reset mid-stream"),
        pytest.param("end-after:3", 200, b"role a b c ", None, Ending.COMPLETE, id="end without the end"),
        pytest.param("error-first", 200, b"only error: 500", None, Ending.COMPLETE, id="error first"),
        pytest.param("error-after:1;error=quota", 200, b"role a error: quota", None, Ending.COMPLETE, id="error later"),
        pytest.param("role-then-error", 200, b"role error: 500", None, Ending.COMPLETE, id="error after the role"),
    ],
)
def test_a_stream_goes_wrong(
    fault: str, status: int | None, content: bytes, length: int | None, ending: Ending
) -> None:
    """Each fault lets out of a stream just what it says, and ends it the way it says."""
    delivery = made(STREAM, fault)
    assert (status, content, length, ending) == (delivery.status, sent(delivery), delivery.length, delivery.ending)


@pytest.mark.parametrize(
    ("fault", "content", "length", "ending"),
    [
        pytest.param("delay:1s", b"0123456789", 10, Ending.COMPLETE, id="delay"),
        pytest.param("stall", b"", 10, Ending.STALL, id="stall"),
        pytest.param("stall-after:3", b"01234", 10, Ending.STALL, id="stall half-way"),
        pytest.param("cut-after:3", b"01234", 10, Ending.CLOSE, id="cut half-way"),
        pytest.param("reset-after:3", b"01234", 10, Ending.RESET, id="reset half-way"),
        pytest.param("end-after:3", b"01234", 5, Ending.COMPLETE, id="half of it, as if it were all"),
        pytest.param("error-first", b"only error: 500", 15, Ending.COMPLETE, id="error"),
        pytest.param("error-after:3", b"only error: 500", 15, Ending.COMPLETE, id="error later"),
    ],
)
def test_a_whole_answer_goes_wrong(fault: str, content: bytes, length: int, ending: Ending) -> None:
    """What interrupts a stream interrupts an answer in one piece half-way; an error takes its place."""
    delivery = made(BODY, fault)
    assert (200, content, length, ending) == (delivery.status, sent(delivery), delivery.length, delivery.ending)


@pytest.mark.parametrize(
    ("fault", "wait", "head_time"),
    [
        pytest.param("500", 0.0, 0.0, id="at once"),
        pytest.param("delay:2s", 2.0, 0.0, id="delay"),
        pytest.param("reset;delay=1s", 1.0, 0.0, id="any fault can wait"),
        pytest.param("delay:2s;delay=1s", 3.0, 0.0, id="waits add up"),
        pytest.param("slow-headers:2s", 0.0, 2.0, id="slow headers"),
    ],
)
def test_waits(fault: str, wait: float, head_time: float) -> None:
    """A fault waits as long as it says, before anything else."""
    delivery = made(STREAM, fault)
    assert (wait, head_time) == (delivery.wait, delivery.head_time)


def test_retry_after_goes_with_the_refusal() -> None:
    """The script's headers join those of the wire format."""
    assert dict(made(STREAM, "429;retry-after=2").headers) == {"x-from": "dialect", "retry-after": "2"}


def test_a_page_is_what_a_proxy_in_between_says() -> None:
    """An HTML fault is HTML of that status, whatever the wire format."""
    delivery = made(STREAM, "html:502")
    assert (delivery.status, delivery.headers["content-type"]) == (502, "text/html")
    assert b"<title>502</title>" in sent(delivery)


@pytest.mark.parametrize(
    ("settings", "pauses"),
    [
        pytest.param(Settings(), [0, 0, 0, 0, 0, 0], id="as fast as it goes"),
        pytest.param(Settings(first_token_delay=2.0), [2, 0, 0, 0, 0, 0], id="a slow first token"),
        pytest.param(Settings(token_interval=1.0), [0, 0, 1, 1, 0, 0], id="a pause between two tokens"),
        pytest.param(Settings(first_token_delay=2.0, token_interval=1.0), [2, 0, 1, 1, 0, 0], id="both"),
    ],
)
def test_a_stream_keeps_its_pace(settings: Settings, pauses: list[float]) -> None:
    """The first chunk waits for the first token, every later token for its interval, the end for nothing."""
    assert pauses == [pause for pause, _ in delivery_of(STREAM, settings).chunks]


@pytest.mark.parametrize(
    ("tokens", "wait"),
    [
        pytest.param(4, 5.0, id="the first token, and three more"),
        pytest.param(1, 2.0, id="one token"),
        pytest.param(0, 0.0, id="what never streams"),
    ],
)
def test_an_answer_in_one_piece_takes_as_long(tokens: int, wait: float) -> None:
    """A client waits for a whole answer as long as it would for the end of its stream."""
    answer = Answer(Body(b"0123456789", tokens), HEADERS)
    assert wait == delivery_of(answer, Settings(first_token_delay=2.0, token_interval=1.0)).wait


def test_a_fault_in_a_paced_stream_keeps_the_pace() -> None:
    """An interrupted stream comes as slowly as a whole one."""
    delivery = made(STREAM, "cut-after:2", Settings(first_token_delay=2.0, token_interval=1.0))
    assert delivery.chunks == ((2.0, b"role "), (0.0, b"a "), (1.0, b"b "))
