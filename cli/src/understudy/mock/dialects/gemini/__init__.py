"""Gemini's wire format: what a mock understands of it, and how it answers.

`developer` and `vertex` are the two ways to it; `requests` reads bodies, with `fields` for single values, `contents`
and `order` for the conversation, `tools` and `schema` for functions; `answers` and `errors` write them.
"""

from understudy.mock.dialects.gemini.developer import Gemini
from understudy.mock.dialects.gemini.vertex import Vertex

__all__ = ["Gemini", "Vertex"]
