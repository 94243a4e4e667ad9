"""The mounted volume: whole, or not taken."""

import os
from pathlib import Path

import pytest

from harness.snapshots import KubeletVolume, a_snapshot, files_of, write_folder
from understudy_api.config import encode
from understudy_api.config.shards import HEAD_KEY, NotWhole, ShardError, Unsupported
from understudy_proxy.config.volume import Mark, Volume


def marked(volume: Volume) -> Mark:
    """What the volume shows, which is something."""
    mark = volume.mark()
    assert mark is not None
    return mark


def test_reads_a_kubelets_volume(tmp_path: Path) -> None:
    """What the kubelet mounted is what was published."""
    kubelet = KubeletVolume(tmp_path / "config")
    kubelet.publish(a_snapshot())
    volume = Volume(kubelet.path)
    assert a_snapshot() == volume.load(marked(volume))


def test_reads_a_plain_folder(tmp_path: Path) -> None:
    """A folder without the kubelet's link works: a bind mount, a laptop."""
    write_folder(tmp_path, a_snapshot())
    volume = Volume(tmp_path)
    assert a_snapshot() == volume.load(marked(volume))


@pytest.mark.parametrize("folder", [pytest.param("config", id="empty"), pytest.param("none", id="not there")])
def test_waits_where_nothing_is(tmp_path: Path, folder: str) -> None:
    """Before the first publication the objects do not exist, and that is no error."""
    KubeletVolume(tmp_path / "config")
    assert Volume(tmp_path / folder).mark() is None


def test_each_swap_is_another_mark(tmp_path: Path) -> None:
    """A change shows without reading the shards."""
    kubelet = KubeletVolume(tmp_path / "config")
    volume = Volume(kubelet.path)
    kubelet.publish(a_snapshot())
    first = volume.mark()
    assert first == volume.mark()
    kubelet.publish(a_snapshot(route="other"), slot="b")
    assert first != volume.mark()


def test_a_swap_while_reading_is_not_half_a_configuration(tmp_path: Path) -> None:
    """The folder that was looked at is gone when it is read: nothing is taken, least of all a mixture."""
    kubelet = KubeletVolume(tmp_path / "config")
    volume = Volume(kubelet.path)
    kubelet.publish(a_snapshot())
    mark = marked(volume)
    kubelet.publish(a_snapshot(route="other"))
    with pytest.raises(NotWhole):
        volume.load(mark)


@pytest.mark.parametrize(
    "missing", [pytest.param("config-a-0", id="config"), pytest.param("credentials-a-0", id="key")]
)
def test_a_lagging_object_is_waited_for(tmp_path: Path, missing: str) -> None:
    """Head and shards are mounted one by one; a head whose shards are not there yet is not taken."""
    files = files_of(encode(a_snapshot(), slot="a"))
    del files[missing]
    kubelet = KubeletVolume(tmp_path / "config")
    kubelet.swap(files)
    volume = Volume(kubelet.path)
    with pytest.raises(NotWhole, match=missing):
        volume.load(marked(volume))


def test_a_new_head_with_old_shards_is_not_taken(tmp_path: Path) -> None:
    """The hash in the head tells that the shards are another configuration's."""
    old, new = files_of(encode(a_snapshot(), slot="a")), files_of(encode(a_snapshot(route="other"), slot="a"))
    kubelet = KubeletVolume(tmp_path / "config")
    kubelet.swap({**old, HEAD_KEY: new[HEAD_KEY]})
    volume = Volume(kubelet.path)
    with pytest.raises(NotWhole):
        volume.load(marked(volume))


@pytest.mark.parametrize(
    ("head", "error"),
    [
        pytest.param(b"", ShardError, id="empty"),
        pytest.param(b"{}", ShardError, id="no head"),
        pytest.param(
            b'{"revision":"r","slot":"a","config_shards":1000000000,"credential_shards":1,"config_sha256":""}',
            ShardError,
            id="too many shards",
        ),
        pytest.param(
            b'{"schema_version":"2.0","revision":"r","slot":"a","config_shards":1,"credential_shards":1,'
            b'"config_sha256":""}',
            Unsupported,
            id="newer major",
        ),
    ],
)
def test_refuses_a_head_that_it_cannot_read(tmp_path: Path, head: bytes, error: type[Exception]) -> None:
    """What cannot be read is an error that says so."""
    (tmp_path / HEAD_KEY).write_bytes(head)
    volume = Volume(tmp_path)
    with pytest.raises(error):
        volume.load(marked(volume))


def test_never_reads_more_than_an_object_can_hold(tmp_path: Path) -> None:
    """A huge file in the place of a shard costs no memory."""
    write_folder(tmp_path, a_snapshot())
    with (tmp_path / "config-a-0").open("wb") as file:
        os.truncate(file.fileno(), 10 * 1024**3)
    volume = Volume(tmp_path)
    with pytest.raises(NotWhole, match="larger than any object"):
        volume.load(marked(volume))
