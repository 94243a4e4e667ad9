"""Small published configurations, and the places where a proxy finds them: a folder, or a kubelet's volume."""

import itertools
import shutil
from pathlib import Path

from harness.runtimes import EVERYTHING
from understudy_api.config import (
    SCHEMA_VERSION,
    Backend,
    Config,
    CredentialRef,
    Credentials,
    Dialect,
    Names,
    Provider,
    ProviderModel,
    Rule,
    Snapshot,
    Target,
    TargetKind,
    encode,
    head_json,
    shard_key,
    with_revision,
)
from understudy_api.config.shards import HEAD_KEY, Published, Slot

KEY = "sk-canary-0123456789"
"""The provider's API key in every snapshot made here, unless told otherwise."""


def a_snapshot(
    url: str = "http://127.0.0.1:9",
    *,
    route: str = "chat",
    model: str = "m",
    key: str = KEY,
    schema: str = SCHEMA_VERSION,
) -> Snapshot:
    """A route `ai/NAME`, visible to all, to one model at one provider at `url`."""
    provider = Provider(
        namespace="ai",
        name="main",
        type="OpenAICompatible",
        system="openai",
        dialect=Dialect.OPENAI,
        base_url=f"{url}/v1",
        credential=CredentialRef(name="main-key", version=str(hash(key))),
        models={model: ProviderModel(upstream_name=model, capabilities=EVERYTHING)},
        visible_to=None,
    )
    target = Target(
        kind=TargetKind.ROUTE,
        namespace="ai",
        name=route,
        rules=(Rule(name="all", backends=(Backend(provider="ai/main", model=model),)),),
    )
    config = with_revision(
        Config(
            schema_version=schema,
            providers={"ai/main": provider},
            targets={f"LLMRoute/ai/{route}": target},
            names=Names(exact={route: (f"LLMRoute/ai/{route}",)}, providers={"main": ("ai/main",)}),
        )
    )
    return Snapshot(config, Credentials(revision=config.revision, values={"main-key": key}))


def dangling() -> Snapshot:
    """A snapshot that reads well and must not be served: a name in it leads nowhere."""
    config = with_revision(Config(names=Names(exact={"chat": ("LLMRoute/ai/gone",)})))
    return Snapshot(config, Credentials(revision=config.revision, values={}))


def files_of(published: Published) -> dict[str, bytes]:
    """Every object of a publication as a file."""
    slot = published.head.slot
    files = {HEAD_KEY: head_json(published.head).encode()}
    files.update({shard_key("config", slot, at): shard for at, shard in enumerate(published.config)})
    files.update({shard_key("credentials", slot, at): shard for at, shard in enumerate(published.credentials)})
    return files


def write_folder(folder: Path, snapshot: Snapshot, *, slot: Slot = "a") -> None:
    """Write `snapshot` into a plain folder, the head last."""
    folder.mkdir(parents=True, exist_ok=True)
    files = files_of(encode(snapshot, slot=slot))
    head = files.pop(HEAD_KEY)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / HEAD_KEY).write_bytes(head)


class KubeletVolume:
    """A folder that changes as a kubelet changes it: a new folder, one swap of `..data`, the old folder deleted."""

    def __init__(self, path: Path) -> None:
        """Begin with a volume of objects none of which exists yet."""
        self.path = path
        self._numbers = itertools.count(1)
        path.mkdir(parents=True)
        self.swap({})

    def publish(self, snapshot: Snapshot, *, slot: Slot = "a") -> None:
        """Show `snapshot`."""
        self.swap(files_of(encode(snapshot, slot=slot)))

    def swap(self, files: dict[str, bytes]) -> None:
        """Show these files and no others."""
        folder = self.path / f"..2026_11_21_{next(self._numbers)}"
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        link = self.path / "..data"
        before = link.resolve() if link.is_symlink() else None
        (self.path / "..data_tmp").symlink_to(folder.name)
        (self.path / "..data_tmp").rename(link)
        if before is not None:
            shutil.rmtree(before)
