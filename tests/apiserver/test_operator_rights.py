"""The rights that the chart gives are enough, and the whole cluster is served with them; less than that degrades."""

import asyncio
from pathlib import Path

import pytest

from harness import components
from harness.apiserver import ApiServer
from harness.control_plane import CRDS, ControlPlane, Operator, control_plane
from harness.fixtures import skip_where_missing
from harness.helm import Helm
from harness.kubectl import write_kubeconfig
from harness.manifests import provider, route, secret
from understudy_operator.cluster import NAMESPACES, OBJECTS, Query

CHART = Path(__file__).parents[2] / "charts" / "understudy"


@pytest.fixture(scope="module")
def helm(apiserver: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """helm, as the administrator."""
    with skip_where_missing():
        program = components.find_or_build(("helm",))["helm"]
    return Helm(program, kubeconfig=apiserver.kubeconfig, folder=tmp_path_factory.mktemp("helm"))


def _install_rights(apiserver: ApiServer, helm: Helm, namespace: str, *values: str) -> Path:
    """Apply the chart's rights of the operator, and return a kubeconfig of its ServiceAccount."""
    rendered = helm(
        "template",
        "understudy",
        str(CHART),
        "--namespace",
        namespace,
        f"--kube-version={components.KUBERNETES}",
        "--show-only=templates/operator/rbac.yaml",
        *(f"--set={value}" for value in values),
    )
    apiserver.kubectl("apply", "-f", "-", stdin=rendered)
    token = apiserver.kubectl("create", "token", "understudy-operator", "--namespace", namespace).strip()
    return write_kubeconfig(apiserver.folder / f"rights-{namespace}", url=apiserver.url, ca=apiserver.ca, token=token)


async def _start_with_rights(plane: ControlPlane, helm: Helm, *values: str, **settings: str) -> Operator:
    kubeconfig = await asyncio.to_thread(_install_rights, plane.apiserver, helm, plane.namespace, *values)
    return await plane.start_operator(kubeconfig=str(kubeconfig), **settings)


async def _works(plane: ControlPlane, operator: Operator) -> None:
    """Everything an operator does, once: publish, confirm, rotate, heal, shrink, post events; and nothing is denied."""
    chat = route("chat", namespace=plane.namespace)
    await plane.apply(
        secret("key", namespace=plane.namespace, key="sk-1"),
        provider("main", namespace=plane.namespace, secret_name="key"),
        chat,
    )
    await plane.says(chat, "Ready", "True Ready")
    await plane.posted(chat, "Normal Ready")
    await plane.apply(secret("key", namespace=plane.namespace, key="sk-2"))
    await plane.until_live(["sk-2"])
    await plane.delete(chat)
    await plane.until(
        lambda: all(not proxy.loaded[-1].config.targets for proxy in plane.proxies), what="the route is gone"
    )
    await asyncio.to_thread(operator.process.stop)
    said = [line for line in operator.lines if line["level"] in ("warning", "error")]
    assert said == []


async def test_the_charts_rights_on_some_namespaces(apiserver: ApiServer, helm: Helm) -> None:
    """With Roles alone the operator works in the namespaces it is given."""
    async with control_plane(apiserver, operator=False) as plane:
        operator = await _start_with_rights(plane, helm, f"operator.watchNamespaces={{{plane.namespace}}}")
        await _works(plane, operator)


async def test_the_charts_rights_on_the_cluster(apiserver: ApiServer, helm: Helm) -> None:
    """With its ClusterRole the operator works everywhere."""
    async with control_plane(apiserver, operator=False) as plane:
        operator = await _start_with_rights(plane, helm, watch_namespaces="")
        await _works(plane, operator)


async def test_labels_of_namespaces_are_followed(apiserver: ApiServer) -> None:
    """A namespace gets the label that a provider asks for, and its route is live without another touch."""
    async with (
        control_plane(apiserver, operator=False) as plane,
        control_plane(apiserver, proxies=0, operator=False) as other,
    ):
        await plane.start_operator(watch_namespaces="")
        shared = provider(
            "shared",
            namespace=plane.namespace,
            allowedNamespaces={"from": "Selector", "selector": {"matchLabels": {"llm": "yes"}}},
        )
        guest = route("guest", namespace=other.namespace, providers=("shared",))
        guest["spec"]["rules"][0]["backends"][0]["providerRef"]["namespace"] = plane.namespace
        await plane.apply(shared, guest)
        await plane.says(guest, "ResolvedRefs", "False RefNotPermitted")
        label = {"metadata": {"name": other.namespace, "labels": {"llm": "yes"}}}
        await plane.cluster.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", **label})
        await plane.says(guest, "Ready", "True Ready")


async def test_without_any_rights_it_waits_and_says_so(apiserver: ApiServer) -> None:
    """An operator that may nothing neither ends nor leads: its log and readiness tell."""
    async with control_plane(apiserver, operator=False) as plane:
        operator = await plane.start_operator(kubeconfig=str(apiserver.kubeconfig_of("alice")))
        await plane.until(lambda: operator.logged("the lease cannot be reached") >= 1, what="it is told")
        assert await operator.fetch("/readyz") == (503, "the cluster has not answered yet\n")
        assert await operator.fetch("/healthz") == (200, "standing by\n")
        line = next(line for line in operator.lines if line["message"] == "the lease cannot be reached")
        assert 'User "alice" cannot get resource "leases"' in line["error"]


async def test_crds_that_come_later(apiserver: ApiServer) -> None:
    """Started before the CRDs are there, it says which one is missing, and begins when they come."""
    crd = "personas.understudy.dev"
    async with control_plane(apiserver, operator=False) as plane:
        assert not await plane.cluster.find(Query(OBJECTS["Persona"]))
        await asyncio.to_thread(apiserver.kubectl, "delete", "crd", crd)
        try:
            operator = await plane.start_operator()
            await plane.until(lambda: operator.logged("nothing published") >= 1, what="it is told")
            told = next(line for line in operator.lines if line["message"] == "nothing published")
            assert "does not know personas.understudy.dev: install the CRDs" in told["error"]
        finally:
            await asyncio.to_thread(apiserver.kubectl, "apply", "--server-side", "-f", str(CRDS))
            await asyncio.to_thread(apiserver.kubectl, "wait", "--for=condition=Established", "crd", crd)
        chat = route("chat", namespace=plane.namespace)
        await plane.apply(provider("main", namespace=plane.namespace), chat)
        await plane.says(chat, "Ready", "True Ready")
