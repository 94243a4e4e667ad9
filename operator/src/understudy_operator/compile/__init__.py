"""Cluster objects, or the same objects out of files, compiled to what a proxy runs.

Pure: no I/O, no clock, no framework. What is read from where, and what is done with the outcome, is up to the caller.
"""

from understudy_operator.compile.discovered import Discovered, DiscoveredModel, Inquiry
from understudy_operator.compile.inputs import Inputs, NamespacedName, RawObject, References, references
from understudy_operator.compile.objects import Compiled, compile_objects
from understudy_operator.compile.verdict import Finding, ObjectKey, Outcome, Reason, Severity, Verdict

__all__ = [
    "Compiled",
    "Discovered",
    "DiscoveredModel",
    "Finding",
    "Inputs",
    "Inquiry",
    "NamespacedName",
    "ObjectKey",
    "Outcome",
    "RawObject",
    "Reason",
    "References",
    "Severity",
    "Verdict",
    "compile_objects",
    "references",
]
