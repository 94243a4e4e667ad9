"""Google Cloud: tokens of a service account's key and of a metadata server, got by Google's own library."""

import asyncio
import json
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from yarl import URL

from harness.token_server import Asked, TokenServer
from understudy_api.config import CredentialRef, GCPIdentity
from understudy_proxy.exchange.credentials import CloudCredentials, UnusableIdentity, credentials_for
from understudy_proxy.failure import FailureKind, UpstreamError

IDENTITY = GCPIdentity(cloud="gcp", service_account=CredentialRef(name="key", version="1"))
URL_OF_A_MODEL = URL("https://aiplatform.googleapis.com/v1/x")


@cache
def key() -> rsa.RSAPrivateKey:
    """A key; making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account(token_uri: str, **others: Any) -> str:
    """A service account's key file."""
    pem = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    email = "me@project.iam.gserviceaccount.com"
    known = {"type": "service_account", "client_email": email, "private_key_id": "1", "token_uri": token_uri}
    return json.dumps({**known, "private_key": pem, **others})


def given(lifetime: int = 3600) -> web.Response:
    """What a token server answers."""
    return web.json_response({"access_token": "ya29.token", "expires_in": lifetime, "token_type": "Bearer"})


async def header(credentials: CloudCredentials, *, now: float | None = None) -> str:
    """The authorization header of a request."""
    headers = await credentials.headers("POST", URL_OF_A_MODEL, b"", now=time.time() if now is None else now)
    ((name, value),) = headers
    assert name == "authorization"
    return value


async def test_a_service_account() -> None:
    """The key signs who it is and what for; the token that it gets serves many requests."""
    async with TokenServer(lambda _: given()) as server:
        credentials = credentials_for(IDENTITY, {"key": account(f"{server.url}/token")})
        assert ["Bearer ya29.token"] * 3 == [await header(credentials) for _ in range(3)]
    (asked,) = server.asked
    public = key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(asked.form["assertion"], public, algorithms=["RS256"], options={"verify_aud": False}, leeway=10)
    assert claims["iss"] == "me@project.iam.gserviceaccount.com"
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"


async def test_is_renewed_before_it_runs_out() -> None:
    """Minutes before, beside the requests; they go on with the old one."""
    tokens = iter(["first", "second"])

    def answering(_: Asked) -> web.Response:
        return web.json_response({"access_token": next(tokens), "expires_in": 3600, "token_type": "Bearer"})

    async with TokenServer(answering) as server:
        credentials = credentials_for(IDENTITY, {"key": account(f"{server.url}/renewing")})
        now = time.time()
        assert await header(credentials, now=now) == "Bearer first"
        assert await header(credentials, now=now + 3000) == "Bearer first"
        assert len(server.asked) == 1
        assert await header(credentials, now=now + 3400) == "Bearer first"
        while await header(credentials, now=now + 3400) == "Bearer first":  # noqa: ASYNC110 - the test's own bound
            await asyncio.sleep(0.01)
        assert await header(credentials, now=now + 3400) == "Bearer second"
    assert len(server.asked) == 2


async def test_a_refused_account() -> None:
    """Google's words reach the owner; the key does not."""
    refused = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    async with TokenServer(lambda _: web.json_response(refused, status=400)) as server:
        credentials = credentials_for(IDENTITY, {"key": account(f"{server.url}/refusing")})
        with pytest.raises(
            UpstreamError, match=r"no Google Cloud token: RefreshError: .*Invalid JWT Signature"
        ) as raised:
            await header(credentials)
    assert raised.value.failure.kind is FailureKind.AUTHENTICATION
    assert "PRIVATE KEY" not in str(raised.value)


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param('{"type": "service_account", "private_key": "canary"}', id="half of it"),
        pytest.param(account("http://x", private_key="-----BEGIN canary"), id="no key"),
    ],
)
def test_what_is_no_key_is_said_without_showing_it(secret: str) -> None:
    """Such a provider is out at once, not at its first request."""
    with pytest.raises(UnusableIdentity, match="its service account key cannot be read") as raised:
        credentials_for(IDENTITY, {"key": secret})
    assert "canary" not in str(raised.value)
    assert raised.value.__suppress_context__


SCRIPT = """
import asyncio, time
from yarl import URL
from understudy_api.config import GCPIdentity
from understudy_proxy.exchange.credentials import credentials_for
credentials = credentials_for(GCPIdentity(cloud="gcp"), {})
print(asyncio.run(credentials.headers("POST", URL("https://x/"), b"", now=time.time())))
"""


async def test_workload_identity(tmp_path: Path) -> None:
    """Without a key the place where the proxy runs says who it is: here by its metadata server."""

    def answering(asked: Asked) -> web.Response:
        flavor = {"Metadata-Flavor": "Google"}
        if asked.path.endswith("/token"):
            return web.json_response(
                {"access_token": "ya29.of-the-pod", "expires_in": 3600, "token_type": "Bearer"}, headers=flavor
            )
        if asked.path.endswith("/project-id") or asked.path.endswith("/universe-domain"):
            return web.Response(text="project", headers=flavor)
        if asked.path.endswith("/default/"):
            return web.json_response({"email": "pod@project", "scopes": []}, headers=flavor)
        return web.Response(text="ok", headers=flavor)

    async with TokenServer(answering) as server:
        at = f"127.0.0.1:{server.port}"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "CLOUDSDK_CONFIG": str(tmp_path),
            "GCE_METADATA_HOST": at,
            "GCE_METADATA_IP": at,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, env=environment, stdout=-1, stderr=-1
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert out.decode().strip() == "(('authorization', 'Bearer ya29.of-the-pod'),)", err.decode()


def test_shows_no_secret() -> None:
    """Neither the object nor what it keeps."""
    credentials = credentials_for(IDENTITY, {"key": account("http://127.0.0.1:9/shown")})
    assert "PRIVATE KEY" not in f"{credentials!r} {vars(credentials)!r}"
