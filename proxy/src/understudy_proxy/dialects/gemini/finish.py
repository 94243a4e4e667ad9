"""Why a Gemini answer ends, in everyone's words and back.

An answer with function calls ends with STOP like any other. Reasons that say a model failed at something end the
answer where it is; those that say it was kept from something are a filter's.
"""

from understudy_proxy.dialects.canonical.answer import Finish

_FILTERED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "ESCALATION",
        "MODEL_ARMOR",
        "NO_IMAGE",
    }
)
_IMAGE = "IMAGE_"
MALFORMED = "MALFORMED_FUNCTION_CALL"
"""A model called a function with something that is no object."""
_REASONS = {
    Finish.STOP: "STOP",
    Finish.TOOL_CALLS: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.CONTENT_FILTER: "SAFETY",
}


def finish_of(reason: str) -> Finish:
    """What a `finishReason` means, function calls aside."""
    if reason == "MAX_TOKENS":
        return Finish.LENGTH
    if reason in _FILTERED or reason.startswith(_IMAGE):
        return Finish.CONTENT_FILTER
    return Finish.STOP


def reason_of(finish: Finish) -> str:
    """The `finishReason` for it."""
    return _REASONS[finish]
