"""Golden transcripts of Bedrock, one file a case.

`requests/`: what a client sends (`openai`, `anthropic`), and what Bedrock gets (`path`, `provider`, `warnings`).
`answers/`: what Bedrock answers (`whole`, and as the events of a `stream`), and what everyone gets of it (`answer`).
"""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.canonical import decoded, folded, plain
from harness.runtimes import a_candidate, a_model
from understudy.mock.dialects.event_stream import event
from understudy_proxy.dialects.anthropic import request as anthropic
from understudy_proxy.dialects.anthropic.conversation import read_chat as read_anthropic
from understudy_proxy.dialects.bedrock.provider import PROVIDER
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Role, Text
from understudy_proxy.dialects.canonical.events import Ended
from understudy_proxy.dialects.openai import request as openai
from understudy_proxy.dialects.openai.client import read_chat as read_openai
from understudy_proxy.dialects.provider import ChatTurn

HELLO = Chat("m", (Message(Role.USER, (Text("Hello"),)),))


def _cases(folder: str) -> list[Any]:
    paths = sorted((Path(__file__).parent / folder).glob("*.yaml"))
    return [pytest.param(yaml.safe_load(path.read_text()), id=path.stem) for path in paths]


def _turn(chat: Chat, model: str) -> ChatTurn:
    return PROVIDER.chat(chat, a_candidate("ai/aws:m", a_model(upstream_name=model)))


def _chat(case: dict[str, Any]) -> Chat:
    """What the client of a case means."""
    if "openai" in case:
        return read_openai(openai.read(orjson.dumps(case["openai"])))
    return read_anthropic(anthropic.read(orjson.dumps(case["anthropic"]), version=None, betas=None))


def _stream(case: dict[str, Any]) -> bytes:
    return b"".join(event(kind, orjson.dumps(said)) for one in case["stream"] for kind, said in one.items())


@pytest.mark.parametrize("case", _cases("requests"))
def test_a_request_is_put_into_bedrocks_words(case: dict[str, Any]) -> None:
    """Nothing is lost without a warning, and nothing is added that the client did not mean."""
    call = _turn(_chat(case), case["model"]).call
    assert case["path"] == call.path
    assert case["provider"] == orjson.loads(call.body)
    assert case["warnings"] == list(call.warnings)


@pytest.mark.parametrize("case", _cases("answers"))
def test_an_answer_says_what_its_file_says(case: dict[str, Any]) -> None:
    """In one piece."""
    answer = _turn(HELLO, case["model"]).read(200, {}, orjson.dumps(case["whole"]))
    assert isinstance(answer, Answer)
    assert case["answer"] == plain(answer)


@pytest.mark.parametrize("case", _cases("answers"))
def test_a_stream_says_the_same(case: dict[str, Any]) -> None:
    """Wherever its chunks fall, and it is known to be whole."""
    stream = _stream(case)
    for place in range(0, len(stream), 7):
        events = decoded(_turn(HELLO, case["model"]).decoder(), stream[:place], stream[place:])
        assert isinstance(events[-1], Ended)
        assert case["answer"] == folded(events)
