"""Signs of life that the gateway itself gives, in every dialect, before there is a word of the answer."""

from typing import Any

import orjson
import pytest

from harness.callers import CALLERS
from harness.callers.caller import Asking, Caller
from understudy_proxy.dialects.anthropic import request as anthropic
from understudy_proxy.dialects.anthropic.client import CLIENT as ANTHROPIC
from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.events import Began, Counted, Ended, Event, Finished, KeptAlive, TextDelta
from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.gemini import request as gemini
from understudy_proxy.dialects.gemini.client import CLIENT as GEMINI
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.ollama import request as ollama
from understudy_proxy.dialects.ollama.client import CLIENT as OLLAMA
from understudy_proxy.dialects.openai import request as openai
from understudy_proxy.dialects.openai.client import CLIENT as OPENAI
from understudy_proxy.dialects.usage import Usage

ALIVE = KeptAlive(ours=True)
REST: list[Event] = [TextDelta("Hello"), Finished(Finish.STOP), Counted(Usage(7, 3)), Ended()]


def asked(name: str, body: bytes) -> tuple[ChatClient[Any], Asked]:
    """A client's dialect, and its request as its door reads it."""
    match name:
        case "openai":
            return OPENAI, openai.read(body)
        case "anthropic":
            return ANTHROPIC, anthropic.read(body, version="2023-06-01", betas=None)
        case "gemini":
            return GEMINI, gemini.read(body, model="chat", stream=True, array=False)
        case _:
            return OLLAMA, ollama.read_chat(body)


@pytest.mark.parametrize("name", CALLERS)
def test_they_open_a_stream_that_clients_can_read(name: str) -> None:
    """Something is sent at once and each time, and it is no part of the answer."""
    caller: Caller = CALLERS[name]
    body = orjson.dumps(caller.body(Asking([caller.user("Hi")], stream=True)))
    client, request = asked(name, body)
    encoder = client.encoder(request)
    alive = [encoder.encode([Began("id", "m"), Counted(Usage(7, 0)), ALIVE]), encoder.encode([ALIVE])]
    assert all(alive)
    heard = caller.put_together(caller.events(b"".join(alive) + encoder.encode(REST)))
    assert ("Hello", "stop") == (heard.text, heard.finish)
    assert heard.usage is not None
    assert (7, 3) == (heard.usage["input"], heard.usage["output"])
