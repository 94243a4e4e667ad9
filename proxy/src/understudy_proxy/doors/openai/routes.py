"""Where the doors for OpenAI's clients are."""

from dataclasses import replace
from typing import Protocol

from understudy_proxy.dialects.embedding import EmbeddingOperation
from understudy_proxy.dialects.interpretation import Asked, Operation
from understudy_proxy.dialects.openai import request as chats
from understudy_proxy.dialects.openai.client import CLIENT
from understudy_proxy.dialects.openai.completions import request as completions
from understudy_proxy.dialects.openai.completions.client import COMPLETIONS
from understudy_proxy.dialects.openai.embeddings import request as embeddings
from understudy_proxy.dialects.openai.embeddings.client import EMBEDDINGS
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.generation import GenerationDoor, Read
from understudy_proxy.doors.openai import azure
from understudy_proxy.doors.openai.errors import openai_errors
from understudy_proxy.doors.openai.responses import Responses, ResponsesDoor
from understudy_proxy.doors.services import Services
from understudy_proxy.state.store import Store

_AZURE = "/openai"
"""Azure has the same paths below it."""


class _ReadNamed(Protocol):
    """Reads a body; `model` stands in the path, or is empty."""

    def __call__(self, raw: bytes, *, model: str | None) -> Asked: ...


_OPERATIONS: dict[str, tuple[_ReadNamed, Operation]] = {
    "chat/completions": (chats.read, ChatOperation(CLIENT, PROVIDERS)),
    "completions": (completions.read, ChatOperation(COMPLETIONS, PROVIDERS, name="text_completion")),
    "embeddings": (embeddings.read, EmbeddingOperation(EMBEDDINGS, PROVIDERS)),
}
"""What models are asked for, by its path below `/v1` and below one of Azure's deployments."""


def openai_routes(services: Services, *, store: Store) -> tuple[Route, ...]:
    """All of them."""
    doors = {
        asked: GenerationDoor(_reading(asked, read), operation, services)
        for asked, (read, operation) in _OPERATIONS.items()
    }
    remembered = Responses(store, services.names)
    respond = ResponsesDoor(remembered, services)
    responses = (
        Route("/v1/responses", {"POST": respond}, errors=openai_errors),
        Route("/v1/responses", {"GET": remembered.get, "DELETE": remembered.delete}, errors=openai_errors, below=True),
    )
    routes = (
        *(Route(f"/v1/{asked}", {"POST": door}, errors=openai_errors) for asked, door in doors.items()),
        *responses,
    )
    return (
        *routes,
        *(replace(route, path=f"{_AZURE}{route.path}") for route in routes),
        # What names no deployment has Azure's older client ask for without the version.
        *(replace(route, path=f"{_AZURE}{route.path.removeprefix('/v1')}") for route in responses),
        Route(azure.PREFIX, {"POST": azure.DeploymentsDoor(doors)}, errors=openai_errors, below=True),
    )


def _reading(asked: str, read: _ReadNamed) -> Read:
    return lambda request, body: read(body, model=azure.deployment(request, asked))
