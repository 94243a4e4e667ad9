"""All pages: their links lead somewhere, their YAML is what the operator would accept."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from harness.pages import REPOSITORY, blocks, page
from understudy.environment import VENDORS
from understudy.linting import as_line, check
from understudy.main import main
from understudy.manifests import load
from understudy_api.v1alpha1 import KINDS
from understudy_operator.compile import Severity

DOCS = sorted(f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md"))
PAGES = ["README.md", "CONTRIBUTING.md", "examples/README.md", *DOCS]
EXAMPLES = sorted(path.name for path in (REPOSITORY / "examples").iterdir() if path.is_dir())
KEYS = {variable: "a-key" for vendor in VENDORS for variable in vendor.variables}
CAST = """\
{apiVersion: understudy.dev/v1alpha1, kind: LLMProvider, metadata: {name: openai},
 spec: {type: OpenAI, auth: {none: {}}, models: [{name: gpt-4.1-mini}]}}
---
{apiVersion: understudy.dev/v1alpha1, kind: LLMProvider, metadata: {name: mistral},
 spec: {type: Mistral, auth: {none: {}}, models: [{name: mistral-small-latest}]}}
---
{apiVersion: understudy.dev/v1alpha1, kind: LLMTool, metadata: {name: find-book}, spec: {description: Finds books.}}
---
{apiVersion: understudy.dev/v1alpha1, kind: LLMTool, metadata: {name: stock}, spec: {description: Counts books.}}
"""
"""Providers and tools that pages may speak of without showing them."""


def objects(text: str) -> list[Any]:
    """The objects in the YAML blocks of a page that are of our kinds."""
    documents = (one for block in blocks(text, "yaml") for one in yaml.safe_load_all(block.text))
    return [one for one in documents if isinstance(one, dict) and one.get("kind") in KINDS]


def names(text: str) -> set[tuple[str, str]]:
    """The kinds and names of a page's objects."""
    return {(one["kind"], one["metadata"]["name"]) for one in objects(text)}


@pytest.mark.parametrize("name", [name for name in PAGES if objects(page(name))])
def test_the_objects_of_a_page_would_be_served(tmp_path: Path, name: str) -> None:
    """All YAML of a page together is one gateway, in which nothing is out."""
    text = page(name)
    ours = [block.text for block in blocks(text, "yaml") if objects(f"```yaml\n{block.text}```")]
    cast = [one for one in yaml.safe_load_all(CAST) if (one["kind"], one["metadata"]["name"]) not in names(text)]
    (tmp_path / "page.yaml").write_text("---\n".join(ours))
    (tmp_path / "cast.yaml").write_text(yaml.safe_dump_all(cast))
    checked = check(load([str(tmp_path)], environment={}))
    errors = [as_line(finding) for finding in checked.findings if finding.severity is Severity.ERROR]
    assert errors == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_would_be_served(name: str) -> None:
    """Each folder by itself, without a warning."""
    checked = check(load([str(REPOSITORY / "examples" / name)], environment=KEYS), discovered={})
    assert [as_line(finding) for finding in checked.findings] == []


EXPLAINED = page("examples/README.md")
EXPLANATIONS = [block.text.removeprefix("$ understudy ").split("\n", 1) for block in blocks(EXPLAINED, "console")]


@pytest.mark.parametrize(("command", "printed"), EXPLANATIONS)
def test_the_examples_are_explained(monkeypatch: pytest.MonkeyPatch, command: str, printed: str) -> None:
    """Each command prints what the page shows, but for the revision."""
    monkeypatch.chdir(REPOSITORY)
    result = CliRunner().invoke(main, command.split(), env=KEYS)
    assert re.sub(r"(?<=at revision )\w+", "…", result.output) == printed


def test_every_example_is_explained() -> None:
    """Each folder has its section."""
    assert sorted(re.findall(r"^## (.*)$", EXPLAINED, re.MULTILINE)) == EXAMPLES


@pytest.mark.parametrize("name", PAGES)
def test_the_links_of_a_page_lead_somewhere(name: str) -> None:
    """To a file that is there, and to a heading that is in it."""
    here = REPOSITORY / name
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page(name)):
        path, _, anchor = target.partition("#")
        file = (here.parent / path) if path else here
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text()), target


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
