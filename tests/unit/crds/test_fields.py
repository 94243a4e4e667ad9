"""Paths of fields, as messages spell them and as editors look them up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_api.v1alpha1.fields import field_parts, field_path, quoted


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        pytest.param(("spec", "rules", 0, "backends", 12, "model"), "spec.rules[0].backends[12].model", id="plain"),
        pytest.param(("spec", "headers", "set", "X-Team"), "spec.headers.set.X-Team", id="a word with a dash"),
        pytest.param(("metadata", "labels", "a.b/c"), 'metadata.labels["a.b/c"]', id="a key with dots"),
        pytest.param(("a", 'say "hi"\n'), 'a["say \\"hi\\"\\u000a"]', id="a key with quotes and a line break"),
        pytest.param((), "", id="the whole object"),
    ],
)
def test_spells_a_path(parts: tuple[str | int, ...], path: str) -> None:
    """A path is on one line, and reads as YAML users write it."""
    assert field_path(parts) == path


@given(st.lists(st.integers(0, 999) | st.text(st.characters(max_codepoint=0xFFFF), max_size=64)))
def test_reads_back_what_it_spells(parts: list[str | int]) -> None:
    """Whatever keys an object has, a path leads back to the field."""
    whole = ("spec", *parts)
    assert field_parts(field_path(whole)) == whole


def test_quotes_only_so_much() -> None:
    """Somebody else's text cannot make a message endless."""
    assert quoted("x" * 1000) == '"' + "x" * 63 + '…"'
