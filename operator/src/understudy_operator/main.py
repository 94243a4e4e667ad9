"""One operator process: stand by, lead, and end in good order.

    standing by -> leading -> the Lease is lost, a part fails, or a signal comes -> ended

A process that lost the Lease ends and is started anew by its Deployment: the only way into leading is through a fresh
start, so nothing of an old reign is ever carried on.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from kubernetes.aio.client import ApiClient
from kubernetes.aio.config import ConfigException

from understudy_operator import logs
from understudy_operator.cluster import Cluster
from understudy_operator.health import Health, application
from understudy_operator.kube import KubeCluster, load_configuration
from understudy_operator.lease import Leadership, Terms
from understudy_operator.metrics import Metrics
from understudy_operator.reign import Reign, first_to_end
from understudy_operator.settings import Settings, SettingsError, variable

log = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT (0), or until it cannot go on (1), as an exit code."""
    logs.configure(settings.log_level)
    try:
        return asyncio.run(_run(settings))
    except ConfigException as error:
        log.error(  # noqa: TRY400 - a traceback says nothing more
            "no way to the cluster: set UNDERSTUDY_KUBECONFIG, or run in a pod with a ServiceAccount",
            extra={"error": str(error)},
        )
        return 1
    except SettingsError as error:
        log.error("cannot begin", extra={"error": str(error)})  # noqa: TRY400 - the message says it all
        return 1


async def _run(settings: Settings) -> int:
    clock = asyncio.get_running_loop().time
    metrics = Metrics()
    health = Health(resync_seconds=settings.resync_seconds, clock=clock)
    async with _cluster(settings) as cluster, aiohttp.ClientSession() as session:
        leadership = Leadership(cluster, _terms(settings))

        async def lead() -> None:
            await leadership.acquire()
            health.leads()
            metrics.leader.set(1)
            reign = Reign(
                settings, cluster=cluster, session=session, leadership=leadership, metrics=metrics, health=health
            )
            log.error("no longer leading", extra={"ended": await reign.run()})

        async with _serving(settings, health, metrics=metrics, leadership=leadership):
            try:
                ended = await first_to_end({"lead": lead(), "signal": _signal()})
            finally:
                await leadership.release()
    log.info("ended", extra={"by": ended})
    return 0 if ended == "signal" else 1


def _terms(settings: Settings) -> Terms:
    return Terms(
        namespace=settings.namespace,
        name=f"{settings.prefix}-operator",
        identity=settings.identity,
        lease_seconds=settings.lease_seconds,
        renew_seconds=settings.renew_seconds,
        retry_seconds=settings.retry_seconds,
    )


@asynccontextmanager
async def _cluster(settings: Settings) -> AsyncIterator[Cluster]:
    async with ApiClient(await load_configuration(settings.kubeconfig)) as client:
        client.user_agent = "understudy-operator"
        yield KubeCluster(client)


@asynccontextmanager
async def _serving(
    settings: Settings, health: Health, *, metrics: Metrics, leadership: Leadership
) -> AsyncIterator[None]:
    app = application(health, metrics=metrics, heard=lambda: leadership.heard)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await _listen(runner, settings)
        port = runner.addresses[0][1] if runner.addresses else settings.http_port
        log.info("started", extra={"identity": settings.identity, "port": port})
        yield
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.http_host, settings.http_port).start()
    except OSError as error:
        where = f"{settings.http_host}:{settings.http_port}"
        raise SettingsError(
            f"{variable('http_host')} and {variable('http_port')}: cannot listen on {where}: {error.strerror or error}"
        ) from None


async def _signal() -> None:
    """Return when the process is asked to end."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()
