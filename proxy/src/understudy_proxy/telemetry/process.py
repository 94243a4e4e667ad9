"""What the process itself takes: CPU, memory, files. Where the system does not tell, the numbers are left out."""

import os
import resource
from pathlib import Path

from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book

_PROC = Path("/proc/self")


def count_process(book: Book, *, started: float) -> None:
    """Write the numbers of this process, which began at `started`, seconds since the epoch."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    book.tally(families.PROCESS_CPU).value = usage.ru_utime + usage.ru_stime
    book.tally(families.PROCESS_START).value = started
    try:
        pages = int((_PROC / "statm").read_text().split()[1])
        book.tally(families.PROCESS_FILES).value = len(os.listdir(_PROC / "fd"))  # noqa: PTH208 - no objects needed
    except OSError:  # not Linux
        return
    book.tally(families.PROCESS_MEMORY).value = pages * os.sysconf("SC_PAGE_SIZE")
