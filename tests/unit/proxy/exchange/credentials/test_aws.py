"""AWS: signatures that AWS would compute too, and keys from where AWS puts them."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from harness.sigv4 import SECRET, signature
from harness.token_server import Asked, TokenServer
from understudy_api.config import AWSIdentity, CredentialRef
from understudy_proxy.exchange.credentials import CloudCredentials, credentials_for
from understudy_proxy.failure import FailureKind, UpstreamError

ACCESS = "AKIDEXAMPLE"
NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp()
"""When all of AWS' published examples were signed."""
HOST = "https://bedrock-runtime.eu-central-1.amazonaws.com"
EMPTY = hashlib.sha256(b"").hexdigest()


def test_the_computation_is_the_published_one() -> None:
    """`get-vanilla` of AWS' test suite: what the tests below compare with is right."""
    request = f"GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n{EMPTY}"
    computed = signature(request, date="20150830T123600Z", region="us-east-1", service="service")
    assert computed == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


def static(token: str | None = None) -> CloudCredentials:
    """Credentials of keys out of a Secret."""
    refs = {name: CredentialRef(name=name, version="1") for name in ("id", "secret", "token")}
    identity = AWSIdentity(
        cloud="aws",
        region="eu-central-1",
        access_key_id=refs["id"],
        secret_access_key=refs["secret"],
        session_token=refs["token"] if token else None,
    )
    return credentials_for(identity, {"id": ACCESS, "secret": SECRET, "token": token or ""})


@pytest.mark.parametrize(
    ("path", "canonical_path", "query"),
    [
        pytest.param(
            "/model/amazon.nova-lite-v1:0/converse", "/model/amazon.nova-lite-v1%3A0/converse", "", id="colon"
        ),
        pytest.param(
            "/model/amazon.nova-lite-v1%3A0/converse", "/model/amazon.nova-lite-v1%253A0/converse", "", id="escaped"
        ),
        pytest.param(
            "/model/arn%3Aaws%3Abedrock%3A%3A1%3Aprofile%2Fx/converse-stream",
            "/model/arn%253Aaws%253Abedrock%253A%253A1%253Aprofile%252Fx/converse-stream",
            "",
            id="an ARN",
        ),
        pytest.param("/a", "/a", "b=2&a=1", id="a query"),
    ],
)
@pytest.mark.parametrize("body", [b"", b'{"messages": []}', b"x" * 300_000], ids=["empty", "small", "large"])
async def test_signs_as_aws_does(path: str, canonical_path: str, query: str, body: bytes) -> None:
    """The path is escaped once more, the query sorted, and the hash is of the very bytes that are sent."""
    url = URL(f"{HOST}{path}{'?' if query else ''}{query}", encoded=True)
    headers = dict(await static().headers("POST", url, body, now=NOW))
    digest = hashlib.sha256(body).hexdigest()
    assert (headers["x-amz-date"], headers["x-amz-content-sha256"]) == ("20150830T123600Z", digest)
    signed = "host;x-amz-content-sha256;x-amz-date"
    canonical = "\n".join(
        [
            "POST",
            canonical_path,
            "&".join(sorted(query.split("&"))),
            "host:bedrock-runtime.eu-central-1.amazonaws.com",
            f"x-amz-content-sha256:{digest}",
            "x-amz-date:20150830T123600Z",
            "",
            signed,
            digest,
        ]
    )
    expected = signature(canonical, date="20150830T123600Z", region="eu-central-1", service="bedrock")
    assert headers["authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={ACCESS}/20150830/eu-central-1/bedrock/aws4_request, "
        f"SignedHeaders={signed}, Signature={expected}"
    )


async def test_temporary_keys_send_their_token() -> None:
    """It is part of what is signed."""
    headers = dict(await static("the-token").headers("POST", URL(f"{HOST}/x"), b"", now=NOW))
    assert headers["x-amz-security-token"] == "the-token"
    assert "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token," in headers["authorization"]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment in which nothing of the machine's own AWS set-up is seen."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (tmp_path / "token").write_text("the-token-of-the-service-account")
    return tmp_path


def own(role: str | None = None, *, region: str = "eu-central-1") -> CloudCredentials:
    """Credentials of the proxy's environment; another region is another identity, which shares nothing."""
    return credentials_for(AWSIdentity(cloud="aws", region=region, role_arn=role), {})


def assumed(action: str) -> web.Response:
    """What STS answers."""
    until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return web.Response(
        content_type="text/xml",
        text=f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
        <Credentials><AccessKeyId>ASIAASSUMED</AccessKeyId><SecretAccessKey>assumed</SecretAccessKey>
        <SessionToken>of-the-role</SessionToken><Expiration>{until}</Expiration></Credentials>
        </{action}Result></{action}Response>""",
    )


async def test_irsa(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of the proxy's service account is changed for keys, once for many requests."""
    async with TokenServer(lambda asked: assumed(asked.form["Action"])) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/proxy")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(elsewhere / "token"))
        credentials = own()
        several = [await credentials.headers("POST", URL(f"{HOST}/x"), b"", now=NOW) for _ in range(3)]
        headers = dict(several[-1])
        assert headers["x-amz-security-token"] == "of-the-role"
        assert "Credential=ASIAASSUMED/20150830/eu-central-1/bedrock/" in headers["authorization"]
    (asked,) = sts.asked
    assert asked.form["RoleArn"] == "arn:aws:iam::123456789012:role/proxy"
    assert asked.form["WebIdentityToken"] == "the-token-of-the-service-account"


async def test_another_role(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the provider says is assumed, not what the environment says."""
    async with TokenServer(lambda asked: assumed(asked.form["Action"])) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/proxy")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(elsewhere / "token"))
        await own("arn:aws:iam::123456789012:role/another").headers("POST", URL(f"{HOST}/x"), b"", now=NOW)
    assert [asked.form["RoleArn"] for asked in sts.asked] == ["arn:aws:iam::123456789012:role/another"]


def _agent(asked: Asked) -> web.Response:
    until = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {"AccessKeyId": "ASIAPOD", "SecretAccessKey": "pod", "Token": "of-the-pod", "Expiration": until}
    assert asked.headers["Authorization"] == "the-token-of-the-service-account"
    return web.json_response(keys)


@pytest.mark.parametrize("role", [None, "arn:aws:iam::123456789012:role/llm"], ids=["as it is", "on to a role"])
async def test_pod_identity(elsewhere: Path, monkeypatch: pytest.MonkeyPatch, role: str | None) -> None:
    """The node's agent gives the keys; with them another role can be assumed."""
    async with TokenServer(_agent) as agent, TokenServer(lambda asked: assumed(asked.form["Action"])) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/v1/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(elsewhere / "token"))
        headers = dict(await own(role, region="eu-south-1").headers("POST", URL(f"{HOST}/x"), b"", now=NOW))
    assert headers["x-amz-security-token"] == ("of-the-role" if role else "of-the-pod")
    assert [asked.form["Action"] for asked in sts.asked] == (["AssumeRole"] if role else [])


@pytest.mark.usefixtures("elsewhere")
async def test_without_any_keys() -> None:
    """The request fails like one whose key is refused, and the owner reads what to set up."""
    with pytest.raises(
        UpstreamError, match=r"no AWS keys: the proxy's environment has none: set up IRSA or pod identity"
    ) as raised:
        await own(region="eu-west-1").headers("POST", URL(f"{HOST}/x"), b"", now=NOW)
    assert raised.value.failure.kind is FailureKind.AUTHENTICATION


async def test_a_token_writes_no_headers(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the agent gives, a request stays one request."""

    def agent(_: Asked) -> web.Response:
        until = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
        token = "x\r\nhost: evil"
        return web.json_response({"AccessKeyId": "ASIA", "SecretAccessKey": "pod", "Token": token, "Expiration": until})

    async with TokenServer(agent) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/v1/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(elsewhere / "token"))
        with pytest.raises(UpstreamError, match="no AWS keys: those that were given hold characters"):
            await own(region="eu-west-2").headers("POST", URL(f"{HOST}/x"), b"", now=NOW)


async def test_a_refused_role(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What STS says is passed on, without the token."""
    error = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error></ErrorResponse>"
    async with TokenServer(lambda _: web.Response(status=403, content_type="text/xml", text=error)) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(elsewhere / "token"))
        with pytest.raises(UpstreamError, match="AccessDenied") as raised:
            await own("arn:aws:iam::123456789012:role/refused").headers("POST", URL(f"{HOST}/x"), b"", now=NOW)
    assert "the-token" not in json.dumps(str(raised.value))


async def test_shows_no_secret() -> None:
    """Neither the object nor what holds it."""
    credentials = static("the-token")
    shown = f"{credentials!r} {credentials} {vars(credentials)!r}"
    assert SECRET not in shown
    assert "the-token" not in shown
