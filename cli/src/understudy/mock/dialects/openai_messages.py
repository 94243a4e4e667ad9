"""Reading the messages of OpenAI's chat completions: what they hold, and that calls and results meet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.mock.asks import Media, MediaKind
from understudy.mock.failures import RefusedError, bad_request
from understudy.mock.media import check_base64, from_url

TOOLS = frozenset({"tool", "function"})
"""The roles in which a tool's result comes, today's and the one before it."""

_ROLES = frozenset({"system", "developer", "user", "assistant"}) | TOOLS
_TYPES = ("text", "image_url", "input_audio", "refusal", "file")


@dataclass(slots=True)
class Message:
    """One message, read: its texts and media, the ids of the tools it calls, and the call whose result it is."""

    role: str
    texts: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    answers: str | None = None

    @property
    def text(self) -> str:
        """What is said in it."""
        return "\n".join(self.texts)


def read_messages(body: Mapping[str, Any]) -> list[Message]:
    """Read the messages of a body.

    Raises:
        RefusedError: With OpenAI's words for what is wrong first.
    """
    given = body.get("messages")
    if given is not None and not isinstance(given, list):
        raise bad_request("Invalid type for 'messages': expected an array.", param="messages")
    if not given:
        raise bad_request("'messages' has to be an array with at least one message.", param="messages")
    messages = [_message(message, f"messages[{place}]") for place, message in enumerate(given)]
    _check_results(messages)
    return messages


def _message(given: Any, at: str) -> Message:
    role = given.get("role") if isinstance(given, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        known = ", ".join(sorted(_ROLES))
        raise bad_request(f"'{at}' has to be an object with a 'role' of {known}.", param=f"{at}.role")
    message = Message(role)
    if role == "tool":
        message.answers = given.get("tool_call_id")
        if not isinstance(message.answers, str):
            raise bad_request(f"'{at}' with role 'tool' has to have a 'tool_call_id'.", param=f"{at}.tool_call_id")
    if role == "assistant":
        message.calls = _calls(given, at)
    _read_content(message, given, at)
    return message


def _read_content(message: Message, given: Mapping[str, Any], at: str) -> None:
    content = given.get("content")
    if isinstance(content, str):
        message.texts.append(content)
    elif isinstance(content, list):
        for place, part in enumerate(content):
            _read_part(message, part, f"{at}.content[{place}]")
    elif content is not None:
        raise _wrong(f"{at}.content", "expected a string or an array of parts")
    elif message.role != "assistant" or not any(
        given.get(name) for name in ("tool_calls", "function_call", "refusal", "audio")
    ):
        raise _wrong(f"{at}.content", "expected a string, got null")


def _read_part(message: Message, part: Any, at: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in _TYPES:
        raise _wrong(f"{at}.type", f"'{kind}'. Supported values are: {', '.join(map(repr, _TYPES))}")
    if kind in {"text", "refusal"}:
        if not isinstance(part.get(kind), str):
            raise _wrong(f"{at}.{kind}", "expected a string")
        message.texts.append(part[kind])
        return
    if message.role != "user":
        raise _wrong(at, f"'{kind}' is only allowed for messages with role 'user', but this one has '{message.role}'")
    if not isinstance(part.get(kind), dict):
        raise _wrong(f"{at}.{kind}", "expected an object")
    message.media.append(_READERS[kind](part[kind], f"{at}.{kind}"))


def _image(given: Mapping[str, Any], at: str) -> Media:
    url = given.get("url")
    if not isinstance(url, str) or not url.startswith(("data:", "https://", "http://")):
        raise _wrong(f"{at}.url", "expected a valid URL")
    return from_url(MediaKind.IMAGE, url, param=at)


def _audio(given: Mapping[str, Any], at: str) -> Media:
    check_base64(given.get("data"), param=at, message="The audio data is no valid base64.")
    return Media(MediaKind.AUDIO, f"audio/{given.get('format')}")


def _file(given: Mapping[str, Any], at: str) -> Media:
    data = given.get("file_data")
    return from_url(MediaKind.DOCUMENT, str(data), param=at) if data else Media(MediaKind.DOCUMENT, "by file id")


_READERS: dict[str, Callable[[Mapping[str, Any], str], Media]] = {
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}


def _calls(given: Mapping[str, Any], at: str) -> list[str]:
    """Return the ids of the tools that a message calls."""
    calls = given.get("tool_calls")
    if calls is None:
        return []
    if not isinstance(calls, list) or not calls:
        raise _wrong(f"{at}.tool_calls", "expected an array with minimum length 1")
    return [_call(call, f"{at}.tool_calls[{place}]") for place, call in enumerate(calls)]


def _call(call: Any, at: str) -> str:
    called = call.get("id") if isinstance(call, dict) else None
    if not isinstance(called, str):
        raise _wrong(f"{at}.id", "expected a string")
    function = call.get("function")
    if call.get("type", "function") == "function":
        for name in ("name", "arguments"):
            if not isinstance(function, dict) or not isinstance(function.get(name), str):
                raise _wrong(f"{at}.function.{name}", "expected a string")
    return called


def _check_results(messages: list[Message]) -> None:
    """Refuse calls whose results do not all follow at once, and results that nobody asked for."""
    open_calls: list[str] = []
    asked: list[str] = []
    for place, message in enumerate(messages):
        if message.role == "tool":
            if message.answers not in asked:
                text = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                raise bad_request(f"{text}'tool_calls'.", param=f"messages.[{place}].role")
            open_calls = [called for called in open_calls if called != message.answers]
            continue
        _check_all_answered(open_calls, place)
        open_calls = asked = message.calls
    _check_all_answered(open_calls, len(messages))


def _check_all_answered(open_calls: list[str], place: int) -> None:
    if open_calls:
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. The following tool_call_ids did not have response messages: "
        )
        raise bad_request(text + ", ".join(open_calls), param=f"messages.[{place}].role")


def _wrong(at: str, why: str) -> RefusedError:
    return bad_request(f"Invalid value for '{at}': {why}.", param=at)
