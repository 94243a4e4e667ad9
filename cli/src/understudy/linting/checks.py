"""From manifests to findings: what cannot be read, what no model knows, and what compile says of the rest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from understudy.linting.assumed import assume_secrets
from understudy.linting.assumed_models import assume_models
from understudy.linting.findings import Finding, about
from understudy.manifests import FileProblem, Loaded, Manifest, Position
from understudy.manifests.inputs import Discoveries, inputs_of
from understudy_api.v1alpha1 import AnyResource, Invalid, parse
from understudy_api.v1alpha1.unknown import UnknownField, unknown_fields
from understudy_operator.compile import Inputs, ObjectKey, Severity, compile_objects


@dataclass(frozen=True, slots=True)
class Checked:
    """What lint has to say, in the order of the files and their lines."""

    findings: tuple[Finding, ...]
    objects: int
    files: int
    ignored: int

    def count(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(finding.severity is severity for finding in self.findings)


def check(loaded: Loaded, *, discovered: Discoveries | None = None) -> Checked:
    """Check what some files hold.

    Args:
        loaded: The files.
        discovered: What the servers of providers have said. None: nobody was asked, and the files are not all there
            is. Secrets that they do not hold and models that they leave to servers are taken as given, and named in a
            warning each.
    """
    ours = tuple(each for each in loaded.manifests if each.is_ours)
    findings = [
        *_of_files(loaded.problems, Severity.ERROR, reason="Unreadable"),
        *_of_files(loaded.unset_variables, Severity.WARNING, reason="VariableNotSet"),
        *_of_objects(ours, inputs_of(loaded.manifests, discovered=discovered or {}), alone=discovered is not None),
    ]
    if not ours and loaded.files and not findings:
        here = FileProblem(Position(loaded.files[0]), "holds no object of Understudy, nor does any other file")
        findings = [*_of_files([here], Severity.ERROR, reason="NoObjects")]
    order = {name: index for index, name in enumerate(loaded.files)}
    findings.sort(key=lambda each: (order.get(each.position.file, -1), each.position, each.severity, each.message))
    return Checked(
        findings=tuple(dict.fromkeys(findings)),
        objects=len(ours),
        files=len(loaded.files),
        ignored=len(loaded.ignored),
    )


def _of_files(problems: Iterable[FileProblem], severity: Severity, *, reason: str) -> Iterator[Finding]:
    for problem in problems:
        yield Finding(position=problem.position, severity=severity, reason=reason, message=problem.message)


def _of_objects(manifests: tuple[Manifest, ...], inputs: Inputs, *, alone: bool) -> Iterator[Finding]:
    readable: list[tuple[Manifest, AnyResource]] = []
    for manifest in manifests:
        yield from (_unknown(manifest, field) for field in unknown_fields(manifest.raw))
        resource = parse(manifest.raw)
        if isinstance(resource, Invalid):
            for problem in resource.problems:
                yield about(manifest, problem.field, Severity.ERROR, reason="Invalid", message=problem.message)
        else:
            readable.append((manifest, resource))
    if not alone:
        inputs, assumed = assume_secrets(inputs, tuple(readable))
        yield from assumed
        inputs, assumed = assume_models(inputs, tuple(readable))
        yield from assumed
    yield from _verdicts(inputs, [manifest for manifest, _ in readable])


def _unknown(manifest: Manifest, field: UnknownField) -> Finding:
    hint = f"; did you mean {field.nearest}?" if field.nearest else ""
    message = f"is not a field of {manifest.kind}{hint}"
    return about(manifest, field.path, Severity.ERROR, reason="UnknownField", message=message)


def _verdicts(inputs: Inputs, manifests: Iterable[Manifest]) -> Iterator[Finding]:
    by_key = {ObjectKey(each.kind, each.namespace, each.name): each for each in manifests}
    for verdict in compile_objects(inputs).verdicts:
        manifest = by_key.get(verdict.object)
        if manifest is not None:  # the others have been reported as unreadable
            for finding in verdict.findings:
                yield about(manifest, finding.field, finding.severity, reason=finding.reason, message=finding.message)
