"""Manifests that every reader of the API is asked about: the models, and a real API server with the CRDs."""

from pathlib import Path
from typing import Any

import yaml

_TESTDATA = Path(__file__).parents[1] / "unit" / "crds" / "testdata"

BROKEN: list[dict[str, Any]] = [case for case in yaml.safe_load_all((_TESTDATA / "broken.yaml").read_text()) if case]
"""Each breaks one rule: `kind`, `spec`, `field`, and `rule` (our words) or `message` and `server` (theirs)."""
VALID: list[dict[str, Any]] = [
    each for path in sorted(_TESTDATA.glob("valid/*.yaml")) for each in yaml.safe_load_all(path.read_text())
]
"""Whole objects, which together set every field of every kind."""


def case_id(case: dict[str, Any]) -> str:
    """What a case is called in a test's name."""
    if "metadata" in case:
        return f"{case['kind']} {case['metadata']['name']}"
    return str(case.get("id") or case["rule"])
