"""`docs/operations.md` against running servers: every page that it names answers."""

from aiohttp.test_utils import TestClient, TestServer

from harness.gateways import Serving, backend, provider, route, snapshot
from harness.pages import code, page, rows, section
from harness.raw_http import exchange
from understudy.mock import Mock
from understudy_operator.health import Health, application
from understudy_operator.metrics import Metrics

TABLE = list(rows(section(page("docs/operations.md"), "## Looking at it"), "process"))


def told(process: str, port: str) -> set[str]:
    """The paths that a process has at a port."""
    return {code(row[2])[0] for row in TABLE if row[:2] == (process, port)}


async def test_the_proxys_pages() -> None:
    """All that is named answers, on its own port alone."""
    async with Mock() as mock, Serving(snapshot([provider("p", mock.url)], [route("chat", backend("p"))])) as serving:
        ports = {"8080": serving.port, "9090": serving.gateway.admin_port}
        for port in ports:
            for path in told("proxy", port):
                answers = {
                    each: (await exchange(number, "GET", f"{path}?model=chat")).status for each, number in ports.items()
                }
                assert answers == {each: 200 if each == port else 404 for each in ports}, path


async def test_the_operators_pages() -> None:
    """All that is named is there; not to be ready yet is an answer, too."""
    health = Health(resync_seconds=60.0, clock=lambda: 0.0)
    app = application(health, metrics=Metrics(), heard=lambda: True)
    assert {route.resource.canonical for route in app.router.routes() if route.resource} == told("operator", "8080")
    async with TestClient(TestServer(app)) as client:
        for path in told("operator", "8080"):
            assert (await client.get(path)).status == 200
