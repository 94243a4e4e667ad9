"""The words a fault is written in: what they mean, and what is said about words that mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.mock.faults import Fault, FaultError, FaultKind, When, parse_fault

RETRY_DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        pytest.param("503", Fault(text="503", kind=FaultKind.STATUS, error="503"), id="status"),
        pytest.param("quota", Fault(text="quota", kind=FaultKind.STATUS, error="quota"), id="named error"),
        pytest.param(
            "429;retry-after=2;times=3",
            Fault(
                text="429;retry-after=2;times=3",
                kind=FaultKind.STATUS,
                error="429",
                headers=(("retry-after", "2"),),
                when=When(times=3),
            ),
            id="status with header and condition",
        ),
        pytest.param(
            f"429;retry-after={RETRY_DATE}",
            Fault(
                text=f"429;retry-after={RETRY_DATE}",
                kind=FaultKind.STATUS,
                error="429",
                headers=(("retry-after", RETRY_DATE),),
            ),
            id="retry-after as a date",
        ),
        pytest.param(
            "429;retry-after=1;retry-after-ms=150.5",
            Fault(
                text="429;retry-after=1;retry-after-ms=150.5",
                kind=FaultKind.STATUS,
                error="429",
                headers=(("retry-after", "1"), ("retry-after-ms", "150.5")),
            ),
            id="both retry-after headers",
        ),
        pytest.param("html:502", Fault(text="html:502", kind=FaultKind.HTML, status=502), id="html page"),
        pytest.param("delay:1m30s", Fault(text="delay:1m30s", kind=FaultKind.DELAY, seconds=90.0), id="long delay"),
        pytest.param(
            "slow-headers:250ms",
            Fault(text="slow-headers:250ms", kind=FaultKind.SLOW_HEADERS, seconds=0.25),
            id="slow headers",
        ),
        pytest.param(
            "cut-after:5;percent=10%",
            Fault(text="cut-after:5;percent=10%", kind=FaultKind.CUT_AFTER, chunks=5, when=When(percent=10.0)),
            id="chunks and percent",
        ),
        pytest.param(
            " reset ; model = gpt-4* ; path = /v1/* ; after = 2 ; every = 3 ; ",
            Fault(
                text=" reset ; model = gpt-4* ; path = /v1/* ; after = 2 ; every = 3 ; ",
                kind=FaultKind.RESET,
                when=When(model="gpt-4*", path="/v1/*", after=2, every=3),
            ),
            id="spaces and a last semicolon do not matter",
        ),
        pytest.param(
            "error-after:2;error=quota;delay=1s",
            Fault(
                text="error-after:2;error=quota;delay=1s",
                kind=FaultKind.ERROR_AFTER,
                chunks=2,
                error="quota",
                delay=1.0,
            ),
            id="error of one's own, after a delay",
        ),
    ],
)
def test_reads(text: str, meaning: Fault) -> None:
    """A fault means what its words say, and nothing else changes from its default."""
    assert meaning == parse_fault(text)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param("cut-aftr:3", 'did you mean "cut-after"?', id="misspelt fault"),
        pytest.param("429;tims=3", 'did you mean "times"?', id="misspelt option"),
        pytest.param("", "a fault is a status or one of html, garbage", id="nothing"),
        pytest.param("200", "write a status from 300 to 599", id="status that is no error"),
        pytest.param("600", "write a status from 300 to 599", id="status out of range"),
        pytest.param("cut-after", "write cut-after:5", id="count missing"),
        pytest.param("cut-after:many", "write a whole number from 0 to 1000000", id="count no number"),
        pytest.param("cut-after:-1", "write a whole number from 0", id="count negative"),
        pytest.param("delay", "write delay:2s", id="duration missing"),
        pytest.param("delay:2", "write it such as 2s, 150ms or 1m30s", id="duration without unit"),
        pytest.param("html:quota", "write a whole number from 200 to 599", id="html takes a number"),
        pytest.param("stall:2s", '"stall" takes no argument', id="argument to a fault without one"),
        pytest.param("429:5", '"429" takes no argument', id="argument to a status"),
        pytest.param("429;times=0", "write a whole number from 1", id="never"),
        pytest.param("429;percent=101", "write a number from 0 to 100", id="more than always"),
        pytest.param("429;percent=nan", "write a number from 0 to 100", id="no number of percent"),
        pytest.param("429;times", "write times=", id="option without value"),
        pytest.param("429;retry-after=soon", "such as retry-after=2", id="retry-after no time"),
        pytest.param(f"429;retry-after-ms={RETRY_DATE}", "such as retry-after-ms=2", id="milliseconds as a date"),
        pytest.param("stall;retry-after=2", "goes with a status only", id="retry-after without a refusal"),
        pytest.param("429;error=500", "goes with error-first, error-after and role-then-error", id="error of an error"),
        pytest.param("error-first;error=teapot", "one of quota, context, filter", id="unknown error"),
    ],
)
def test_says_what_to_write(text: str, advice: str) -> None:
    """Who writes a fault wrongly sees it quoted, and reads what would be right."""
    with pytest.raises(FaultError) as caught:
        parse_fault(text)
    assert (f'fault "{text}": ' in str(caught.value), advice in str(caught.value)) == (True, True)


WORDS = st.sampled_from([*(kind.value for kind in FaultKind), "429", "quota", ":", ";", "=", "times", "2s", "5", "1e9"])


@given(st.lists(WORDS | st.text(max_size=5), max_size=8).map("".join))
def test_any_text_is_a_fault_or_an_error_about_it(text: str) -> None:
    """No text makes reading fail in any other way."""
    try:
        said = parse_fault(text).text
    except FaultError as error:
        said = str(error)
    assert text in said
