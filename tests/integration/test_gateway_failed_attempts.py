"""What an owner finds in the log who has a request id and a 502."""

import json

from harness.asking import ask
from harness.gateways import KEY, Serving, in_order, provider, route, snapshot
from harness.raw_http import eventually
from harness.raw_upstream import RawUpstream, answering
from understudy.mock import Mock
from understudy_api.config import RetryPolicy

SAID = {"error": {"message": f"worker 3 died while it served {KEY}", "type": "server_error", "code": "worker_died"}}


async def test_a_failed_attempt_can_be_looked_up() -> None:
    """By the request id: who was asked, what came, in the provider's words without secrets; a success has no line."""
    body = json.dumps(SAID).encode()
    head = b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    once = RetryPolicy(attempts=2)
    async with RawUpstream(answering(head + body)) as raw, Mock(name="b") as b:
        providers = [provider("a", f"http://127.0.0.1:{raw.port}"), provider("b", b.url)]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"), retry=once)])) as gateway:
            assert (await ask(gateway.port, headers={"x-request-id": "hunted"})).header("provider") == "default/b"
            await eventually(lambda: any(line["message"] == "request" for line in gateway.log()))
            (line,) = [line for line in gateway.log() if line["message"] == "attempt failed"]
    assert KEY not in json.dumps(line)
    assert {
        "level": "warning",
        "request_id": "hunted",
        "provider": "default/a",
        "model": "m",
        "reason": "server_error",
        "status": 502,
        "code": "worker_died",
    }.items() <= line.items()
    assert line["said"].startswith("worker 3 died")
