"""In which order Gemini takes turns, and which function calls it takes back.

Models of the third generation hand out a thought signature with the first call of a turn and want it back. A
signature that was never handed out is refused for every model: a gateway must not pass on another vendor's.
"""

from base64 import b64decode, urlsafe_b64decode
from collections.abc import Sequence
from itertools import pairwise

from understudy.mock.dialects.gemini.contents import Turn
from understudy.mock.failures import bad_request
from understudy.mock.signatures import signature

_VENDOR = "gemini"
# What may stand for the signature of a call that this vendor's models did not make; people send it in base64 or, since
# its letters are base64 themselves, as it is: https://ai.google.dev/gemini-api/docs/thought-signatures
_ESCAPE = b"skip_thought_signature_validator"
_ESCAPES = frozenset({_ESCAPE, urlsafe_b64decode(_ESCAPE)})


def wants_signatures(model: str) -> bool:
    """Whether function calls of this model come with a signature and have to be sent back with it."""
    return model.startswith("gemini-3")


def signed(name: str) -> str:
    """Return the signature of a call of the function `name`, or of a text if that is empty: base64."""
    return signature(_VENDOR, name)


def check_order(turns: Sequence[Turn], *, model: str) -> None:
    """Refuse a conversation that Google would refuse.

    Raises:
        RefusedError: With Google's words for what is wrong first.
    """
    if not turns:
        raise bad_request("* GenerateContentRequest.contents: contents is not specified")
    if turns[0].role != "user":
        raise bad_request("Please ensure that multiturn requests begin with a user turn.")
    if turns[0].of("function_response"):
        raise bad_request("Please ensure that function response turn comes immediately after a function call turn.")
    for before, after in pairwise(turns):
        _check_pair(before, after)
    for place, turn in enumerate(turns):
        _check_signatures(turn, place, model=model)


def _check_pair(before: Turn, after: Turn) -> None:
    if before.role == after.role:
        raise bad_request("Please ensure that multiturn requests alternate between user and model.")
    called, returned = before.of("function_call"), after.of("function_response")
    if returned and not called:
        raise bad_request("Please ensure that function response turn comes immediately after a function call turn.")
    if len(called) != len(returned):
        raise bad_request(
            "Please ensure that the number of function response parts is equal to the number of function call parts "
            "of the function call turn."
        )
    if sorted(part.name for part in called) != sorted(part.name for part in returned):
        raise bad_request("Please ensure that function responses have the names of the functions that were called.")


def _check_signatures(turn: Turn, place: int, *, model: str) -> None:
    for part in turn.parts:
        mark = part.signature
        if mark is not None and mark not in _ESCAPES and mark != b64decode(signed(part.name)):
            raise bad_request("Thought signature is not valid.")
    calls = turn.of("function_call")
    if turn.role == "model" and calls and wants_signatures(model) and calls[0].signature is None:
        raise bad_request(
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
            "correctly, and missing thought_signature may lead to degraded model performance. Additional data, "
            f"function call `default_api:{calls[0].name}`, position {place}."
        )
