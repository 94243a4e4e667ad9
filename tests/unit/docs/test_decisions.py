"""Decisions: each has a number of its own, and says it in its file's name and in its title."""

import re

from harness.pages import REPOSITORY

DECISIONS = sorted((REPOSITORY / "docs" / "decisions").glob("[0-9]*.md"))


def test_no_two_have_one_number() -> None:
    """A number means one decision, for good."""
    numbers = [path.name[:4] for path in DECISIONS]
    assert [number for number in numbers if numbers.count(number) > 1] == []


def test_a_title_says_the_number_of_its_file() -> None:
    """Whoever reads one knows how to speak of it."""
    titles = {path.name[:4]: path.read_text().splitlines()[0] for path in DECISIONS}
    assert {number: title for number, title in titles.items() if not re.match(f"# {number}: .", title)} == {}
