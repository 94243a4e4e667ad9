"""JSON Schemas of tools' arguments, made ready: the one place that says what of them counts, and what is taken.

The operator refuses what a proxy could not check arguments by, so both of them ask here. The library is imported when
the first schema is met: it takes 5 MB of memory, and most proxies have no tool.
"""

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from jsonschema_rs import Validator

_BACKTRACKS = 100_000
"""Steps of one regular expression, a few milliseconds: one that takes more counts as not matching."""
_REGEX_BYTES = 1024 * 1024
"""What a compiled regular expression may take up."""


class BadSchema(Exception):
    """No JSON Schema; the message says why, and `path` where."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


def validator_of(schema: dict[str, Any]) -> "Validator":
    """What checks arguments by `schema`; of draft 2020-12, unless its `$schema` says another draft.

    Raises:
        BadSchema: it is no JSON Schema, or refers to one elsewhere.
    """
    import jsonschema_rs

    elsewhere: list[str] = []

    def refuse(uri: str) -> NoReturn:
        elsewhere.append(uri)
        raise ValueError(uri)

    options = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS, size_limit=_REGEX_BYTES)
    try:
        return jsonschema_rs.validator_for(schema, retriever=refuse, pattern_options=options)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        if elsewhere:
            raise BadSchema(f"it refers to {elsewhere[0]}, and a schema must hold all that it needs") from None
        if isinstance(error, jsonschema_rs.ValidationError):
            raise BadSchema(error.message, tuple(error.instance_path)) from None
        raise BadSchema(str(error)) from None
