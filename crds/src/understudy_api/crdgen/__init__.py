"""Writes the CRDs from the API types: `python -m understudy_api.crdgen [--check] FOLDER...`.

A tool of the repository and of `understudy crds`; nothing at run time imports it, and `text` alone needs PyYAML.
"""

from understudy_api.crdgen.definition import definition, definitions
from understudy_api.crdgen.structural import NotStructural, structural

__all__ = ["NotStructural", "definition", "definitions", "structural"]
