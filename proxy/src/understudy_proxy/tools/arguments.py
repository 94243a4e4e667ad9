"""What a model, or whoever asks, gives a tool: checked against the tool's JSON Schema before anything is called."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from understudy_api.config.schemas import BadSchema, validator_of
from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.failure import bounded
from understudy_proxy.tools.explaining import is_affordable

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

MAX_BYTES = 1024 * 1024
"""Of arguments, as JSON."""
_SHOWN = 4
"""Problems that one message tells of."""
_ALL = "arguments"


class BadArguments(Exception):
    """A tool cannot be called with them; the message says why, and where."""


class Arguments:
    """Checks the arguments of tools; what checks a tool's is made when it is first called."""

    def __init__(self) -> None:
        self._validators: dict[RuntimeTool, Validator] = {}

    def checked(self, tool: RuntimeTool, given: object) -> dict[str, Any]:
        """The arguments, as an object; of JSON text, as models write it, what it holds.

        Raises:
            BadArguments: they are no object, too large, or not what the tool takes.
        """
        arguments = _object(given)
        try:
            validator = self._validator(tool)
            if validator.is_valid(arguments):
                return arguments
            if not is_affordable(tool.parameters, arguments):
                raise BadArguments(f"{_ALL} are not what its schema asks for, and too large or deep to say where")
            problems = [_problem(error) for error in islice(validator.iter_errors(arguments), _SHOWN)]
        except (ValueError, RecursionError) as error:
            raise BadArguments(bounded(f"{_ALL} cannot be checked: {error}")) from None
        raise BadArguments("; ".join(problems))

    def forget(self) -> None:
        """Tools have changed."""
        self._validators.clear()

    def _validator(self, tool: RuntimeTool) -> "Validator":
        found = self._validators.get(tool)
        if found is None:
            try:
                found = self._validators[tool] = validator_of(dict(tool.parameters))
            except BadSchema as error:
                raise BadArguments(f"the parameters of {tool.key} are no JSON Schema: {error}") from None
        return found


def _object(given: object) -> dict[str, Any]:
    if isinstance(given, str):
        if len(given) > MAX_BYTES:
            raise BadArguments(f"{_ALL} are longer than {MAX_BYTES} bytes")
        try:
            given = orjson.loads(given) if given.strip() else {}
        except ValueError as error:
            raise BadArguments(bounded(f"{_ALL} are not JSON: {error}")) from None
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadArguments(f"{_ALL} must be an object, by argument names")
    try:
        size = len(orjson.dumps(given))
    except TypeError as error:  # nested deeper than other programs read, or no Unicode
        raise BadArguments(bounded(f"{_ALL} cannot be sent: {error}")) from None
    if size > MAX_BYTES:
        raise BadArguments(f"{_ALL} are longer than {MAX_BYTES} bytes")
    return given


def _problem(error: "ValidationError") -> str:
    return bounded(f"{_spelled(error.instance_path)}: {error.message}")


def _spelled(path: Iterable[str | int]) -> str:
    """`filters.tags[2]`; the whole is `arguments`."""
    spelled = ""
    for step in path:
        spelled += f"[{step}]" if isinstance(step, int) else f".{step}" if spelled else step
    return spelled or _ALL
