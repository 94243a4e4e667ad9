"""A persona's system prompt: included prompts first, then its own, with `{{ variables }}` filled in.

Nothing else in double braces is touched, so that a prompt may speak of templates; a value is not looked into again.
Where variables are stays known, so that a conversation can have values of its own.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from understudy_api.config import PromptPiece
from understudy_api.v1alpha1 import Persona
from understudy_api.v1alpha1.persona import SystemPrompt
from understudy_operator.compile.inputs import Inputs
from understudy_operator.compile.lookup import Lookup
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.reading import Item
from understudy_operator.compile.sources import read_config_map_text
from understudy_operator.compile.verdict import Reason

MAX_PROMPT = 262_144
"""Characters of the whole prompt: as many as one object may hold."""
MAX_DEPTH = 8
MAX_INCLUDED = 64

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")

Personas = Lookup[Item[Persona]]
Values = Mapping[str, str | None]
"""Of variables; None is declared without a value."""


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A prompt that cannot be written: where the persona at hand says the reason for it, and the reason."""

    field: str
    missing: Missing


@dataclass(frozen=True, slots=True)
class Written:
    """A prompt: with the defaults of its variables, and where they are."""

    text: str | None
    template: tuple[tuple[PromptPiece, ...], ...] = ()
    """Empty where there are no variables."""


def write_prompt(inputs: Inputs, personas: Personas, item: Item[Persona]) -> Written | Unwritable:
    """The whole system prompt of a persona."""
    system = item.resource.spec.system
    if system is None:
        return Written(None)
    writer = _Writer(inputs, personas, item.key.namespace)
    for index, name in enumerate(system.include):
        problem = writer.include(name, path=(item.key.name,), outer=_values(system, {}))
        if problem is not None:
            return Unwritable(f"spec.system.include[{index}]", problem)
    problem = writer.own(system, values=_values(system, {}))
    if problem is not None:
        own = "text" if system.text is not None else "configMapKeyRef"
        return Unwritable(f"spec.system.{own}", problem)
    return writer.written()


@dataclass(slots=True)
class _Writer:
    """Writes one prompt; each persona gets in once, where it is first included."""

    inputs: Inputs
    personas: Personas
    namespace: str
    parts: list[tuple[PromptPiece, ...]] = field(default_factory=list)
    included: set[str] = field(default_factory=set)
    length: int = 0

    def include(self, name: str, *, path: tuple[str, ...], outer: Values) -> Missing | None:
        """Add the prompt of a persona that the last one in `path` includes, and what it includes, before it."""
        if name in path:
            circle = " -> ".join((*path[path.index(name) :], name))
            return Missing(Reason.INVALID, f"goes in a circle: {circle}; remove one of the steps")
        if name in self.included:
            return None
        item = self.personas.find((self.namespace, name), namespace=self.namespace)
        if isinstance(item, Missing):
            return item
        if len(path) > MAX_DEPTH or len(self.included) >= MAX_INCLUDED:
            return Missing(Reason.INVALID, f"leads to more than {MAX_DEPTH} levels or {MAX_INCLUDED} personas")
        self.included.add(name)
        system = item.resource.spec.system
        if system is None:
            return None
        values = _values(system, outer)
        for each in system.include:
            problem = self.include(each, path=(*path, name), outer=values)
            if problem is not None:
                return problem
        problem = self.own(system, values=values)
        return None if problem is None else replace(problem, message=f"{item.key}: {problem.message}")

    def own(self, system: SystemPrompt, *, values: Values) -> Missing | None:
        """Add a persona's own text."""
        text = self._text(system)
        if isinstance(text, Missing):
            return text
        pieces: list[PromptPiece] = []
        for piece in _filled_in(text.strip("\n"), values):
            if isinstance(piece, Missing):
                return piece
            self.length += len(piece.text)
            if self.length > MAX_PROMPT:
                return Missing(Reason.INVALID, f"makes the prompt longer than {MAX_PROMPT} characters: shorten it")
            pieces.append(piece)
        self.parts.append(tuple(piece for piece in pieces if piece.text or piece.variable is not None))
        return None

    def written(self) -> Written:
        """All that was added."""
        texts = ("".join(piece.text for piece in part) for part in self.parts)
        variable = any(piece.variable is not None for part in self.parts for piece in part)
        return Written(
            "\n\n".join(text for text in texts if text) or None,
            tuple(part for part in self.parts if part) if variable else (),
        )

    def _text(self, system: SystemPrompt) -> str | Missing:
        if system.config_map_key_ref is None:
            return system.text or ""
        ref = system.config_map_key_ref
        return read_config_map_text(self.inputs, (self.namespace, ref.name), key=ref.key)


def _values(system: SystemPrompt, outer: Values) -> Values:
    """The variables of a prompt: its own defaults, unless whoever includes it says something else."""
    own = {variable.name: variable.default for variable in system.variables}
    return {**own, **{name: value for name, value in outer.items() if value is not None or name not in own}}


def _filled_in(text: str, values: Values) -> Iterator[PromptPiece | Missing]:
    """The text in pieces, so that its length is known before it is built."""
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        yield PromptPiece(text=text[end : found.start()])
        end = found.end()
        yield _value(found.group(1), values)
    yield PromptPiece(text=text[end:])


def _value(name: str, values: Values) -> PromptPiece | Missing:
    value = values.get(name)
    if value is not None:
        return PromptPiece(text=value, variable=name)
    if name in values:
        return Missing(Reason.INVALID, f"{{{{ {name} }}}} has no value: give the variable {name} a default")
    message = f"{{{{ {name} }}}} is not declared under spec.system.variables"
    return Missing(Reason.INVALID, message, wanted=name, known=tuple(values))
