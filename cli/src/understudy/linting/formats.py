"""Findings as people, programs and code review read them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

from understudy.linting.checks import Checked
from understudy.linting.findings import Finding
from understudy_operator.compile import Severity


def as_text(checked: Checked) -> str:
    """A line for each finding, which editors and terminals make clickable, and a summary."""
    return "\n".join([*map(as_line, checked.findings), summary(checked)])


def as_line(finding: Finding) -> str:
    """`routes.yaml:7:5: error: LLMRoute ai/chat: spec.rules: is required`."""
    return printable(f"{finding.position}: {finding.severity.lower()}: {finding}")


def as_json(checked: Checked) -> str:
    """One object with all findings."""
    findings = [
        {**_plain(each), "severity": each.severity.lower(), "reason": str(each.reason)} for each in checked.findings
    ]
    counts = {"objects": checked.objects, "files": checked.files, "ignored": checked.ignored}
    severities = {
        "errors": checked.count(Severity.ERROR),
        "warnings": checked.count(Severity.WARNING),
    }
    return json.dumps({"findings": findings, **severities, **counts}, indent=2)


def as_github(checked: Checked) -> str:
    """Workflow commands that GitHub shows beside the lines, and a summary."""
    return "\n".join([*map(_annotation, checked.findings), summary(checked)])


FORMATS: dict[str, Callable[[Checked], str]] = {"text": as_text, "json": as_json, "github": as_github}


def summary(checked: Checked) -> str:
    """`2 errors and 1 warning in 5 objects of 3 files; 4 objects of other kinds were not looked at`."""
    found = " and ".join(_counts(checked)) or "nothing to complain about"
    seen = f"{_count(checked.objects, 'object')} of {_count(checked.files, 'file')}"
    ignored = checked.ignored
    others = f"; {_count(ignored, 'object')} of other kinds {'was' if ignored == 1 else 'were'} not looked at"
    return f"{found} in {seen}" + (others if ignored else "")


def _counts(checked: Checked) -> Iterator[str]:
    for severity in (Severity.ERROR, Severity.WARNING):
        if number := checked.count(severity):
            yield _count(number, severity.lower())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _plain(finding: Finding) -> dict[str, object]:
    plain = asdict(finding)
    return {**plain.pop("position"), **plain}


def _annotation(finding: Finding) -> str:
    place = finding.position
    properties = f"file={_property(place.file)},line={place.line},col={place.column}"
    return f"::{finding.severity.lower()} {properties}::{_data(str(finding))}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def printable(text: str) -> str:
    """The text on one line: names of files and objects may hold anything, and a terminal obeys what it is sent."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
