"""YAML as kubectl reads it, with lines, and with bounds that no text gets past.

`tests/apiserver/test_crds.py` asks kubectl itself about the same scalars.
"""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.yaml_cases import SCALARS
from understudy.manifests.nodes import Mark, NotYaml, documents
from understudy.manifests.values import Document, Fault, read

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{number}: &a{number} [*a{number - 1}]\n" for number in range(1, 3000))


def _read(text: str) -> Document:
    (document,) = [read(node) for node in documents(text)]
    return document


@pytest.mark.parametrize(("text", "expected"), SCALARS)
def test_reads_scalars_as_kubectl_does(text: str, expected: Any) -> None:
    """A value means here what it means once it is applied."""
    value = _read(f"a: {text}").value["a"]
    assert (type(value), value) == (type(expected), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}, id="an alias"),
        pytest.param(
            "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}}, id="a merge"
        ),
        pytest.param(
            "- &x {a: 1}\n- &y {a: 2, b: 2}\n- {<<: [*x, *y]}",
            [{"a": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}],
            id="the first of several merged maps",
        ),
        pytest.param("1: a\ntrue: b\n1.5: c", {"1": "a", "true": "b", "1.5": "c"}, id="keys are strings"),
        pytest.param("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}, id="a block of text"),
        pytest.param('{"a": [1, null, "x"]}', {"a": [1, None, "x"]}, id="JSON"),
        pytest.param("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}, id="Windows line ends"),
    ],
)
def test_reads_documents(text: str, expected: Any) -> None:
    """What YAML can say in several ways comes to one value."""
    document = _read(text)
    assert document.value == expected
    assert document.faults == ()


def test_leaves_out_empty_documents() -> None:
    """Separators too many, and comments alone, are nothing."""
    assert [read(node).value for node in documents("---\n---\na: 1\n---\n# nothing\n---\n- 2\n")] == [{"a": 1}, [2]]


def test_knows_where_everything_is() -> None:
    """Fields are where their key is, entries where they begin; what is not there is at its innermost part."""
    place = _read("# a comment\nspec:\n  rules:\n  - name: x\n    backends: [{model: a}, {model: b}]\n").place
    found = {
        path: place.find(path)
        for path in (
            (),
            ("spec",),
            ("spec", "rules", 0),
            ("spec", "rules", 0, "backends", 1, "model"),
            ("spec", "rules", 0, "backends", 7, "model"),
            ("spec", "nothing", "here"),
        )
    }
    assert list(found.values()) == [Mark(2, 1), Mark(2, 1), Mark(4, 5), Mark(5, 29), Mark(5, 5), Mark(2, 1)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("a: 1\nb: 2\na: 3", Fault(Mark(3, 1), 'gives the key "a" again, after line 1'), id="a key twice"),
        pytest.param(
            "true: 1\nyes: 2", Fault(Mark(2, 1), 'gives the key "true" again, after line 1'), id="two spellings of one"
        ),
        pytest.param(
            "? {a: 1}\n: 2", Fault(Mark(1, 3), "has a map or list as a key; keys are strings"), id="a map key"
        ),
        pytest.param("~: 1", Fault(Mark(1, 1), "has an empty key"), id="an empty key"),
        pytest.param(
            "a: !!python/object/apply:os.system [x]",
            Fault(Mark(1, 4), 'has the tag "!!python/object/apply:os.system", and JSON has no such type'),
            id="code",
        ),
        pytest.param(
            "a: !!binary aGk=", Fault(Mark(1, 4), 'has the tag "!!binary", and JSON has no such type'), id="bytes"
        ),
        pytest.param("a: !!int x", Fault(Mark(1, 4), 'has the tag "!!int", but is something else'), id="a lie"),
        pytest.param("a: .inf", Fault(Mark(1, 4), "is .inf, which JSON cannot say"), id="infinity"),
        pytest.param("a: {<<: 1}", Fault(Mark(1, 9), "merges something that is no map"), id="a merge of a number"),
    ],
)
def test_says_what_no_object_can_hold(text: str, fault: Fault) -> None:
    """What kubectl refuses, or hides, is a fault with its place, and the rest is still read."""
    assert _read(text).faults == (fault,)


@pytest.mark.parametrize(
    ("text", "mark", "message"),
    [
        pytest.param("a: [1,\n b: }", Mark(2, 5), "is not YAML: ", id="broken"),
        pytest.param("a: 1\n b: 2", Mark(2, 3), "is not YAML: ", id="a wrong indent"),
        pytest.param("é: \x00", Mark(1, 4), "is not YAML: ", id="a control character"),
        pytest.param("a: *b", Mark(1, 4), "has no anchor &b before the alias *b", id="an alias of nothing"),
        pytest.param("a: &a [*a]", Mark(1, 8), "has no anchor &a before the alias *a", id="a list in itself"),
        pytest.param("[" * 1_000_000, Mark(1, 102), "is nested deeper than 100 levels", id="endless nesting"),
        pytest.param(BOMB, Mark(1, 20), "unfolds to more than 500000 values", id="a bomb of aliases"),
        pytest.param(MERGE_BOMB, Mark(1, 4), "unfolds to more than 500000 values", id="a bomb of merges"),
        pytest.param(CHAIN, Mark(1, 5), "unfolds to more than 100 levels", id="nesting by aliases"),
    ],
)
def test_says_where_it_ends(text: str, mark: Mark, message: str) -> None:
    """Text that is no YAML, or that would take all memory or stack, ends with one sentence."""
    with pytest.raises(NotYaml) as raised:
        list(map(read, documents(text)))
    assert raised.value.message.startswith(message)
    assert raised.value.mark == mark


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("[]{}&*a:-,'\"|>?!%@ \n\t#~<"))
def test_never_raises_anything_else(text: str) -> None:
    """Whatever a file holds, it is documents and faults, or no YAML from some place on."""
    with suppress(NotYaml):
        for node in documents(text):
            read(node)
