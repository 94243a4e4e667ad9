"""What the API's types are made of: the model base, and rules that hold both in the API server and in Python.

Each rule is declared once, where it belongs, and used twice: `crdgen` writes it into the CRD, and pydantic checks it
wherever there is no cluster.
"""

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must hold: between the fields of a part that lists it, or of a value that it annotates.

    Attributes:
        cel: The rule for the API server, over `self`.
        message: What a person sees when it is broken.
        holds: The same rule over the model or the value.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the annotated value, and then the check."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of the annotated value with the rule."""
        return {**handler(schema), **rules((self,))}

    def _check(self, value: Any) -> Any:
        refuse_broken((self,), value)
        return value


def rules(invariants: tuple[Invariant, ...]) -> JsonSchemaValue:
    """Invariants as Kubernetes' own keyword."""
    return {"x-kubernetes-validations": [{"rule": each.cel, "message": each.message} for each in invariants]}


def refuse_broken(invariants: tuple[Invariant, ...], value: Any) -> None:
    """Raise one error with the messages of all invariants that `value` breaks."""
    broken = [each.message for each in invariants if not each.holds(value)]
    if broken:
        raise PydanticCustomError("invariant", "{messages}", {"messages": broken})


class ApiModel(BaseModel):
    """A part of an object as users write it: camelCase on the wire, frozen once read, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    invariants: ClassVar[tuple[Invariant, ...]] = ()

    @model_validator(mode="after")
    def _check_invariants(self) -> Self:
        refuse_broken(self.invariants, self)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        """The model's schema with its invariants as Kubernetes' own keyword."""
        json_schema = handler(schema)
        if cls.invariants:
            handler.resolve_ref_schema(json_schema).update(rules(cls.invariants))
        return json_schema


@dataclass(frozen=True, slots=True)
class UniqueBy:
    """A list in which no two entries share the value of field `key`: a `map` list, as server-side apply merges it."""

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The list's schema, and then the check."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The list's schema with Kubernetes' own keywords."""
        return {
            **handler(schema),
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": [self.key],
        }

    def _check(self, entries: tuple[BaseModel, ...]) -> tuple[BaseModel, ...]:
        _refuse_duplicates([getattr(entry, self.key) for entry in entries], of=f"{self.key} ")
        return entries


@dataclass(frozen=True, slots=True)
class Unique:
    """A list of scalars in which no value appears twice: a `set` list."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The list's schema, and then the check."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The list's schema with Kubernetes' own keyword."""
        return {**handler(schema), "x-kubernetes-list-type": "set"}

    @staticmethod
    def _check(entries: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
        _refuse_duplicates(list(entries), of="")
        return entries


def _refuse_duplicates(values: list[Any], *, of: str) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise PydanticCustomError("duplicate", "has {of}{value} twice", {"of": of, "value": json.dumps(value)})
        seen.add(value)
