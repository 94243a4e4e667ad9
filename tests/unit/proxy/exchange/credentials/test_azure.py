"""Microsoft Entra: tokens of an application and of workload identity, got by Microsoft's own library."""

import time
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from harness.certificates import Certificates, certificates
from harness.token_server import Asked, TokenServer
from understudy_api.config import AzureIdentity, CredentialRef
from understudy_proxy.exchange.credentials import CloudCredentials, credentials_for
from understudy_proxy.failure import FailureKind, UpstreamError


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for localhost: the library speaks to an authority over TLS only."""
    made = certificates(tmp_path_factory.mktemp("tls"), host="localhost")
    if made is None:
        pytest.skip("there is no openssl to make certificates with")
    return made


def entra(answer: dict[str, object], tls: Certificates) -> TokenServer:
    """An authority: where its endpoints are, and the token."""

    def answering(asked: Asked) -> web.Response:
        if asked.path.endswith("/openid-configuration"):
            here = f"https://localhost:{server.port}/tenant"
            return web.json_response(
                {
                    "issuer": f"{here}/v2.0",
                    "token_endpoint": f"{here}/oauth2/v2.0/token",
                    "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
                }
            )
        return web.json_response(answer, status=200 if "access_token" in answer else 401)

    server = TokenServer(answering, tls=tls.serving())
    return server


TOKEN: dict[str, object] = {"access_token": "eyJ.token", "expires_in": 3599, "token_type": "Bearer"}


def application(client_id: str) -> CloudCredentials:
    """An application with a secret; each test has its own, because equal ones share a token."""
    secret = CredentialRef(name="secret", version="1")
    identity = AzureIdentity(cloud="azure", tenant_id="tenant", client_id=client_id, client_secret=secret)
    return credentials_for(identity, {"secret": "s3cret-of-the-client"})


async def header(credentials: CloudCredentials) -> str:
    """The authorization header of a request."""
    url = URL("https://me.openai.azure.com/openai/v1/chat/completions")
    ((name, value),) = await credentials.headers("POST", url, b"", now=time.time())
    assert name == "authorization"
    return value


async def test_an_application(tls: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its secret is changed for a token, once for many requests."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.ca))
    async with entra(TOKEN, tls) as server:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"{server.url}/")
        credentials = application("client")
        assert ["Bearer eyJ.token"] * 3 == [await header(credentials) for _ in range(3)]
    (asked,) = [each for each in server.asked if each.method == "POST"]
    assert asked.form["client_id"] == "client"
    assert asked.form["client_secret"] == "s3cret-of-the-client"
    assert asked.form["scope"] == "https://cognitiveservices.azure.com/.default"


async def test_workload_identity(tls: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Everything is in the environment, as the webhook puts it there."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.ca))
    (tmp_path / "token").write_text("the-token-of-the-service-account")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant")
    monkeypatch.setenv("AZURE_CLIENT_ID", "client-of-the-pod")
    async with entra(TOKEN, tls) as server:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", server.url)
        assert await header(credentials_for(AzureIdentity(cloud="azure"), {})) == "Bearer eyJ.token"
    (asked,) = [each for each in server.asked if each.method == "POST"]
    assert asked.form["client_id"] == "client-of-the-pod"
    assert asked.form["client_assertion"] == "the-token-of-the-service-account"


async def test_a_refused_application(tls: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entra's words reach the owner; the secret does not."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.ca))
    refused: dict[str, object] = {
        "error": "invalid_client",
        "error_description": "AADSTS7000215: Invalid client secret.",
    }
    async with entra(refused, tls) as server:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", server.url)
        with pytest.raises(UpstreamError, match="invalid_client: AADSTS7000215") as raised:
            await header(application("refused"))
    assert raised.value.failure.kind is FailureKind.AUTHENTICATION
    assert "s3cret" not in str(raised.value)


async def test_without_workload_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner reads what is not set up."""
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UpstreamError, match=r"no Microsoft Entra token: AZURE_\w+ is not in the proxy's environment"):
        await header(credentials_for(AzureIdentity(cloud="azure"), {}))


def test_shows_no_secret() -> None:
    """Neither the object nor what it keeps."""
    credentials = application("shown")
    assert "s3cret" not in f"{credentials!r} {vars(credentials)!r}"
