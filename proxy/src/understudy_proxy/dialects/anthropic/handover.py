"""A conversation that other vendors' models have taken part in, made fit for one that will not know their reasoning."""

from typing import Any

from understudy_proxy.dialects.canonical.signatures import MARK

_REASONING_FIRST = (["thinking"], ["redacted_thinking"])
NOT_THINKING = "The model was not asked to think: it can go on after a tool call only with its own reasoning."

Messages = list[dict[str, Any]]


def without_foreign(messages: Messages) -> Messages:
    """The messages without reasoning that another vendor has signed, or nobody: this one would refuse it."""
    cleaned = []
    for message in messages:
        content = message.get("content")
        kept = content
        if type(content) is list:
            kept = [block for block in content if not str(block.get("signature", "")).startswith(MARK)]
        if kept or not content:
            cleaned.append({**message, "content": kept})
    return cleaned


def lacks_reasoning(body: dict[str, Any]) -> bool:
    """Whether a model is to think on about the results of calls that came without reasoning of its own.

    The vendor refuses that where thinking is `enabled`, and that somebody else answered before is not the client's
    doing. Where the model decides itself how much to think, it does not mind.
    """
    thinking = body.get("thinking")
    if type(thinking) is not dict or thinking.get("type") != "enabled":
        return False
    messages: Messages = body["messages"]
    if "tool_result" not in _kinds(messages[-1]):
        return False
    said = next((message for message in reversed(messages) if message["role"] == "assistant"), None)
    return said is not None and _kinds(said)[:1] not in _REASONING_FIRST


def _kinds(message: dict[str, Any]) -> list[str]:
    """The kinds of blocks in a message."""
    content = message["content"]
    return [block["type"] for block in content] if type(content) is list else []
