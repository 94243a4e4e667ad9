"""Secrets do not reach a log."""

import pytest

from understudy_proxy.telemetry.masking import MASK, Masker


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("Authorization: Bearer abc.def", f"Authorization: {MASK}", id="authorization"),
        pytest.param("bearer   abc", MASK, id="lower case"),
        pytest.param("Incorrect API key provided: sk-proj-12ab34", f"Incorrect API key provided: {MASK}", id="OpenAI"),
        pytest.param("key=AIzaSyA12345678", f"key={MASK}", id="Google"),
        pytest.param("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln here", f"got {MASK} here", id="JWT"),
        pytest.param("risk-free and task-1", "risk-free and task-1", id="words with sk-"),
        pytest.param("request 0af7651916cd43dd8448eb211c80319c", "request 0af7651916cd43dd8448eb211c80319c", id="id"),
    ],
)
def test_masks_what_looks_like_a_secret(text: str, masked: str) -> None:
    """Keys and authorization headers, wherever they come from; ids stay readable."""
    assert masked == Masker().mask(text)


def test_masks_exactly_what_is_loaded() -> None:
    """A key without any pattern is known by its value; the longer of two is masked whole."""
    masker = Masker()
    masker.remember(["hunter2hunter2", "hunter2hunter2-and-more\n"])
    assert f"a {MASK} b {MASK} c" == masker.mask("a hunter2hunter2-and-more b hunter2hunter2 c")


def test_remembers_rotated_keys_for_a_while() -> None:
    """A request that began before a rotation may still quote the old key."""
    masker = Masker()
    masker.remember(["old-secret-value"])
    masker.remember(["new-secret-value"])
    assert f"{MASK} {MASK}" == masker.mask("old-secret-value new-secret-value")


def test_does_not_mask_words() -> None:
    """A key of two letters would mask half the log; no provider has such keys."""
    masker = Masker()
    masker.remember(["ok", ""])
    assert "all is ok" == masker.mask("all is ok")


def test_masks_all_the_way_down() -> None:
    """Fields of a log line may be lists and mappings."""
    masker = Masker()
    masker.remember(["the-very-secret"])
    value = {"the-very-secret": ["x the-very-secret", 1, None, True, ValueError("the-very-secret")]}
    assert {MASK: [f"x {MASK}", 1, None, True, MASK]} == masker.mask_all(value)


@pytest.mark.parametrize(
    ("word", "masked"),
    [
        pytest.param("the-very-secret", MASK, id="loaded"),
        pytest.param("sk-live-123456", MASK, id="shape"),
        pytest.param("req_6f1d", "req_6f1d", id="an id"),
    ],
)
def test_masks_a_word(word: str, masked: str) -> None:
    """A client may send a key as its request id by mistake."""
    masker = Masker()
    masker.remember(["the-very-secret"])
    assert masked == masker.mask_word(word)
