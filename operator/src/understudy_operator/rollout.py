"""Who runs what: the proxies are asked for the revision that each has loaded.

A proxy counts when Kubernetes calls it ready, or when it answers with a revision: after an outage of the API server a
pod may count as not ready for a minute while it answers every request, and what it says of itself is the better word.

A proxy has no rights to write anything; what it says on its admin port is the whole protocol:
`{"revision": LOADED, "rejected": {"revision": REFUSED, "message": WHY}}`, the second part only after a refusal.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from understudy_operator.cluster import PODS, Cluster, Manifest, Query
from understudy_operator.together import together

ASK_SECONDS = 2.0
"""A proxy that does not answer for so long does not confirm this time."""
MAX_ANSWER_BYTES = 1024 * 1024
MAX_ASKED_AT_ONCE = 32
MAX_MESSAGE = 512


@dataclass(frozen=True, slots=True)
class Pod:
    """A proxy that runs, and whether Kubernetes calls it ready."""

    name: str
    address: str
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What a proxy says: the revision it runs, and the one it refused, if any. None and "" when it says nothing."""

    revision: str | None = None
    rejected: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far a revision has come.

    Attributes:
        revision: Which.
        confirmed: How many proxies run it,
        total: of how many.
        lagging: Proxies that run another one or do not answer.
        refused: Proxies that will not load it, with what each says.
        overdue: It takes longer than it should.
    """

    revision: str
    confirmed: int = 0
    total: int = 0
    lagging: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    overdue: bool = False

    @property
    def live(self) -> bool:
        """Whether every proxy runs it, and there is one."""
        return self.total > 0 and self.confirmed == self.total


class Fleet(Protocol):
    """The proxies."""

    async def ask(self) -> Mapping[str, Answer]:
        """What each proxy says that counts, by pod. Raises `ClusterError` when it is not known which there are."""
        ...


class PodFleet:
    """The proxies as pods of a namespace."""

    def __init__(
        self, cluster: Cluster, session: aiohttp.ClientSession, *, namespace: str, selector: str, admin_port: int
    ) -> None:
        self._cluster = cluster
        self._session = session
        self._query = Query(PODS, namespace=namespace, labels=selector)
        self._port = admin_port
        self._slots = asyncio.Semaphore(MAX_ASKED_AT_ONCE)

    async def ask(self) -> Mapping[str, Answer]:
        """See `Fleet.ask`."""
        pods = running_pods(await self._cluster.find(self._query))
        answers = await together(self._ask(pod) for pod in pods)
        return {
            pod.name: answer
            for pod, answer in zip(pods, answers, strict=True)
            if pod.ready or answer.revision is not None
        }

    async def _ask(self, pod: Pod) -> Answer:
        host = f"[{pod.address}]" if ":" in pod.address else pod.address
        timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
        url = f"http://{host}:{self._port}/config"
        try:
            async with self._slots, self._session.get(url, timeout=timeout, allow_redirects=False) as response:
                body = await response.content.read(MAX_ANSWER_BYTES)
                while len(body) < MAX_ANSWER_BYTES and (more := await response.content.readany()):
                    body += more
                return read_answer(body) if response.status == 200 else Answer()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return Answer()


def running_pods(manifests: Iterable[Manifest]) -> tuple[Pod, ...]:
    """Those that may get traffic: with an address, not ended, and not on their way out."""
    return tuple(
        Pod(
            name=manifest["metadata"]["name"],
            address=manifest["status"]["podIP"],
            ready=_is_ready(manifest["status"]),
        )
        for manifest in sorted(manifests, key=lambda manifest: str(manifest["metadata"]["name"]))
        if _runs(manifest)
    )


def read_answer(body: bytes) -> Answer:
    """A proxy's answer; anything that is not one says nothing."""
    try:
        value = json.loads(body)
    except ValueError:
        return Answer()
    if not isinstance(value, dict):
        return Answer()
    rejected = value.get("rejected")
    rejected = rejected if isinstance(rejected, dict) else {}
    return Answer(
        revision=_text(value.get("revision")),
        rejected=_text(rejected.get("revision")),
        message=str(rejected.get("message") or "no reason given")[:MAX_MESSAGE] if rejected else "",
    )


def tally(revision: str, answers: Mapping[str, Answer], *, overdue: bool) -> Rollout:
    """How far `revision` has come, from what each proxy says."""
    confirmed = {pod for pod, answer in answers.items() if answer.revision == revision}
    refused = {
        pod: answer.message for pod, answer in answers.items() if pod not in confirmed and answer.rejected == revision
    }
    return Rollout(
        revision=revision,
        confirmed=len(confirmed),
        total=len(answers),
        lagging=tuple(sorted(answers.keys() - confirmed - refused.keys())),
        refused=refused,
        overdue=overdue,
    )


def _runs(manifest: Manifest) -> bool:
    status: dict[str, Any] = manifest.get("status") or {}
    ended = manifest["metadata"].get("deletionTimestamp") or status.get("phase") in {"Succeeded", "Failed"}
    return bool(status.get("podIP")) and not ended


def _is_ready(status: Mapping[str, Any]) -> bool:
    conditions = status.get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
