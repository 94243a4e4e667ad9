"""Where the doors for Ollama's clients are."""

from understudy_proxy.dialects.embedding import EmbeddingOperation
from understudy_proxy.dialects.ollama.client import CLIENT
from understudy_proxy.dialects.ollama.embedding_client import EMBED_CLIENT, OLDER
from understudy_proxy.dialects.ollama.embedding_client import read as read_embed
from understudy_proxy.dialects.ollama.embeddings import EMBED
from understudy_proxy.dialects.ollama.encode import CHAT
from understudy_proxy.dialects.ollama.passing import GENERATE
from understudy_proxy.dialects.ollama.request import read_chat, read_generate
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.doors.door import Door, Route
from understudy_proxy.doors.generation import GenerationDoor, Read
from understudy_proxy.doors.ollama.about import running, version
from understudy_proxy.doors.ollama.errors import ollama_errors
from understudy_proxy.doors.ollama.models import OllamaModelsDoor
from understudy_proxy.doors.services import Services

_CHAT = ChatOperation(CLIENT, PROVIDERS)
_EMBED = EmbeddingOperation(EMBED_CLIENT, PROVIDERS)


def ollama_routes(services: Services) -> tuple[Route, ...]:
    """All of them."""

    def answering(read: Read) -> GenerationDoor:
        return GenerationDoor(read, _CHAT, services)

    def embedding(path: str) -> GenerationDoor:
        return GenerationDoor(lambda _request, body: read_embed(body, path=path), _EMBED, services)

    models = OllamaModelsDoor(services.names)
    doors: dict[str, dict[str, Door]] = {
        "/": {"GET": running},
        "/api/version": {"GET": version},
        "/api/tags": {"GET": models.tags},
        "/api/ps": {"GET": models.loaded},
        "/api/show": {"POST": models.show},
        CHAT: {"POST": answering(lambda _request, body: read_chat(body))},
        GENERATE: {"POST": answering(lambda _request, body: read_generate(body))},
        EMBED: {"POST": embedding(EMBED)},
        OLDER: {"POST": embedding(OLDER)},
    }
    return tuple(Route(path, methods, errors=ollama_errors) for path, methods in doors.items())
