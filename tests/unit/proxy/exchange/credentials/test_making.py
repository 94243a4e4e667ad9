"""Which credentials a configuration gets: shared while anybody holds them, and only with their library."""

import gc
import subprocess
import sys

import pytest

from harness.runtimes import a_provider
from understudy_api.config import (
    AWSIdentity,
    AzureIdentity,
    CloudIdentity,
    Config,
    CredentialRef,
    Credentials,
    GCPIdentity,
    Snapshot,
    decode,
    encode,
    with_revision,
)
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.exchange.credentials import credentials_for

SECRET = "wJalrXUtnFEMI"


def aws(version: str = "1") -> AWSIdentity:
    """Keys out of a Secret."""
    return AWSIdentity(
        cloud="aws",
        region="eu-central-1",
        access_key_id=CredentialRef(name="id", version=version),
        secret_access_key=CredentialRef(name="secret", version=version),
    )


def built(identity: CloudIdentity, **secrets: str) -> Runtime:
    """A runtime with one provider that signs in like this."""
    provider = a_provider("ai/cloud", "m").model_copy(update={"cloud": identity})
    config = Config(revision="r1", providers={"ai/cloud": provider})
    return build(Snapshot(config, Credentials(revision="r1", values=secrets)), now=1.0)


def test_a_reload_keeps_what_is_valid() -> None:
    """The same identity and the same secret: the same object, with the token that it has."""
    before, after = built(aws(), id="AKID", secret=SECRET), built(aws(), id="AKID", secret=SECRET)
    assert before.upstreams["ai/cloud"].cloud is after.upstreams["ai/cloud"].cloud is not None


@pytest.mark.parametrize(
    ("identity", "secret"),
    [pytest.param(aws("2"), SECRET, id="another version"), pytest.param(aws(), "other", id="another value")],
)
def test_a_rotated_secret_is_another_identity(identity: AWSIdentity, secret: str) -> None:
    """Nothing of the old one is used for it."""
    before = credentials_for(aws(), {"id": "AKID", "secret": SECRET})
    assert credentials_for(identity, {"id": "AKID", "secret": secret}) is not before


def test_what_nobody_holds_is_forgotten() -> None:
    """A secret does not outlive the configurations that name it."""
    credentials_for(aws("gone"), {"id": "AKID", "secret": "canary-that-is-gone"})
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, tuple) and "canary-that-is-gone" in each]


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(aws(), id="AWS keys"),
        pytest.param(AWSIdentity(cloud="aws", region="eu-central-1", role_arn="arn"), id="an AWS role"),
        pytest.param(GCPIdentity(cloud="gcp"), id="Google Cloud"),
        pytest.param(AzureIdentity(cloud="azure", client_secret=CredentialRef(name="s", version="1")), id="Entra"),
    ],
)
def test_an_identity_survives_its_journey(identity: CloudIdentity) -> None:
    """What an operator publishes is what a proxy reads, secrets of several lines included."""
    provider = a_provider("ai/cloud", "m").model_copy(update={"cloud": identity})
    config = with_revision(Config(providers={"ai/cloud": provider}))
    sent = Snapshot(config, Credentials(revision=config.revision, values={"s": '{"a":\n "b"}'}))
    published = encode(sent, slot="a")
    read = decode(published.head, lambda part, index: getattr(published, part)[index])
    assert read.config.providers["ai/cloud"].cloud == identity
    assert read.credentials == sent.credentials


def test_a_secret_that_is_not_there_leaves_the_provider_out() -> None:
    """With the name of what is missing."""
    runtime = built(aws(), id="AKID")
    assert runtime.out == {"ai/cloud": "its credential 'secret' came without a value: does the Secret have that key?"}


def test_shows_no_secret() -> None:
    """Not in a runtime, an upstream or the reason why one is out."""
    identity = GCPIdentity(cloud="gcp", service_account=CredentialRef(name="key", version="1"))
    broken = built(identity, key='{"private_key": "canary"}')
    assert "service account key" in broken.out["ai/cloud"]
    whole = built(aws(), id="AKID", secret=SECRET)
    shown = f"{broken!r} {broken.out} {whole!r} {whole.upstreams['ai/cloud']!r} {whole.config!r}"
    assert "canary" not in shown
    assert SECRET not in shown


LIBRARIES = {"aws": "botocore", "gcp": "google", "azure": "msal"}
WITHOUT = """
import sys
for name in {names!r}:
    sys.modules[name] = None
from understudy_api.config import AWSIdentity, AzureIdentity, GCPIdentity
from understudy_proxy.exchange.credentials import UnusableIdentity, credentials_for
try:
    credentials_for({identity!r}, {{}})
except UnusableIdentity as error:
    print(error)
"""


@pytest.mark.parametrize(
    "identity",
    [
        AWSIdentity(cloud="aws", region="eu-central-1"),
        GCPIdentity(cloud="gcp"),
        AzureIdentity(cloud="azure"),
    ],
    ids=lambda identity: identity.cloud,
)
def test_without_its_library_the_owner_is_told_what_to_install(identity: CloudIdentity) -> None:
    """By the extra that brings it."""
    script = WITHOUT.format(names=[LIBRARIES[identity.cloud]], identity=identity)
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert said == (f"its sign-in needs a library that is not installed: pip install 'understudy[{identity.cloud}]'")


def test_without_such_a_provider_no_library_is_imported() -> None:
    """A proxy that signs in with keys pays neither time nor memory for clouds."""
    script = (
        "import sys, understudy_proxy.process, understudy_proxy.config.build\n"
        "print(sorted({'botocore', 'google.auth', 'msal', 'requests', 'urllib3', 'cryptography'} & {*sys.modules}))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert said == "[]"
