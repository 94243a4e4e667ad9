"""How a configuration travels through size-limited objects without ever being half there.

A ConfigMap or Secret holds at most 1 MiB, and two objects cannot be written at once. So each of configuration and
credentials is gzipped and cut into shards, the shards are written into the slot (`a` or `b`) that nobody reads, and
then one small head is flipped to name it. A writer that dies half-way leaves the old slot whole; a reader that sees
shards newer than its head finds another revision stamped in them and keeps what it has.
"""

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, ValidationError

from understudy_api.config.base import ConfigModel
from understudy_api.config.canonical import canonical_json
from understudy_api.config.model import SCHEMA_VERSION, Config, Credentials

SHARD_BYTES = 700 * 1024
"""Base64 makes 4 bytes of 3, and etcd takes 1 MiB with all metadata: 700 KiB leaves room for both."""
MAX_SHARDS = 8
"""Per slot: 5.6 MB compressed. A fixed number, because RBAC names every object that a proxy may read."""
MAX_PLAIN_BYTES = 256 * 1024 * 1024
"""What a reader is willing to unpack."""

Slot = Literal["a", "b"]
Part = Literal["config", "credentials"]
HEAD_KEY = "head.json"


class ShardError(Exception):
    """A configuration that cannot be written or read; the message says why."""


class TooLarge(ShardError):
    """The configuration does not fit the objects that may hold it."""


class NotWhole(ShardError):
    """Head and shards do not belong together (yet): wait for the rest."""


class Unsupported(ShardError):
    """Written by a newer operator than this reader understands."""


class Head(ConfigModel):
    """Which revision is current, and where its shards are. Holds nothing secret."""

    schema_version: str = SCHEMA_VERSION
    revision: str
    slot: Slot
    config_shards: int = Field(ge=1, le=MAX_SHARDS)
    credential_shards: int = Field(ge=1, le=MAX_SHARDS)
    config_sha256: str


@dataclass(frozen=True, slots=True)
class Published:
    """What a writer writes: the shards of both parts first, then the head."""

    head: Head
    config: tuple[bytes, ...]
    credentials: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a reader loads: a matching pair."""

    config: Config
    credentials: Credentials


def shard_key(part: Part, slot: Slot, index: int) -> str:
    """The key of a shard inside its object, and the suffix of the object's name: unique, so one folder holds all."""
    return f"{part}-{slot}-{index}"


def encode(snapshot: Snapshot, *, slot: Slot, shard_bytes: int = SHARD_BYTES) -> Published:
    """Cut a snapshot into shards for `slot`.

    Raises:
        TooLarge: more than `MAX_SHARDS` shards would be needed for a part.
    """
    config = gzip.compress(canonical_json(snapshot.config), compresslevel=6, mtime=0)
    credentials = gzip.compress(canonical_json(snapshot.credentials), compresslevel=6, mtime=0)
    config_shards = _cut(config, shard_bytes, part="config")
    credential_shards = _cut(credentials, shard_bytes, part="credentials")
    head = Head(
        schema_version=snapshot.config.schema_version,
        revision=snapshot.config.revision,
        slot=slot,
        config_shards=len(config_shards),
        credential_shards=len(credential_shards),
        config_sha256=hashlib.sha256(config).hexdigest(),
    )
    return Published(head=head, config=config_shards, credentials=credential_shards)


def read_head(data: bytes | str) -> Head:
    """Parse a head.

    Raises:
        ShardError: it is not a head.
        Unsupported: its major version is newer than this reader's.
    """
    try:
        head = Head.model_validate_json(data)
    except ValidationError as error:
        raise ShardError(f"the head is not readable: {error.error_count()} fields are wrong") from error
    if head.schema_version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise Unsupported(
            f"configuration {head.revision} has schema version {head.schema_version}; "
            f"this proxy reads {SCHEMA_VERSION}: upgrade the proxies before the operator"
        )
    return head


def decode(head: Head, read: Callable[[Part, int], bytes]) -> Snapshot:
    """Put a snapshot together from its shards; `read` gives the shard of a part by index.

    Raises:
        NotWhole: a shard belongs to another revision, or is cut.
        ShardError: the content is whole but not a configuration.
    """
    config_gz = b"".join(read("config", index) for index in range(head.config_shards))
    if hashlib.sha256(config_gz).hexdigest() != head.config_sha256:
        raise NotWhole(f"the shards in slot {head.slot} are not those of revision {head.revision}")
    credentials_gz = b"".join(read("credentials", index) for index in range(head.credential_shards))
    try:
        config = Config.model_validate_json(_unpack(config_gz))
        credentials = Credentials.model_validate_json(_unpack(credentials_gz))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ShardError(f"configuration {head.revision} is not valid at {where}: {first['msg']}") from error
    if {config.revision, credentials.revision} != {head.revision}:
        raise NotWhole(
            f"head {head.revision}, configuration {config.revision} and credentials {credentials.revision} differ"
        )
    return Snapshot(config=config, credentials=credentials)


def _cut(data: bytes, size: int, *, part: Part) -> tuple[bytes, ...]:
    shards = tuple(data[start : start + size] for start in range(0, len(data), size))
    if len(shards) > MAX_SHARDS:
        raise TooLarge(
            f"the {part} needs {len(shards)} objects of {size} bytes and there are {MAX_SHARDS}: "
            f"shorten prompts or split the objects over several gateways"
        )
    return shards


def _unpack(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            plain = file.read(MAX_PLAIN_BYTES + 1)
    except (OSError, EOFError) as error:
        raise NotWhole(f"a shard is cut or not gzip: {error}") from error
    if len(plain) > MAX_PLAIN_BYTES:
        raise ShardError(f"the configuration unpacks to more than {MAX_PLAIN_BYTES} bytes")
    return plain


def head_json(head: Head) -> str:
    """The head as it is written."""
    return json.dumps(head.model_dump(), sort_keys=True)
