"""Providers that want each request signed, or tokens that run out, as their servers see them."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.asking import ask
from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.raw_http import exchange
from harness.raw_upstream import Line, RawUpstream, Received, ok
from harness.sigv4 import SECRET, is_signed
from harness.token_server import TokenServer
from understudy.mock import Mock
from understudy_api.config import AWSIdentity, CloudIdentity, CredentialRef, GCPIdentity, Provider, Snapshot

ANSWER = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    }
).encode()


class Cloud:
    """Keeps what comes, and answers all of it."""

    def __init__(self) -> None:
        self.received: list[Received] = []

    async def serve(self, line: Line) -> None:
        """The script."""
        while True:
            self.received.append(await line.request())
            await line.send(ok(ANSWER, "content-type: application/json"))


def signed_in(port: int, identity: CloudIdentity) -> Provider:
    """The provider `a`, which signs in like this."""
    made = provider("a", f"http://127.0.0.1:{port}")
    return made.model_copy(update={"credential": None, "cloud": identity})


def with_secrets(whole: Snapshot, **secrets: str) -> Snapshot:
    """The same with these secrets beside."""
    credentials = whole.credentials.model_copy(update={"values": {**whole.credentials.values, **secrets}})
    return Snapshot(whole.config, credentials)


AWS = AWSIdentity(
    cloud="aws",
    region="eu-central-1",
    access_key_id=CredentialRef(name="id", version="1"),
    secret_access_key=CredentialRef(name="secret", version="1"),
)


@pytest.mark.parametrize("said", ["hi", "Grüße 🎭", "x" * 400_000], ids=["short", "not ASCII", "long"])
async def test_what_is_sent_is_what_is_signed(said: str) -> None:
    """AWS would accept it: method, path, host and every byte of the body, on a new connection and on a kept one."""
    cloud = Cloud()
    async with RawUpstream(cloud.serve) as upstream:
        whole = snapshot([signed_in(upstream.port, AWS)], [route("chat", *in_order("a"))])
        async with Serving(with_secrets(whole, id="AKIDEXAMPLE", secret=SECRET)) as gateway:
            told = [await ask(gateway.port, said=said) for _ in range(3)]
    assert [200] * 3 == [one.status for one in told]
    assert [True] * 3 == [is_signed(received) for received in cloud.received]
    assert said in json.loads(cloud.received[0].body)["messages"][0]["content"]


def account(token_uri: str) -> str:
    """A service account's key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    known = {"type": "service_account", "client_email": "me@project", "token_uri": token_uri, "private_key_id": "1"}
    return json.dumps({**known, "private_key": pem})


GCP = GCPIdentity(cloud="gcp", service_account=CredentialRef(name="account", version="1"))


async def test_without_a_token_the_understudy_answers() -> None:
    """The reason is told to the caller; when the cloud gives tokens again, the provider is asked again."""
    cloud, refusal = Cloud(), {"error": "invalid_grant", "error_description": "Account disabled."}
    given: dict[str, Any] = {"access_token": "ya29.token", "expires_in": 3600, "token_type": "Bearer"}
    refusing = True

    def answering(_: object) -> web.Response:
        return web.json_response(refusal, status=400) if refusing else web.json_response(given)

    async with RawUpstream(cloud.serve) as upstream, TokenServer(answering) as tokens, Mock(name="b") as b:
        providers = [signed_in(upstream.port, GCP), provider("b", b.url)]
        whole = snapshot(providers, [route("chat", *in_order("a", "b"))])
        secret = account(f"{tokens.url}/token")
        async with Serving(with_secrets(whole, account=secret)) as gateway:
            told = await ask(gateway.port)
            assert (told.status, told.header("provider"), told.header("attempts")) == (200, "default/b", "2")
            assert "authentication" in (told.header("reason") or "")
            assert cloud.received == []
            refusing = False
            async with asyncio.timeout(30):
                while (await ask(gateway.port)).header("provider") != "default/a":  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            shown = await exchange(gateway.gateway.admin_port, "GET", "/config")
        lines = json.dumps(gateway.log())
    assert cloud.received[0].headers["authorization"] == "Bearer ya29.token"
    assert "Account disabled" in lines
    for hidden in ("ya29.token", "PRIVATE KEY"):
        assert hidden not in lines
        assert hidden not in shown.body.decode()
