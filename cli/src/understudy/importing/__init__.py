"""Other gateways' configuration as our objects: what has an equivalent, and in comments what has none."""

from understudy.importing.converting import Imported, convert
from understudy.importing.writing import as_yaml

__all__ = ["Imported", "as_yaml", "convert"]
