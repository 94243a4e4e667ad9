"""Log probabilities, which are a list here and an object with that list at OpenAI."""

from typing import Any


def read_logprobs(given: Any) -> dict[str, Any] | None:
    """OpenAI's `logprobs` of a list; None when there are none."""
    content = [
        {**entry, "top_logprobs": _top(one)}
        for one in (given if isinstance(given, list) else ())
        if (entry := _entry(one)) is not None
    ]
    return {"content": content} if content else None


def _top(entry: Any) -> list[dict[str, Any]]:
    top = entry.get("top_logprobs") if isinstance(entry, dict) else None
    return [other for one in top if (other := _entry(one)) is not None] if isinstance(top, list) else []


def _entry(given: Any) -> dict[str, Any] | None:
    token = given.get("token") if isinstance(given, dict) else None
    if not isinstance(token, str):
        return None
    chance = given.get("logprob")
    return {
        "token": token,
        "logprob": chance if isinstance(chance, (int, float)) else 0.0,
        "bytes": list(token.encode()),
    }
