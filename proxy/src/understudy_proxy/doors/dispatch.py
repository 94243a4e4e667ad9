"""From the path of a request line to its route.

Most requests cost one dictionary lookup of the raw path. What clients also send is put right: doubled and trailing
slashes, a query, an absolute URL, percent-encoding (`%2F` inside a model's name), and the `/ns/NAMESPACE` prefix that
pins the namespace before any door.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from understudy_proxy.doors.door import Route

_SLASHES = re.compile("//+")
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
_NAMESPACE = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a request goes. `rest` is what follows the path of a route for everything below it."""

    route: Route
    path: str
    query: str = ""
    rest: str = ""
    namespace: str | None = None


class Dispatch:
    """The table of all paths that one port serves."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, Found] = {}
        self._below: list[Route] = []
        for route in routes:
            if route.below:
                self._below.append(route)
            else:
                self._exact[route.path] = Found(route, route.path)
        # The longest prefix is the most specific.
        self._below.sort(key=lambda route: len(route.path), reverse=True)

    def find(self, target: str) -> Found | None:
        """The route for `target`, the request line's; None where nothing is served."""
        return self._exact.get(target) or self._search(target)

    def _search(self, target: str) -> Found | None:
        namespace, path, query = _parted(target)
        exact = self._exact.get(path)
        if exact is not None:
            return Found(exact.route, path, query, "", namespace)
        for route in self._below:
            if path.startswith(f"{route.path}/"):
                return Found(route, path, query, unquote(path[len(route.path) + 1 :]), namespace)
        return None


def path_of(target: str) -> str:
    """The path that `target`, a request line's, means: put right, without query and namespace."""
    return _parted(target)[1]


def _parted(target: str) -> tuple[str | None, str, str]:
    """Namespace, path and query."""
    raw, _, query = _ABSOLUTE.sub("", target, count=1).partition("?")
    namespace, path = _pinned(_tidy(raw.partition("#")[0]))
    return namespace, path, query


def _tidy(path: str) -> str:
    return "/" + _SLASHES.sub("/", path).strip("/")


def _pinned(path: str) -> tuple[str | None, str]:
    """Namespace and remaining path; a prefix that names no possible namespace stays, and so leads nowhere."""
    if path.startswith("/ns/"):
        namespace, _, rest = path[4:].partition("/")
        if _NAMESPACE.fullmatch(namespace):
            return namespace, f"/{rest}"
    return None, path
