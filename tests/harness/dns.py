"""CoreDNS as a cluster's DNS service: the objects, and nothing about how they get there."""

from typing import Any

IMAGE = "localhost/coredns:1"
_NAME = "coredns"
_NAMESPACE = "kube-system"
_LABELS = {"k8s-app": "kube-dns"}
_CONFIG = """\
.:53 {
    errors
    health :8080
    ready :8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    cache 5
    reload
}
"""


def dns_objects(cluster_ip: str) -> tuple[dict[str, Any], ...]:
    """The objects of a DNS service at `cluster_ip` that answers for the cluster's own names."""
    return (
        _object("v1", "ServiceAccount"),
        _object(
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            rules=[
                _may_watch("", "endpoints", "services", "pods", "namespaces"),
                _may_watch("discovery.k8s.io", "endpointslices"),
            ],
        ),
        _object(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _NAME},
            subjects=[{"kind": "ServiceAccount", "name": _NAME, "namespace": _NAMESPACE}],
        ),
        _object("v1", "ConfigMap", data={"Corefile": _CONFIG}),
        _object("apps/v1", "Deployment", spec=_deployment()),
        {**_object("v1", "Service", spec=_service(cluster_ip)), "metadata": _metadata("kube-dns")},
    )


def _object(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": _metadata(_NAME), **fields}


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": _NAMESPACE}


def _may_watch(group: str, *resources: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": ["list", "watch"]}


def _deployment() -> dict[str, Any]:
    container = {
        "name": _NAME,
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
    }
    pod = {
        "serviceAccountName": _NAME,
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": _NAME}}],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": pod},
    }


def _service(cluster_ip: str) -> dict[str, Any]:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    return {"clusterIP": cluster_ip, "selector": _LABELS, "ports": ports}
