"""What reaches Bedrock is signed as AWS computes it: boto3's requests, and by the same measure the gateway's."""

import asyncio
import hashlib
import hmac
import re
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import pytest

from compatibility.clients.driver import Task
from compatibility.objects import SECRET_KEY, Situation, gateway_objects
from compatibility.providers import PROVIDER_OF
from compatibility.roster import BEDROCK, CLIENTS, Client
from harness.commands import serving
from harness.drivers import driver
from harness.fixtures import skip_where_missing
from harness.sdks import sdk_python
from understudy.mock import Mock
from understudy.mock.records import Recorded

OPENAI = next(client for client in CLIENTS if client.key == "openai-3")
PROVIDER = PROVIDER_OF["Bedrock"]
NOWHERE = "http://127.0.0.1:9/"
_PARTS = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)")


def signed(request: Recorded) -> tuple[str, str]:
    """The signature that a request has, and the one that AWS would compute of what arrived.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
    """
    found = _PARTS.fullmatch(request.headers["Authorization"])
    assert found is not None, request.headers["Authorization"]
    scope, names, signature = found.groups()
    path, _, query = request.path.partition("?")
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names.split(";"))
    digest = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join([request.method, quote(path), query, headers, names, digest])
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, hashed])
    return signature, hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


async def ask(client: Client, base_url: str, model: str, folder: Path) -> None:
    """Have a whole answer and a stream, each with an image."""
    with skip_where_missing():
        python = await asyncio.to_thread(sdk_python, client.lock)
    module = f"compatibility.clients.{client.module}"
    async with driver(python, module, folder=folder, environment=client.environment) as asked:
        for stream in (False, True):
            task = Task(base_url=base_url, model=model, text="Grüß Gott", image=True, stream=stream)
            assert (await asked.ask(asdict(task)))["error"] is None


@pytest.mark.timeout(600)  # an environment may have to be made first
@pytest.mark.parametrize("through_gateway", [False, True], ids=["boto3", "gateway"])
async def test_a_signature_is_the_one_that_aws_computes(tmp_path: Path, through_gateway: bool) -> None:
    """Path, headers and body arrive as they were signed, also with a colon in the model's name."""
    async with Mock(name="ada") as mock:
        if through_gateway:
            objects = gateway_objects([PROVIDER], first=lambda _: mock.url, understudy=mock.url, tool=NOWHERE)
            (tmp_path / "gateway.yaml").write_text("---\n".join(objects))
            async with serving(tmp_path, "-f", str(tmp_path / "gateway.yaml")) as gateway:
                await ask(OPENAI, f"http://127.0.0.1:{gateway.port}", f"bedrock-{Situation.STEADY}", tmp_path)
        else:
            await ask(BEDROCK, mock.url, f"{PROVIDER.model}{Situation.STEADY}", tmp_path)
        assert [request.path.rpartition("/")[2] for request in mock.requests] == ["converse", "converse-stream"]
        for request in mock.requests:
            given, computed = signed(request)
            assert computed == given
