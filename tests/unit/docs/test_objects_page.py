"""`docs/objects.md` against the code: what it lists is what there is."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.pages import REPOSITORY, code, page, rows, section
from understudy_api.crdgen import definitions
from understudy_api.crdgen.reference import NoBlock, filled, main
from understudy_api.v1alpha1 import KINDS
from understudy_api.v1alpha1.route import Strategy
from understudy_operator.compile.pending import PENDING
from understudy_operator.compile.vendors import VENDORS
from understudy_operator.compile.verdict import ABOUT_REFERENCES, Reason
from understudy_operator.status import ConditionType, ProgrammedReason, ReadyReason

PAGE = page("docs/objects.md")
GOLDENS = sorted((REPOSITORY / "tests/unit/operator/compile/testdata").glob("*.out.yaml"))


def reasons() -> dict[tuple[str, str], str]:
    """What the table says of each reason with its condition."""
    return {(code(row[0])[0], row[1]): row[2] for row in rows(section(PAGE, "## Conditions"), "reason")}


def warnings() -> set[str]:
    """The reasons of the table of warnings."""
    return {code(row[0])[0] for row in rows(section(PAGE, "## Conditions"), "warning")}


def test_every_reason_is_told() -> None:
    """Each reason of the code has its row, under the condition that carries it, and no other has one."""
    compiled = set(Reason) - warnings()
    expected = chain(
        ((reason, "ResolvedRefs" if reason in ABOUT_REFERENCES | RESOLVED else "Accepted") for reason in compiled),
        ((reason, "Programmed") for reason in ProgrammedReason),
        ((reason, "Ready") for reason in ReadyReason),
    )
    assert set(reasons()) == {(str(reason), condition) for reason, condition in expected}


RESOLVED = {Reason.RESOLVED_REFS, Reason.NOT_ACCEPTED}


def _said(verdict: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The reasons of the conditions that compile decides, which a golden file spells `STATUS REASON: MESSAGE`."""
    for field, condition in (("accepted", "Accepted"), ("resolvedRefs", "ResolvedRefs")):
        yield verdict[field].split(" ")[1].rstrip(":"), condition


@pytest.mark.parametrize("golden", [pytest.param(path, id=path.stem) for path in GOLDENS])
def test_what_objects_say_is_told(golden: Path) -> None:
    """Whatever compile says of an object in any golden file stands in the tables, and no warning is ever a reason."""
    verdicts = yaml.safe_load(golden.read_text())["verdicts"]
    known = {*warnings(), *(reason for reason, _ in reasons())}
    assert {said for verdict in verdicts for said in _said(verdict)} <= reasons().keys()
    assert {finding.split(" ")[1] for verdict in verdicts for finding in verdict.get("findings", ())} <= known


def test_every_condition_is_told() -> None:
    """In the order in which they are written."""
    told = [code(row[0])[0] for row in rows(section(PAGE, "## Conditions"), "condition")]
    assert told == list(ConditionType)


def test_what_is_not_in_effect_is_told() -> None:
    """The table is the operator's own, kind by kind, with what happens instead."""
    told = {
        (kind, code(field)[0], instead)
        for kinds, field, instead in rows(section(PAGE, "## Not in effect yet"), "kind")
        for kind in kinds.split(", ")
    }
    expected = {(kind, each.field, each.instead) for kind, fields in PENDING.items() for each in fields}
    assert {(kind, field, instead.replace("`", "")) for kind, field, instead in told} == expected


def test_the_types_that_are_served_are_told() -> None:
    """Nobody tries a type in vain."""
    sentence = section(PAGE, "## LLMProvider").partition("This version serves ")[2].partition(";")[0]
    assert set(code(sentence)) == {str(type_) for type_ in VENDORS}


def test_the_strategies_are_told() -> None:
    """All of them, in the order of the API."""
    assert [code(row[0])[0] for row in rows(PAGE, "strategy")] == list(Strategy)


def test_the_kinds_and_their_names_are_told() -> None:
    """As `kubectl api-resources` lists them."""
    told = [(code(row[0])[0], code(row[1])) for row in rows(PAGE.partition("\n## ")[0], "kind")]
    names: list[Any] = [crd["spec"]["names"] for crd in definitions().values()]
    assert told == [(each["kind"], each.get("shortNames", [])) for each in names]
    assert {category for each in names for category in each["categories"]} == {"llm"}


def test_the_fields_are_those_of_the_types() -> None:
    """As `make check-diff` sees it."""
    assert main(["--check", str(REPOSITORY / "docs/objects.md")]) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_told(kind: str) -> None:
    """Each field of a kind's CRD, however deep, has a row of its own or of the part that it shares with others."""
    (crd,) = (one for one in definitions().values() if one["spec"]["names"]["kind"] == kind)
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    own = {code(row[0])[0]: row for row in rows(section(PAGE, f"## {kind}"), "field")}
    assert [path for path in _paths(spec, "spec") if not _is_told(path, own)] == []
    assert [row for row in own.values() if not row[3]] == []


def _paths(schema: dict[str, Any], path: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from _paths(field, f"{path}.{name}")
        yield from _paths(field.get("items", {}), f"{path}.{name}[]")


def _is_told(path: str, own: dict[str, tuple[str, ...]]) -> bool:
    if path in own:
        return True
    holder = max((name for name in own if path.startswith((f"{name}.", f"{name}[]."))), key=len)
    part = own[holder][1].partition("](#")[2].partition(")")[0]
    heading = next(line for line in PAGE.splitlines() if line.lower() == f"### {part}")
    inside = path.removeprefix(holder).removeprefix("[]").removeprefix(".")
    return _is_told(inside, {code(row[0])[0]: row for row in rows(section(PAGE, heading), "field")})


def test_a_page_without_a_block_is_refused() -> None:
    """A kind that came later is not forgotten in the docs."""
    with pytest.raises(NoBlock, match="generated: Persona"):
        filled(PAGE.replace("<!-- generated: Persona -->", ""))


def test_what_is_stale_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edit between the markers is undone by `make generate`, and named by `make check-diff`."""
    stale = tmp_path / "objects.md"
    stale.write_text(PAGE.replace("*required*", "optional"))
    assert main(["--check", str(stale)]) == 1
    assert capsys.readouterr().err == f"{stale} is not what the API types say; run make generate\n"
    assert main([str(stale)]) == 0
    assert stale.read_text() == PAGE
