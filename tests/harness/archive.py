"""OCI image archives of one static program, written without any image tool.

An archive is a function of the program's bytes and the name: built twice, it is the same file.
"""

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True, slots=True)
class _Blob:
    kind: str
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.kind, "digest": f"sha256:{self.digest}", "size": len(self.content)}


def write_static_image(path: Path, *, program: Path, name: str, architecture: str) -> None:
    """Write an image that holds one statically linked program and runs it.

    Args:
        path: The archive to write.
        program: It becomes the image's only file, `/NAME-OF-THE-FILE`, and its entry point.
        name: The image's full name, for example `localhost/pause:1`.
        architecture: As Go calls it, for example `amd64`.
    """
    layer = _Blob(_LAYER, _tar({program.name: program.read_bytes()}, mode=0o755))
    config = _json_blob(
        _CONFIG,
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}"]},
        },
    )
    manifest = _json_blob(
        _MANIFEST, {"schemaVersion": 2, "config": config.descriptor(), "layers": [layer.descriptor()]}
    )
    annotations = {"org.opencontainers.image.ref.name": name}
    index = {"schemaVersion": 2, "manifests": [{**manifest.descriptor(), "annotations": annotations}]}
    files = {f"blobs/sha256/{blob.digest}": blob.content for blob in (layer, config, manifest)}
    files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    files["index.json"] = json.dumps(index).encode()
    path.write_bytes(_tar(files, mode=0o644))


def _json_blob(kind: str, body: dict[str, Any]) -> _Blob:
    return _Blob(kind, json.dumps(body, sort_keys=True).encode())


def _tar(files: dict[str, bytes], *, mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
