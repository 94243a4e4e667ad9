"""`make compatibility`: put every SDK before a gateway, and write down what came of it."""

import asyncio
import sys
import tempfile
from pathlib import Path

from compatibility.matrix import MOCK, run_matrix
from compatibility.table import PAGE, page, tidy


def main() -> int:
    """Write the page; 1 if the mock itself fails an SDK, for then the page tells nothing."""
    with tempfile.TemporaryDirectory(prefix="understudy-compatibility-") as folder:
        complaints = asyncio.run(run_matrix(Path(folder)))
    PAGE.write_text(page(complaints))
    sys.stdout.write(PAGE.read_text())
    seen: dict[str, list[str]] = {}
    for cell, complaint in complaints.items():
        if complaint:
            seen.setdefault(tidy(complaint), []).append("/".join(cell))
    for complaint, where in seen.items():
        sys.stderr.write(f"{len(where)} x {complaint}\n    {', '.join(where[:3])}\n")
    return int(any(complaint for (_, place, _), complaint in complaints.items() if place == MOCK))


if __name__ == "__main__":
    sys.exit(main())
