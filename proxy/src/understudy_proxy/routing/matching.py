"""Which rule of a target a request falls under, and for each other one why not."""

from collections.abc import Mapping

from understudy_api.config import HeaderMatch, Match
from understudy_proxy.config.runtime import RuntimeRule, RuntimeTarget
from understudy_proxy.routing.need import Need


def first_match(target: RuntimeTarget, need: Need, headers: Mapping[str, str]) -> RuntimeRule | None:
    """The first rule that matches."""
    for rule in target.rules:
        if not rule.matches:
            return rule
        for match in rule.matches:
            if mismatch(match, need, headers) is None:
                return rule
    return None


def mismatch(match: Match, need: Need, headers: Mapping[str, str]) -> str | None:
    """Why a request does not match, as a sentence about it; None when all that `match` gives holds.

    Callers are not identified yet, so a match that names some never holds.
    """
    if match.callers:
        return f"it must come from {' or '.join(match.callers)}, and callers are not identified"
    if match.stream is not None and match.stream is not need.stream:
        return "it must be a stream" if match.stream else "it must not be a stream"
    if match.min_input_tokens is not None and need.input_tokens < match.min_input_tokens:
        return f"it must have {match.min_input_tokens} input tokens and has about {need.input_tokens}"
    if not match.requires <= need.capabilities:
        return f"it must need {', '.join(sorted(match.requires - need.capabilities))}"
    for wanted in match.headers:
        if not _carries(wanted, headers):
            return f"its header {wanted.name} must {'begin with' if wanted.prefix else 'be'} {wanted.value!r}"
    return None


def _carries(wanted: HeaderMatch, headers: Mapping[str, str]) -> bool:
    value = headers.get(wanted.name)
    if value is None:
        return False
    return value.startswith(wanted.value) if wanted.prefix else value == wanted.value
