"""Image archives that the harness writes by itself."""

import hashlib
import json
import tarfile
from pathlib import Path

from harness.archive import write_static_image


def read(archive: Path) -> dict[str, bytes]:
    """The files of a tar archive."""
    with tarfile.open(archive) as tar:
        return {entry.name: content.read() for entry in tar if (content := tar.extractfile(entry))}


def test_every_digest_is_that_of_its_content(tmp_path: Path) -> None:
    """A reader that follows the index finds the program: name, manifest, configuration and layer agree."""
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF and so on")
    archive = tmp_path / "image.tar"
    write_static_image(archive, program=program, name="localhost/pause:1", architecture="amd64")

    files = read(archive)
    for name, content in files.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.rpartition("/")[2]
    described = json.loads(files["index.json"])["manifests"][0]
    assert described["annotations"] == {"org.opencontainers.image.ref.name": "localhost/pause:1"}
    manifest = json.loads(files[blob(described["digest"])])
    config = json.loads(files[blob(manifest["config"]["digest"])])
    layer = files[blob(manifest["layers"][0]["digest"])]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert (config["config"]["Entrypoint"], config["architecture"]) == (["/pause"], "amd64")
    (tmp_path / "layer.tar").write_bytes(layer)
    assert read(tmp_path / "layer.tar") == {"pause": program.read_bytes()}


def test_the_same_program_gives_the_same_archive(tmp_path: Path) -> None:
    """An archive depends on nothing but the program and the name."""
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF and so on")
    archives = [tmp_path / "one.tar", tmp_path / "two.tar"]
    for archive in archives:
        write_static_image(archive, program=program, name="localhost/pause:1", architecture="arm64")
        program.touch()
    assert archives[0].read_bytes() == archives[1].read_bytes()


def blob(digest: str) -> str:
    """The name of a blob's file."""
    return f"blobs/{digest.replace(':', '/')}"
