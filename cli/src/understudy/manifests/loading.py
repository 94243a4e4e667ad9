"""Texts to Kubernetes objects as `kubectl apply -f` would send them, each with its places.

Left out: what is wrong with an object itself (`understudy_api.v1alpha1.parse`), and what objects mean together
(`understudy_operator.compile`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from understudy.manifests.files import FileProblem, Position, Source, sources
from understudy.manifests.nodes import Mark, NotYaml, documents
from understudy.manifests.secrets import expand
from understudy.manifests.values import Fault, Place, read
from understudy_api.v1alpha1 import GROUP, KINDS
from understudy_api.v1alpha1.fields import field_parts, quoted

CORE_KINDS = frozenset({"Secret", "ConfigMap", "Namespace"})
"""Of apiVersion v1: what our objects refer to."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object out of a file.

    Attributes:
        raw: As kubectl would send it, with its namespace, and for ours with a creation time. May be a Secret, so it
            is not shown.
        file: The file's name.
        place: Where it and its fields are in the file.
    """

    raw: Mapping[str, Any] = field(repr=False)
    file: str
    place: Place = field(repr=False)

    @property
    def kind(self) -> str:
        """The kind, or "" when there is none to read."""
        return _text(self.raw.get("kind"))

    @property
    def namespace(self) -> str:
        """The namespace, or "" when there is none to read."""
        return _text(_metadata(self.raw).get("namespace"))

    @property
    def name(self) -> str:
        """The name, or "" when there is none to read."""
        return _text(_metadata(self.raw).get("name"))

    @property
    def is_ours(self) -> bool:
        """Whether it is an object of Understudy, however broken."""
        return _is_ours(self.raw)

    def position_of(self, path: str) -> Position:
        """Where a field is, or the innermost part on the way there that exists; "" is the whole object."""
        return _position(self.file, self.place.find(field_parts(path)))


@dataclass(frozen=True, slots=True)
class Loaded:
    """What some files hold.

    Attributes:
        manifests: Objects of Understudy, Secrets, ConfigMaps and Namespaces, in the order of the files.
        problems: What cannot be used, and is not among the manifests.
        unset_variables: Variables of Secrets that the environment does not have.
        ignored: Objects of other kinds.
        files: The names of the files that were read.
    """

    manifests: tuple[Manifest, ...]
    problems: tuple[FileProblem, ...]
    unset_variables: tuple[FileProblem, ...]
    ignored: tuple[FileProblem, ...]
    files: tuple[str, ...]


def load(
    paths: Iterable[str],
    *,
    environment: Mapping[str, str],
    namespace: str = "default",
    stdin: BinaryIO | None = None,
) -> Loaded:
    """Read files and folders. Never raises on what is in them.

    Args:
        paths: Files and folders; `-` is `stdin`.
        environment: For `${NAME}` in the stringData of Secrets.
        namespace: Of objects that name none.
        stdin: What `-` reads.
    """
    loading = _Loading(environment=environment, namespace=namespace)
    for source in sources(paths, stdin=stdin):
        if isinstance(source, FileProblem):
            loading.problems.append(source)
        else:
            loading.text(source)
    return Loaded(
        manifests=tuple(loading.manifests.values()),
        problems=tuple(loading.problems),
        unset_variables=tuple(loading.unset_variables),
        ignored=tuple(loading.ignored),
        files=tuple(loading.files),
    )


class _Loading:
    def __init__(self, *, environment: Mapping[str, str], namespace: str) -> None:
        self.manifests: dict[object, Manifest] = {}
        self.problems: list[FileProblem] = []
        self.unset_variables: list[FileProblem] = []
        self.ignored: list[FileProblem] = []
        self.files: list[str] = []
        self._environment = environment
        self._namespace = namespace

    def text(self, source: Source) -> None:
        self.files.append(source.name)
        try:
            for node in documents(source.text):
                document = read(node)
                self.problems.extend(_problems(source.name, document.faults))
                for value, place in _objects(document.value, document.place):
                    self._object(source.name, value, place)
        except NotYaml as error:
            self.problems.append(FileProblem(_position(source.name, error.mark), error.message))

    def _object(self, file: str, value: Any, place: Place) -> None:
        position = _position(file, place.mark)
        if not isinstance(value, dict) or not value.get("kind") or not value.get("apiVersion"):
            self.problems.append(FileProblem(position, "is no Kubernetes object: it has no apiVersion and kind"))
        elif _is_ours(value):
            self._add(Manifest(self._aged(self._placed(value)), file, place))
        elif value["apiVersion"] == "v1" and value["kind"] == "Secret":
            secret, faults = expand(self._placed(value), place, self._environment)
            self.unset_variables.extend(_problems(file, faults))
            self._add(Manifest(secret, file, place))
        elif value["apiVersion"] == "v1" and value["kind"] in CORE_KINDS:
            self._add(Manifest(value if value["kind"] == "Namespace" else self._placed(value), file, place))
        else:
            kind, version = quoted(str(value["kind"])), quoted(str(value["apiVersion"]))
            self.ignored.append(FileProblem(position, f"the kind {kind} of {version} is not looked at"))

    def _placed(self, value: dict[str, Any]) -> dict[str, Any]:
        """The object in its namespace."""
        metadata = value.get("metadata")
        if not isinstance(metadata, dict) or metadata.get("namespace") is not None:
            return value
        return {**value, "metadata": {**metadata, "namespace": self._namespace}}

    def _aged(self, value: dict[str, Any]) -> dict[str, Any]:
        """The object with a creation time: where none is given, what comes first in the files is older."""
        metadata = value.get("metadata")
        if not isinstance(metadata, dict) or metadata.get("creationTimestamp") is not None:
            return value
        created = _EPOCH + timedelta(seconds=len(self.manifests))
        return {**value, "metadata": {**metadata, "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ")}}

    def _add(self, manifest: Manifest) -> None:
        """Add an object; of two with one name, which kubectl would write over one another, the first one counts."""
        if not manifest.name:
            self.manifests[object()] = manifest
            return
        key = (manifest.kind, manifest.namespace, manifest.name)
        first = self.manifests.setdefault(key, manifest)
        if first is not manifest:
            where = f"{manifest.kind} {manifest.namespace}/{manifest.name}".replace(" /", " ")
            message = f"{where} is defined again, after {first.position_of('')}; remove one of them"
            self.problems.append(FileProblem(manifest.position_of(""), message))


def _objects(value: Any, place: Place) -> Iterator[tuple[Any, Place]]:
    """The objects of a document: those of a List, or itself."""
    kind = value.get("kind") if isinstance(value, dict) else None
    items = value.get("items") if isinstance(kind, str) and kind.endswith("List") else None
    if not isinstance(items, list):
        yield value, place
        return
    inside = place.inside["items"].inside
    for index, item in enumerate(items):
        yield from _objects(item, inside[index])


def _is_ours(value: Mapping[str, Any]) -> bool:
    return _text(value.get("apiVersion")).startswith(f"{GROUP}/") or _text(value.get("kind")) in KINDS


def _metadata(value: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = value.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _position(file: str, mark: Mark) -> Position:
    return Position(file, mark.line, mark.column)


def _problems(file: str, faults: Iterable[Fault]) -> Iterator[FileProblem]:
    return (FileProblem(_position(file, fault.mark), fault.message) for fault in faults)
