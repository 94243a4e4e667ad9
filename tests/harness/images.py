"""Images without a registry: a local base with Python, and builds from the repository's own Dockerfile.

Users build on a public base image; on a machine that reaches no registry the tests hand the same Dockerfile a
base made of Debian's packages. Everything is kept in the cache folder: the base for good, builds by layer.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness import packages
from harness.cache import build_lock, cache_folder, say
from harness.missing import Missing
from harness.pipconfig import pip_config

_SUITE = "bookworm"
_PACKAGES = ("ca-certificates", "python3", "python3-venv")
# Half of a minimal Debian is what only a person reads, and what apt fetched.
_NOT_NEEDED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "var/cache/apt",
    "var/lib/apt/lists",
)
_KEPT_LAYERS = 24
_COMMAND_SECONDS = 15 * 60


class BuildError(Exception):
    """An image could not be built; the message is the end of what the build said."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image in a file.

    Attributes:
        name: The full name that pods use, for example `localhost/understudy/proxy:1f2e3d4c5b6a`.
        archive: An OCI archive with the image under that name.
    """

    name: str
    archive: Path


def base_image() -> Image:
    """A small Debian with Python 3.11, its venv module and CA certificates; built once (1 min), then cached.

    Raises:
        Missing: The tools are missing, or Debian's packages cannot be reached.
    """
    packages.ensure(packages.IMAGES)
    recipe = repr((_SUITE, _PACKAGES, _NOT_NEEDED))
    key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    image = Image(f"localhost/understudy-test-base:{key}", _folder() / f"base-{key}.tar")
    with build_lock():
        if not image.archive.is_file():
            say(f"building the base image from Debian {_SUITE} (once; about a minute)")
            _debootstrap(image)
        elif not _known(image.name):
            _buildah("pull", "--quiet", _policy(), f"oci-archive:{image.archive}")
    return image


def build_image(dockerfile: Path, *, target: str, repository: str, base: Image) -> Image:
    """Build one target of a Dockerfile whose base is the build argument `BASE`; its folder is the context.

    pip inside the build reaches its index as this machine's does, by files mounted for the build alone.

    Args:
        dockerfile: The Dockerfile.
        target: The stage to build.
        repository: The image's name without a tag, for example `localhost/understudy/proxy`; the tag says what is
            in it, so that another content is another name.
        base: What `base_image` returned.

    Raises:
        BuildError: A step failed.
    """
    config = pip_config()
    with build_lock(), tempfile.TemporaryDirectory() as temporary:
        pip_conf = Path(temporary) / "pip.conf"
        pip_conf.write_text(config.content)
        mounts = [f"--volume={pip_conf}:/etc/pip.conf:ro", *(f"--volume={path}:{path}:ro" for path in config.files)]
        image_id = Path(temporary) / "id"
        say(f"building {repository} from {dockerfile.name}")
        _buildah(
            "build",
            "--quiet",
            "--layers",
            "--pull=never",
            _policy(),
            f"--build-arg=BASE={base.name}",
            *mounts,
            f"--file={dockerfile}",
            f"--target={target}",
            f"--iidfile={image_id}",
            str(dockerfile.parent),
        )
        name = f"{repository}:{short_id(image_id.read_text())}"
        image = Image(name, _folder() / f"{name.replace('/', '_').replace(':', '_')}.tar")
        _buildah("tag", image_id.read_text().strip(), name)
        if not image.archive.is_file():
            _export(image)
            _forget_old(repository, keep=image)
    return image


def short_id(image_id: str) -> str:
    """The first digits of an image's id, for a tag."""
    return image_id.strip().removeprefix("sha256:")[:12]


def _folder() -> Path:
    folder = cache_folder() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _debootstrap(image: Image) -> None:
    with tempfile.TemporaryDirectory(dir=_folder()) as temporary:
        root = Path(temporary) / "root"
        include = f"--include={','.join(_PACKAGES)}"
        done = _run(["debootstrap", "--variant=minbase", include, _SUITE, str(root)])
        if done.returncode != 0:
            because = (done.stdout.strip().splitlines() or ["no message"])[-1]
            raise Missing(f"the base image: debootstrap could not make a Debian {_SUITE}: {because}")
        for path in _NOT_NEEDED:
            shutil.rmtree(root / path)
        # apt wants its own folder back, even if only to fill it again.
        (root / "var/cache/apt/archives/partial").mkdir(parents=True)
        container = _buildah("from", "scratch")
        try:
            _buildah("add", "--quiet", container, str(root), "/")
            _buildah("config", "--cmd=python3", container)
            _buildah("commit", "--quiet", _policy(), container, image.name)
        finally:
            _buildah("rm", container)
    _export(image)


def _export(image: Image) -> None:
    partial = image.archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    _buildah("push", "--quiet", _policy(), image.name, f"oci-archive:{partial}:{image.name}")
    partial.replace(image.archive)


def _forget_old(repository: str, *, keep: Image) -> None:
    """Keep of a repository what was just built, and the newest layers, which make the next build short."""
    for archive in _folder().glob(f"{repository.replace('/', '_')}_*.tar"):
        if archive != keep.archive:
            archive.unlink()
    _buildah("rm", "--all")  # of builds that were killed; nobody else builds now
    tagged = _buildah("images", "--format={{.Name}}:{{.Tag}}", f"--filter=reference={repository}").split()
    dangling = _buildah("images", "--filter=dangling=true", "--quiet", "--no-trunc").split()
    for name in [*(name for name in tagged if name != keep.name), *dangling[_KEPT_LAYERS:]]:
        with suppress(BuildError):  # a newer layer still stands on it
            _buildah("rmi", name)


def _known(name: str) -> bool:
    return bool(_buildah("images", "--quiet", f"--filter=reference={name}"))


def _policy() -> str:
    """Local archives are trusted; a machine's own policy may demand signatures, or not be there."""
    path = _folder() / "policy.json"
    path.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    return f"--signature-policy={path}"


def _buildah(*arguments: str) -> str:
    storage = cache_folder() / "images" / "buildah"
    # In a mount namespace of its own, so that the storage driver's mounts end with it.
    command = ["unshare", "--mount", "buildah", f"--root={storage}", f"--runroot={storage}-run", *arguments]
    done = _run(command)
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise BuildError(f"buildah {' '.join(arguments)}: {end}")
    return done.stdout.strip()


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {"STORAGE_DRIVER": "overlay", "BUILDAH_ISOLATION": "chroot", **os.environ}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
    )
