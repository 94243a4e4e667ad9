"""The bell rings for what can change the configuration, and not for the operator's own writes."""

from typing import Any

import pytest
from kubernetes.aio.client import Configuration

from understudy_operator.objects import News, connection_info, kopf_settings


def seen(**metadata: Any) -> dict[str, Any]:
    """An LLMRoute with this metadata."""
    return {
        "kind": "LLMRoute",
        "metadata": {"namespace": "ai", "name": "chat", "uid": "u1", "generation": 1, "labels": {"a": "1"}, **metadata},
        "status": {},
    }


@pytest.mark.parametrize(
    ("event_type", "event", "expected"),
    [
        pytest.param(None, seen(), False, id="kopf lists what was just read"),
        pytest.param("MODIFIED", seen(resourceVersion="9") | {"status": {"x": 1}}, False, id="its status was written"),
        pytest.param("MODIFIED", seen(managedFields=[{}]), False, id="managed fields"),
        pytest.param("MODIFIED", seen(generation=2), True, id="its spec was edited"),
        pytest.param("MODIFIED", seen(labels={"a": "2"}), True, id="a label was edited"),
        pytest.param("MODIFIED", seen(labels=None), True, id="the labels are gone"),
        pytest.param("MODIFIED", seen(annotations={"a": "1"}), True, id="an annotation came"),
        pytest.param("MODIFIED", seen(deletionTimestamp="now"), True, id="it is being deleted"),
        pytest.param("DELETED", seen(), True, id="it was deleted"),
        pytest.param("ADDED", seen(uid="u2"), True, id="it was replaced"),
        pytest.param("ADDED", seen(name="new"), True, id="another one was created"),
        pytest.param("ADDED", seen(namespace="lab"), True, id="one was created in another namespace"),
        pytest.param("MODIFIED", {"kind": "Persona"} | {"metadata": seen()["metadata"]}, True, id="of another kind"),
    ],
)
def test_what_is_news(event_type: str | None, event: dict[str, Any], expected: bool) -> None:
    """One edit is one ring, although writing its status makes an event too."""
    news = News()
    news.read([seen()])
    assert news.is_new(event_type, event) == expected


def test_before_anything_was_read_everything_is_news() -> None:
    """A deletion of something never seen counts too: the read that saw it may still be under way."""
    assert [News().is_new(event_type, seen()) for event_type in (None, "ADDED", "DELETED")] == [True, True, True]


def test_an_object_that_is_gone_is_forgotten() -> None:
    """What was read before the last read does not count: its return is news."""
    news = News()
    news.read([seen()])
    news.read([])
    assert news.is_new("ADDED", seen())


def test_kopf_writes_nothing_and_looks_at_nothing_else() -> None:
    """No events, no peering, no rights on CRDs or namespaces, and no SIGKILL as a last resort."""
    settings = kopf_settings()
    assert not settings.posting.enabled
    assert settings.peering.standalone
    assert settings.scanning.disabled
    assert settings.process.ultimate_exiting_timeout is None


def test_kopf_recovers_quickly() -> None:
    """After an outage of an hour its watches are back within two seconds."""
    backoffs = kopf_settings().networking.error_backoffs
    assert not isinstance(backoffs, float)
    assert max(backoffs) <= 2.0


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer abc", "abc"), (None, None)],
    ids=["kubeconfig", "in the cluster", "client certificate"],
)
async def test_kopf_takes_the_same_way_to_the_cluster(header: str | None, token: str | None) -> None:
    """Address, trust and token are those of the client."""
    configuration = Configuration(host="https://10.0.0.1:6443")
    configuration.ssl_ca_cert = "/ca.pem"
    if header:
        configuration.api_key["BearerToken"] = header
    info = await connection_info(configuration)
    assert (info.server, info.ca_path, info.token, info.insecure) == (
        "https://10.0.0.1:6443",
        "/ca.pem",
        token,
        False,
    )
