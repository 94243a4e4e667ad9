"""The charts: what they refuse, and what a real API server says of what they render."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import components
from harness.apiserver import ApiServer
from harness.control_plane import install_crds
from harness.fixtures import skip_where_missing
from harness.helm import Helm, HelmError
from understudy_api.config.shards import MAX_SHARDS, shard_key

CHARTS = Path(__file__).parents[2] / "charts"
OF_PROMETHEUS = {"ServiceMonitor", "PodMonitor"}
"""Kinds of the Prometheus operator, which the API server of the tests does not have."""

VARIANTS = [
    pytest.param({}, id="defaults"),
    pytest.param({"operator": {"watchNamespaces": ["ai", "shop"]}}, id="some-namespaces"),
    pytest.param({"proxy": {"autoscaling": {"enabled": False}, "pdb": {"enabled": False}}}, id="fixed-size"),
    pytest.param({"networkPolicy": {"enabled": False}, "operator": {"replicas": 1}}, id="small"),
    pytest.param(
        {
            "networkPolicy": {
                "from": [{"namespaceSelector": {}}],
                "adminFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            },
            "metrics": {"serviceMonitor": {"enabled": True}, "dashboards": {"enabled": True}},
            "mesh": {"registryURL": "http://registry:8000", "host": "llm.example", "port": 80},
            "commonLabels": {"team": "platform"},
            "imagePullSecrets": [{"name": "pull"}],
            "proxy": {
                "podAnnotations": {"a": "b"},
                "podLabels": {"c": "d"},
                "nodeSelector": {"disk": "ssd"},
                "tolerations": [{"operator": "Exists"}],
                "priorityClassName": "high",
                "extraEnv": [{"name": "A", "value": "b"}],
                "service": {"sessionAffinity": "ClientIP"},
                "serviceAccount": {"annotations": {"e": "f"}},
            },
        },
        id="everything",
    ),
]


@pytest.fixture(scope="module")
def helm(apiserver: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """helm, as the administrator of the API server."""
    with skip_where_missing():
        program = components.find_or_build(["helm"])["helm"]
    return Helm(program, kubeconfig=apiserver.kubeconfig, folder=tmp_path_factory.mktemp("helm"))


def render(helm: Helm, folder: Path, values: dict[str, Any], *, chart: str = "understudy") -> list[dict[str, Any]]:
    """The objects that a chart renders with `values`."""
    given = folder / "values.yaml"
    given.write_text(yaml.safe_dump(values))
    text = helm(
        "template",
        "understudy",
        str(CHARTS / chart),
        f"--values={given}",
        "--namespace=understudy-system",
        f"--kube-version={components.KUBERNETES}",
    )
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Those of a kind."""
    return [each for each in objects if each["kind"] == kind]


def container_of(deployment: dict[str, Any]) -> dict[str, Any]:
    """The one container of a Deployment."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


@pytest.mark.parametrize("chart", ["understudy", "understudy-crds"])
def test_helm_lint_is_clean(helm: Helm, chart: str) -> None:
    """Helm itself finds nothing to say, warnings included."""
    said = helm("lint", "--strict", str(CHARTS / chart))
    assert "1 chart(s) linted, 0 chart(s) failed" in said
    assert "[WARNING]" not in said


@pytest.mark.parametrize("values", VARIANTS)
def test_the_api_server_takes_what_the_chart_renders(
    helm: Helm, apiserver: ApiServer, tmp_path: Path, values: dict[str, Any]
) -> None:
    """Every rendered object passes the server's own validation, unknown fields included."""
    objects = [each for each in render(helm, tmp_path, values) if each["kind"] not in OF_PROMETHEUS]
    namespaces = {"understudy-system", *values.get("operator", {}).get("watchNamespaces", [])}
    for namespace in namespaces:
        apiserver.kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    manifest = yaml.safe_dump_all(objects)
    said = apiserver.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=manifest)
    assert len(said.splitlines()) == len(objects)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"proxi": {}}, "proxi", id="unknown-value"),
        pytest.param({"proxy": {"replicas": "three"}}, "replicas", id="wrong-type"),
        pytest.param({"proxy": {"replicas": 0}}, "replicas", id="too-small"),
        pytest.param({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy", id="no-such-choice"),
        pytest.param({"operator": {"watchNamespaces": ["Not A Name"]}}, "watchNamespaces", id="no-namespace"),
        pytest.param({"proxy": {"drain": {"deadline": 5}}}, "deadline", id="unknown-inner-value"),
        pytest.param({"mesh": {"registryURL": "registry:8000"}}, "registryURL", id="no-url"),
    ],
)
def test_bad_values_are_refused(helm: Helm, tmp_path: Path, values: dict[str, Any], message: str) -> None:
    """A typo is an error that names the value, before anything is installed."""
    with pytest.raises(HelmError, match=message):
        render(helm, tmp_path, values)


@pytest.mark.parametrize("values", VARIANTS)
def test_pods_are_as_restricted_as_can_be(helm: Helm, tmp_path: Path, values: dict[str, Any]) -> None:
    """Non-root, read-only, no capabilities, probes, and memory bounded: Pod Security's restricted profile and more."""
    for deployment in of_kind(render(helm, tmp_path, values), "Deployment"):
        pod, container = deployment["spec"]["template"]["spec"], container_of(deployment)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "privileged": False,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
        assert "memory" in container["resources"]["limits"]


def test_a_proxy_may_read_its_own_configuration_and_nothing_else(helm: Helm, tmp_path: Path) -> None:
    """Every rule of the proxy's Role names its objects, and they are exactly those that the operator publishes."""
    roles = [each for each in of_kind(render(helm, tmp_path, {}), "Role") if each["metadata"]["name"].endswith("proxy")]
    (role,) = roles
    shards = {
        part: {f"understudy-{shard_key(part, slot, index)}" for slot in ("a", "b") for index in range(MAX_SHARDS)}
        for part in ("config", "credentials")
    }
    named: dict[str, set[str]] = {"configmaps": set(), "secrets": set()}
    for rule in role["rules"]:
        assert set(rule["verbs"]) <= {"get", "list", "watch"}
        for resource in rule["resources"]:
            named[resource] |= set(rule["resourceNames"])
    assert {"configmaps": shards["config"] | {"understudy-config"}, "secrets": shards["credentials"]} == named


def test_the_proxy_mounts_what_it_may_read(helm: Helm, tmp_path: Path) -> None:
    """The volume that a proxy boots from holds the same objects, all of them optional."""
    deployments = of_kind(render(helm, tmp_path, {}), "Deployment")
    (proxy,) = [each for each in deployments if each["metadata"]["name"].endswith("proxy")]
    volumes = {volume["name"]: volume for volume in proxy["spec"]["template"]["spec"]["volumes"]}
    sources = [next(iter(source.values())) for source in volumes["config"]["projected"]["sources"]]
    assert 1 + 2 * 2 * MAX_SHARDS == len({source["name"] for source in sources})
    assert all(source["optional"] for source in sources)


def test_secrets_of_the_proxy_come_from_secrets(helm: Helm, tmp_path: Path) -> None:
    """The shared store's address and the internal doors' secret are referred to, never rendered."""
    values = {
        "redis": {"urlSecretRef": {"name": "redis", "key": "address"}},
        "internal": {"secretRef": {"name": "internal"}},
    }
    deployments = of_kind(render(helm, tmp_path, values), "Deployment")
    (proxy,) = [each for each in deployments if each["metadata"]["name"].endswith("proxy")]
    environment = {each["name"]: each.get("valueFrom") for each in container_of(proxy)["env"]}
    assert environment["UNDERSTUDY_REDIS_URL"] == {"secretKeyRef": {"name": "redis", "key": "address"}}
    assert environment["UNDERSTUDY_INTERNAL_SECRET"] == {"secretKeyRef": {"name": "internal", "key": "secret"}}


@pytest.mark.parametrize("affinity", ["None", "ClientIP"])
def test_clients_can_be_kept_at_one_proxy(helm: Helm, tmp_path: Path, affinity: str) -> None:
    """The gateway's Service says so; by default it does not."""
    values = {} if affinity == "None" else {"proxy": {"service": {"sessionAffinity": affinity}}}
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(render(helm, tmp_path, values), "Service")}
    assert services["understudy"]["sessionAffinity"] == affinity


def test_no_cluster_wide_rights_when_namespaces_are_named(helm: Helm, tmp_path: Path) -> None:
    """An installation for some namespaces has Roles there and no ClusterRole."""
    objects = render(helm, tmp_path, {"operator": {"watchNamespaces": ["ai", "shop"]}})
    assert [] == of_kind(objects, "ClusterRole") + of_kind(objects, "ClusterRoleBinding")
    reading = {each["metadata"]["namespace"] for each in of_kind(objects, "Role") if "understudy.dev" in str(each)}
    assert {"ai", "shop"} == reading


def test_the_crd_chart_holds_the_crds_as_generated(helm: Helm, tmp_path: Path) -> None:
    """The CRDs that helm installs and upgrades are those of `kubectl apply -f crds/`, prompts' braces included."""
    rendered = {each["metadata"]["name"]: each for each in render(helm, tmp_path, {}, chart="understudy-crds")}
    committed = [yaml.safe_load(path.read_text()) for path in (CHARTS.parent / "crds").glob("*.yaml")]
    assert {each["metadata"]["name"]: each for each in committed} == rendered


def test_tools_are_installed_once_they_say_where_they_are(helm: Helm, apiserver: ApiServer, tmp_path: Path) -> None:
    """Each is an LLMTool that the API server takes, with the handler as given; the others are not there."""
    handlers: dict[str, dict[str, Any]] = {
        "semanticSearch": {"serviceRef": {"name": "search", "port": 8080}, "path": "/search", "timeout": "20s"},
        "getChunk": {"url": "http://search.ai.svc:8080/chunk", "method": "GET"},
        "reviewCode": {
            "url": "https://review.example.com/run",
            "headers": {"X-Team": "a"},
            "auth": {"bearer": {"secretKeyRef": {"name": "review", "key": "token"}}},
        },
    }
    values = {"tools": {**handlers, "namespace": "tools", "allowedNamespaces": {"from": "All"}}}
    tools = of_kind(render(helm, tmp_path, values), "LLMTool")
    named = {tool["metadata"]["name"]: tool for tool in tools}
    assert {"semantic-search", "get-chunk", "review-code"} == named.keys()
    assert list(handlers.values()) == [named[name]["spec"]["handler"]["http"] for name in _names(handlers)]
    for tool in tools:
        assert {"from": "All"} == tool["spec"]["allowedNamespaces"]
        assert "tools" == tool["metadata"]["namespace"]
    install_crds(apiserver)
    apiserver.kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tools"}})
    manifest = yaml.safe_dump_all(tools)
    said = apiserver.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=manifest)
    assert len(said.splitlines()) == len(tools)


def test_no_tools_by_default(helm: Helm, tmp_path: Path) -> None:
    """Nobody runs them yet."""
    assert [] == of_kind(render(helm, tmp_path, {}), "LLMTool")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"tools": {"sematicSearch": {"url": "http://h"}}}, "sematicSearch", id="unknown"),
        pytest.param({"tools": {"getChunk": {"path": "/x"}}}, "getChunk", id="nowhere"),
        pytest.param({"tools": {"getChunk": {"url": "ftp://h"}}}, "getChunk/url", id="no-web-server"),
        pytest.param(
            {"tools": {"getChunk": {"url": "http://h", "serviceRef": {"name": "a", "port": 1}}}}, "getChunk", id="both"
        ),
        pytest.param({"tools": {"getChunk": {"serviceRef": {"name": "a"}}}}, "port", id="no-port"),
        pytest.param({"tools": {"getChunk": {"url": "http://h", "auth": {}}}}, "bearer", id="no-token"),
        pytest.param(
            {"tools": {"getChunk": {"url": "http://h"}}, "operator": {"watchNamespaces": ["ai"]}},
            "not among operator.watchNamespaces",
            id="not-watched",
        ),
    ],
)
def test_bad_tools_are_refused(helm: Helm, tmp_path: Path, values: dict[str, Any], message: str) -> None:
    """As any other bad value; also one that would be installed where no operator looks."""
    with pytest.raises(HelmError, match=message):
        render(helm, tmp_path, values)


def _names(values: dict[str, Any]) -> list[str]:
    """`semanticSearch` is installed as `semantic-search`."""
    return [re.sub("[A-Z]", lambda found: f"-{found[0].lower()}", name) for name in values]


def environment_of(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The variables of the one container of the Deployment called `name`: values, or where they come from."""
    (deployment,) = (each for each in of_kind(objects, "Deployment") if each["metadata"]["name"] == name)
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container_of(deployment)["env"]}


@pytest.mark.parametrize(
    ("values", "registry", "address"),
    [
        pytest.param({}, None, ("understudy.understudy-system.svc", "80"), id="agents register here"),
        pytest.param(
            {"mesh": {"registryURL": "http://registry:8000"}, "proxy": {"service": {"port": 8000}}},
            "http://registry:8000",
            ("understudy.understudy-system.svc", "8000"),
            id="the gateway registers there",
        ),
        pytest.param(
            {"mesh": {"host": "llm.example"}, "proxy": {"service": {"port": 8000}}},
            None,
            ("llm.example", "80"),
            id="called by another name",
        ),
        pytest.param({"mesh": {"port": 9000}}, None, ("understudy.understudy-system.svc", "9000"), id="another port"),
    ],
)
def test_where_agents_find_the_gateway(
    helm: Helm, tmp_path: Path, values: dict[str, Any], registry: str | None, address: tuple[str, str]
) -> None:
    """By its Service, and all pods are one to them: they find one another behind a Service without an address."""
    objects = render(helm, tmp_path, values)
    told = environment_of(objects, "understudy-proxy")
    assert registry == told.get("UNDERSTUDY_MESH_REGISTRY_URL")
    assert address == (told["UNDERSTUDY_MESH_HOST"], told["UNDERSTUDY_MESH_PORT"])
    assert {"fieldRef": {"fieldPath": "status.podIP"}} == told["UNDERSTUDY_POD_IP"]
    peers = next(
        each for each in of_kind(objects, "Service") if each["metadata"]["name"] == told["UNDERSTUDY_MESH_PEERS"]
    )
    assert "None" == peers["spec"]["clusterIP"]


def test_proxies_may_ask_one_another(helm: Helm, tmp_path: Path) -> None:
    """Whoever else may call them: one of them keeps the registry of agents for all."""
    (policy,) = (
        each
        for each in of_kind(render(helm, tmp_path, {"networkPolicy": {"from": [{"podSelector": {}}]}}), "NetworkPolicy")
        if each["metadata"]["name"] == "understudy-proxy"
    )
    http = policy["spec"]["ingress"][0]
    assert [{"port": "http"}] == http["ports"]
    assert [{"podSelector": policy["spec"]["podSelector"]}, {"podSelector": {}}] == http["from"]
