"""The operator's verdicts without a cluster, each with file, line and column."""

from understudy.linting.checks import Checked, check
from understudy.linting.findings import Finding
from understudy.linting.formats import FORMATS, as_line, printable

__all__ = ["FORMATS", "Checked", "Finding", "as_line", "check", "printable"]
