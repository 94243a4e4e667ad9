"""Whole requests: what a client sends (`openai`, `anthropic`) and what Anthropic gets (`provider`), in `cases/`."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.runtimes import a_candidate, a_model
from understudy_proxy.dialects.anthropic import request as anthropic
from understudy_proxy.dialects.anthropic.conversation import read_chat as read_anthropic
from understudy_proxy.dialects.anthropic.provider import PROVIDER
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.openai import request as openai
from understudy_proxy.dialects.openai.client import read_chat as read_openai

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def chat_of(case: dict[str, Any]) -> Chat:
    """What the client of a case means."""
    if "openai" in case:
        return read_openai(openai.read(orjson.dumps(case["openai"])))
    return read_anthropic(anthropic.read(orjson.dumps(case["anthropic"]), version=None, betas=None))


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in CASES])
def test_a_request_is_put_into_anthropics_words(path: Path) -> None:
    """Nothing is lost without a warning, and nothing is added that the client did not mean."""
    case = yaml.safe_load(path.read_text())
    call = PROVIDER.chat(chat_of(case), a_candidate("ai/claude:m", a_model(upstream_name=case["model"]))).call
    assert (case["provider"], case["warnings"]) == (orjson.loads(call.body), list(call.warnings))
