"""Real servers for the tests: an API server, a whole node, and what they are built from.

Nothing here pretends to be Kubernetes. The programs are Kubernetes' own, found or built once
(``harness.components``), started on free ports and in folders of their own, and gone with the
run that started them. What a test needs of them:

* ``harness.apiserver.ApiServer``: etcd and kube-apiserver, ready in seconds;
* ``harness.node.Node``: a single node with pods, Services, DNS and RBAC (root, Linux);
* ``harness.images``: a local base image and builds from the repository's Dockerfile;
* ``python -m harness.cluster up|down|status``: the same node, for a person.
"""
