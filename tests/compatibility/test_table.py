"""The page can be read back, and tells what did not work."""

from compatibility.matrix import Cell
from compatibility.roster import CLIENTS
from compatibility.table import page, shown, told

FAILED = shown()[4]


def outcomes(**complaints: str) -> dict[Cell, str]:
    """Every cell well, but for `FAILED`."""
    return {cell: complaints.get("failed", "") if cell == FAILED else "" for cell in shown()}


def test_what_is_written_is_read() -> None:
    """Every cell comes back as it was, also beside notes."""
    assert told(page(outcomes(failed="it broke"))) == {cell: cell != FAILED for cell in shown()}


def test_a_failure_is_told_without_what_changes_from_run_to_run() -> None:
    """A note quotes what was seen, on one line; ids, ports and the run's own names are left out."""
    seen = "text: 'req_0a1b' from 127.0.0.1:4711\nfor gemini-first-down-ada `x`"
    assert "`text: '…' from … for … 'x'`" in page(outcomes(failed=seen))


def test_no_failure_no_note() -> None:
    """A table in which all is well has the notes that always hold, and no others."""
    assert "no (" not in page(outcomes())


def test_an_older_page_is_read_as_far_as_it_goes() -> None:
    """A client in a new version is not on it; the others are."""
    client = CLIENTS[0]
    older = page(outcomes()).replace(client.title, "openai 1.0")
    assert {cell[0] for cell in shown()} - {cell[0] for cell in told(older)} == {client.key}
