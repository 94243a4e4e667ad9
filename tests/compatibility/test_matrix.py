"""Vendors' SDKs against a gateway process and the mock, as `docs/compatibility.md` tells it."""

import pytest

from compatibility.matrix import MOCK, Cell, cells
from compatibility.table import PAGE, page, shown, told

_TOLD = told(PAGE.read_text())


def _ids(of: list[Cell]) -> list[str]:
    return ["-".join(cell).replace(" ", "-") for cell in of]


@pytest.mark.parametrize("cell", shown(), ids=_ids(shown()))
def test_a_client_through_the_gateway(complaints: dict[Cell, str], cell: Cell) -> None:
    """Each cell is as the page tells it: what works goes on working, and what begins to work is said."""
    assert cell in _TOLD, "docs/compatibility.md does not have it: run `make compatibility`"
    complaint = complaints[cell]
    if _TOLD[cell]:
        assert complaint == ""
    else:
        assert complaint != "", "it works now, and docs/compatibility.md says no: run `make compatibility`"


_OF_THE_MOCK = [cell for cell in cells() if cell[1] == MOCK]


@pytest.mark.parametrize("cell", _OF_THE_MOCK, ids=_ids(_OF_THE_MOCK))
def test_a_client_at_the_mock(complaints: dict[Cell, str], cell: Cell) -> None:
    """The mock answers each SDK as its vendor does; else it would prove nothing of the gateway."""
    assert complaints[cell] == ""


def test_the_page_is_up_to_date(complaints: dict[Cell, str]) -> None:
    """Versions, columns, rows and notes are those of this run; `make compatibility` writes them."""
    assert _lasting(page(complaints)) == _lasting(PAGE.read_text())


def _lasting(text: str) -> list[str]:
    """A page without the notes that quote what failed, whose words may differ from run to run."""
    return [line for line in text.splitlines() if not line.partition(". ")[2].startswith("`")]
