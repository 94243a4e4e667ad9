"""The shards that a head names, fetched through the Kubernetes API by name."""

import asyncio
import binascii
from typing import Any

from understudy_api.config import Head, Snapshot, decode, shard_key
from understudy_api.config.shards import NotWhole, Part
from understudy_proxy.config.api_client import ApiClient, Refused

_KIND: dict[Part, tuple[str, str]] = {"config": ("configmaps", "binaryData"), "credentials": ("secrets", "data")}
"""The plural and the field of each part; both fields are base64."""


class ShardFetch:
    """Fetches what a head names."""

    def __init__(self, client: ApiClient, *, namespace: str, prefix: str) -> None:
        self._client = client
        self._namespace = namespace
        self._prefix = prefix

    async def fetch(self, head: Head) -> Snapshot:
        """The configuration of `head`.

        Raises:
            NotWhole: the shards are not those of this head (yet, or any more).
            ShardError: they are whole but cannot be used.
            ApiError: the API server does not give them.
        """
        wanted: list[tuple[Part, int]] = [
            *(("config", index) for index in range(head.config_shards)),
            *(("credentials", index) for index in range(head.credential_shards)),
        ]
        # All are waited for, even when one fails: a connection that is left in the middle is lost for the next try.
        answers = await asyncio.gather(*(self._get(part, head, i) for part, i in wanted), return_exceptions=True)
        found: dict[tuple[Part, int], dict[str, Any]] = {}
        for shard, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            found[shard] = answer
        # A thread, so that requests go on in between: unpacking and validating 1,000 routes takes some 15 ms.
        return await asyncio.to_thread(decode, head, lambda part, index: _shard(found[part, index], head, part, index))

    async def _get(self, part: Part, head: Head, index: int) -> dict[str, Any]:
        plural, _ = _KIND[part]
        name = f"{self._prefix}-{shard_key(part, head.slot, index)}"
        try:
            return await self._client.get(f"/api/v1/namespaces/{self._namespace}/{plural}/{name}")
        except Refused as refusal:
            if refusal.status == 404:
                raise NotWhole(f"{plural} {name} does not exist, and revision {head.revision} needs it") from refusal
            raise


def _shard(item: dict[str, Any], head: Head, part: Part, index: int) -> bytes:
    field = item.get(_KIND[part][1])
    key = shard_key(part, head.slot, index)
    text = field.get(key) if isinstance(field, dict) else None
    if not isinstance(text, str):
        raise NotWhole(f"the object of {key} lacks that key")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise NotWhole(f"{key} is not base64: {error}") from error
