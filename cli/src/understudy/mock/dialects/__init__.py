"""The wire formats a mock speaks: one module each, all behind `Dialect`.

A dialect only reads and encodes. What is answered is decided in `replies`, what goes wrong in `delivery`.
"""

from understudy.mock.dialects.dialect import Dialect, Stamp
from understudy.mock.dialects.openai import OpenAI

DIALECTS: dict[str, Dialect] = {"openai": OpenAI()}
"""By the name that `--dialect` takes."""

__all__ = ["DIALECTS", "Dialect", "Stamp"]
