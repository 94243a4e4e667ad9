"""Log probabilities as Gemini states them, as OpenAI does."""

from typing import Any


def read_logprobs(result: Any) -> dict[str, Any] | None:
    """OpenAI's `logprobs` of a `logprobsResult`; None when there are none."""
    chosen = result.get("chosenCandidates") if isinstance(result, dict) else None
    if not isinstance(chosen, list):
        return None
    tops = result.get("topCandidates")
    tops = tops if isinstance(tops, list) else []
    content = []
    for place, candidate in enumerate(chosen):
        if (entry := _entry(candidate)) is not None:
            top = tops[place].get("candidates") if place < len(tops) and isinstance(tops[place], dict) else None
            others = [_entry(other) for other in top] if isinstance(top, list) else []
            content.append({**entry, "top_logprobs": [other for other in others if other is not None]})
    return {"content": content} if content else None


def written(logprobs: Any) -> dict[str, Any] | None:
    """The `logprobsResult` for OpenAI's `logprobs`."""
    content = logprobs.get("content") if logprobs else None
    if not content:
        return None
    return {
        "chosenCandidates": [_candidate(entry) for entry in content],
        "topCandidates": [
            {"candidates": [_candidate(other) for other in entry.get("top_logprobs") or ()]} for entry in content
        ],
    }


def _entry(candidate: Any) -> dict[str, Any] | None:
    token = candidate.get("token") if isinstance(candidate, dict) else None
    if not isinstance(token, str):
        return None
    # Zero, which is certainty, is left out.
    chance = candidate.get("logProbability") or 0.0
    return {
        "token": token,
        "logprob": chance if isinstance(chance, (int, float)) else 0.0,
        "bytes": list(token.encode()),
    }


def _candidate(entry: dict[str, Any]) -> dict[str, Any]:
    return {"token": entry.get("token"), "logProbability": entry.get("logprob")}
