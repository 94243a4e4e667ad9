"""One spelling for each configuration, so that equal content has equal bytes and an equal revision."""

import hashlib
import json
from collections.abc import Set as AbstractSet
from typing import Any

from pydantic import BaseModel

from understudy_api.config.model import Config

REVISION_LENGTH = 12
"""Hex digits: 48 bits tell the revisions of one fleet apart and still fit a table column."""


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and sorted sets, without white space; defaults are left out."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> str:
    """The content hash of `value` that revisions and status digests are made of."""
    return hashlib.sha256(canonical_json(value)).hexdigest()[:REVISION_LENGTH]


def with_revision(config: Config) -> Config:
    """The same configuration, stamped with the hash of its content."""
    return config.model_copy(update={"revision": digest(config.model_copy(update={"revision": ""}))})


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):  # most of what there is, so it is asked first
        return value
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in value.model_fields_set}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, AbstractSet):
        return sorted(_plain(item) for item in value)
    return str(value)
