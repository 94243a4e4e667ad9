"""`docs/operations.md` against the code and the chart: settings, metrics, rights and numbers."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

import pytest
import yaml

from harness.pages import REPOSITORY, code, page, rows, section
from understudy_operator import settings as operator_settings
from understudy_operator.metrics import Metrics
from understudy_operator.status import ProgrammedReason
from understudy_proxy import settings as proxy_settings
from understudy_proxy.config.source import Origin
from understudy_proxy.telemetry.book import Kind
from understudy_proxy.telemetry.families import ALL
from understudy_proxy.telemetry.outcomes import MIN_SAMPLE

PAGE = page("docs/operations.md")
CHART = REPOSITORY / "charts" / "understudy"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SERIES = re.compile(r"\b(understudy_[a-z_]+)")


def told_metrics(heading: str) -> dict[str, tuple[list[str], str]]:
    """The labels and the meaning of each metric in a table."""
    return {code(row[0])[0]: (code(row[1]), row[2]) for row in rows(section(PAGE, "## Metrics"), heading)}


def operators_metrics() -> Iterator[tuple[str, tuple[list[str], str]]]:
    """The metrics of an operator, by the names under which they are scraped."""
    for name, metric in vars(Metrics()).items():
        described = [] if name == "registry" else list(metric.describe())
        for each in described:
            suffix = "_total" if each.type == "counter" else ""
            yield each.name + suffix, (list(metric._labelnames), each.documentation)


def test_the_proxys_metrics() -> None:
    """Each with its labels and its own help text."""
    suffix = {Kind.COUNTER: "_total"}
    expected = {
        family.name + suffix.get(family.kind, ""): (list(family.labels), family.help.rstrip(".")) for family in ALL
    }
    assert told_metrics("metric") == expected


def test_the_operators_metrics() -> None:
    """Each with its labels and its own help text."""
    assert told_metrics("operator's metric") == dict(operators_metrics())


def test_every_series_that_is_spoken_of_exists() -> None:
    """In alerts, on bad days and anywhere else."""
    known = {*told_metrics("metric"), *told_metrics("operator's metric")}
    assert set(SERIES.findall(PAGE)) - known == set()


@pytest.mark.parametrize(
    ("heading", "settings"),
    [
        pytest.param("variable", proxy_settings.Settings, id="proxy"),
        pytest.param("operator's variable", operator_settings.Settings, id="operator"),
    ],
)
def test_the_settings(heading: str, settings: type[Any]) -> None:
    """Every variable there is, with its default, and nothing without a meaning."""
    told = {code(row[0])[0]: row for row in rows(section(PAGE, "## Settings"), heading)}
    known = {f"UNDERSTUDY_{each.name.upper()}": each for each in fields(settings)}
    assert list(told) == list(known)
    for name, row in told.items():
        assert row[2]
        assert _is_default(row[1], known[name]), f"{name}: {row[1]}"


def _is_default(cell: str, setting: Field[Any]) -> bool:
    """Whether a cell tells the default of a setting: a value as it is written, one that is none in words."""
    if setting.default is MISSING:
        return (cell == "*required*") == (setting.default_factory is MISSING)
    if setting.default in ("", (), None):
        return not cell.startswith("`") or setting.name in code(cell)[0].lower()
    spelled = str(setting.default).lower() if isinstance(setting.default, bool) else str(setting.default)
    return cell == f"`{spelled}`"


RULE = re.compile(r"resources: \[([^\]]+)\]\n.*?verbs: \[([^\]]+)\]", re.DOTALL)


def test_the_rights() -> None:
    """What the chart's roles grant is in the table, and nothing else is."""
    granted = {
        (who, frozenset(names.split(", ")), tuple(verbs.split(", ")))
        for who in ("operator", "proxy")
        for names, verbs in RULE.findall((CHART / "templates" / who / "rbac.yaml").read_text())
    }
    granted -= {("operator", frozenset({"namespaces"}), ("get",))}  # with watchNamespaces, which the text tells
    told = {(row[0], frozenset(code(row[1])), tuple(row[2].split(", "))) for row in rows(PAGE, "who")}
    assert told == granted


def test_every_rule_of_the_chart_was_looked_at() -> None:
    """The table's source is text, so this counts what must be in it."""
    text = "".join((CHART / "templates" / who / "rbac.yaml").read_text() for who in ("operator", "proxy"))
    assert len(RULE.findall(text)) == text.count("verbs:")


@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param(f"goes on serving for {VALUES['proxy']['drain']['delaySeconds']} s while", id="delay"),
        pytest.param(f"gives running requests {VALUES['proxy']['drain']['deadlineSeconds']} s", id="deadline"),
        pytest.param(f"more than half of at least {MIN_SAMPLE} requests failed", id="degraded"),
    ],
)
def test_the_numbers(sentence: str) -> None:
    """Those of the chart and of the code."""
    assert sentence in " ".join(PAGE.split())


def test_how_many_run() -> None:
    """As the chart has it."""
    scaling = VALUES["proxy"]["autoscaling"]
    assert (VALUES["operator"]["replicas"], scaling["minReplicas"], scaling["maxReplicas"]) == (2, 3, 20)
    assert "two run, one leads" in PAGE
    assert "three to twenty run" in PAGE


def test_the_words_of_bad_days() -> None:
    """What the table quotes can be seen as it is quoted."""
    table = section(PAGE, "## Bad days")
    reasons = set(re.findall(r"`Programmed: (\w+)`", table))
    assert reasons == {ProgrammedReason.REJECTED, ProgrammedReason.TOO_LARGE}
    assert f'`"source": "{Origin.VOLUME.value}"`' in table
