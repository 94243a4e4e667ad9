"""`docs/translation.md` says what becomes of a request; each cell of its table is tried."""

from collections.abc import Mapping
from typing import Any

import pytest

from harness.callers import CALLERS
from harness.callers.caller import PNG, SCHEMA, Asking
from harness.gateways import Serving, in_order, route, snapshot
from harness.pages import REPOSITORY
from harness.vendors import VENDORS
from understudy.mock import Mock

PAGE = (REPOSITORY / "docs" / "translation.md").read_text()
TRANSLATED = [name for name in VENDORS if name != "openai"]
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
PDF = "JVBERi0xLjQKJSVFT0YK"


def _shown(part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "Look."}, part]}]}


ASKED: Mapping[str, Mapping[str, Any]] = {
    "`temperature` 0.5, `stop`": {"temperature": 0.5, "stop": ["x"]},
    "`temperature` above 1": {"temperature": 1.5},
    "`n` above 1": {"n": 2},
    "`seed`": {"seed": 7},
    "`frequency_penalty`, `presence_penalty`": {"frequency_penalty": 0.5, "presence_penalty": 0.5},
    "`logit_bias`": {"logit_bias": {"7": 1}},
    "`logprobs`": {"logprobs": True},
    "`response_format` json_object": {"response_format": {"type": "json_object"}},
    "`response_format` json_schema": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": dict(SCHEMA)}}
    },
    "`reasoning_effort`": {"reasoning_effort": "low"},
    "`tools`": {"tools": [TOOL]},
    "`tool_choice` required": {"tools": [TOOL], "tool_choice": "required"},
    "`parallel_tool_calls` false": {"tools": [TOOL], "parallel_tool_calls": False},
    "`user`": {"user": "u1"},
    "`service_tier` flex": {"service_tier": "flex"},
    "`metadata`, `store` and the like": {"metadata": {"a": "b"}},
    "an image, as data": _shown({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}),
    "an image, as URL": _shown({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}),
    "a PDF": _shown({"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}),
    "sound": _shown({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}),
}
"""What an OpenAI client asks for, by the table's first column."""


def _table() -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"]
    head = next(place for place, row in enumerate(rows) if row[0] == "asked for")
    assert [VENDORS[name].type for name in TRANSLATED] == rows[head][1:]
    return {row[0]: row[1:] for row in rows[head + 2 :] if row[0] in ASKED}


TABLE = _table()


def test_every_row_is_tried() -> None:
    """The page has the rows that are tried, and no other."""
    assert [*ASKED] == [*TABLE]


@pytest.mark.parametrize("vendor", TRANSLATED)
async def test_a_column(vendor: str) -> None:
    """What is said to be kept has no warning, what is said to be a warning has one, and what is refused says so."""
    async with Mock(name="a") as mock:
        given = VENDORS[vendor].provider("a", mock.url)
        async with Serving(snapshot([given], [route("chat", *in_order("a"))])) as gateway:
            caller = CALLERS["openai"]
            found = {}
            for asked, fields in ASKED.items():
                answer = await caller.send(gateway.port, Asking([caller.user("hi")]), **fields)
                found[asked] = _became(answer.status, answer.headers)
    place = TRANSLATED.index(vendor)
    assert {asked: cells[place].partition(",")[0] for asked, cells in TABLE.items()} == found


def _became(status: int, headers: Mapping[str, str]) -> str:
    if status == 200:
        return "warning" if "x-understudy-warning" in headers else "kept"
    assert (400, "unsupported") == (status, headers["x-understudy-reason"])
    return "refused"
