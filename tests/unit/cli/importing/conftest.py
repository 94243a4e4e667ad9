"""`pytest tests/unit/cli/importing --update-import-goldens` writes the golden files anew; read the whole diff."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """One flag, for this folder."""
    parser.addoption("--update-import-goldens", action="store_true", help="write testdata/*.yaml and *.txt anew")
