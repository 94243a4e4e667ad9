"""`pytest tests/unit/cli/lint --update-lint-goldens` writes the golden files anew; read every line of the diff."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """One flag, for this folder."""
    parser.addoption("--update-lint-goldens", action="store_true", help="write testdata/*.txt anew")
