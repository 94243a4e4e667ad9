"""Paths that no gateway serves, asked by SDKs that have methods for them: each hears so in its own vendor's words."""

from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from harness.gateways import Serving, snapshot


@pytest.fixture
async def gateway() -> AsyncIterator[Serving]:
    """A gateway that serves nothing yet."""
    async with Serving(snapshot([], [])) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        pytest.param("/v1/files", {}, {"error": {"code": "unknown_url"}}, id="openai-files"),
        pytest.param(
            "/v1/messages/batches",
            {},
            {"type": "error", "error": {"type": "not_found_error"}},
            id="anthropic-batches",
        ),
        pytest.param(
            "/v1/files",
            {"anthropic-version": "2023-06-01"},
            {"type": "error", "error": {"type": "not_found_error"}},
            id="anthropic-files",
        ),
        pytest.param(
            "/ns/team-b/v1/messages/batches",
            {},
            {"type": "error", "error": {"type": "not_found_error"}},
            id="anthropic-in-a-namespace",
        ),
        pytest.param("/v1beta/cachedContents", {}, {"error": {"code": 404, "status": "NOT_FOUND"}}, id="gemini-caches"),
        pytest.param(
            "/v1/cachedContents",
            {"x-goog-api-key": "any"},
            {"error": {"code": 404, "status": "NOT_FOUND"}},
            id="gemini-by-its-key",
        ),
        pytest.param("/upload/v1beta/files", {}, {"error": {"code": 404, "status": "NOT_FOUND"}}, id="gemini-uploads"),
        pytest.param("/api/pull", {}, {"error": "There is nothing at POST /api/pull."}, id="ollama-pull"),
        pytest.param(
            "/api/v1/nothing", {}, {"detail": "There is nothing at POST /api/v1/nothing."}, id="speaking-no-dialect"
        ),
    ],
)
async def test_each_client_hears_in_its_own_words_that_nothing_is_there(
    gateway: Serving, path: str, headers: dict[str, str], expected: dict[str, object]
) -> None:
    """An SDK that asks for what is not served raises its own exception, with the message in its place."""
    url = f"http://127.0.0.1:{gateway.port}{path}"
    async with aiohttp.ClientSession() as session, session.post(url, json={}, headers=headers) as answer:
        body = orjson.loads(await answer.read())
    assert answer.status == 404
    assert expected == _common(body, expected)


def _common(body: object, expected: object) -> object:
    """What `body` has where `expected` has something."""
    if not isinstance(body, dict) or not isinstance(expected, dict):
        return body
    return {name: _common(body.get(name), wanted) for name, wanted in expected.items()}
