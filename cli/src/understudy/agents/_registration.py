"""What an agent tells a registry of itself. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from understudy.agents._matching import STREAM_TAG
from understudy.agents._request import REQUEST_SCHEMA

WHOLE, STREAMED = "process_chat", "process_chat_stream"
"""The functions of an agent, by the names that all of a mesh know."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST = 54
"""A registry's 63, less the part that tells two agents of one name apart."""


@dataclass(frozen=True, slots=True)
class Offering:
    """What an agent offers.

    Attributes:
        name: Of the agent.
        capability: What it is looked up by.
        tags: What it is chosen by.
        version: Of what it offers.
        vendor: Whose model it is.
        description: For people.
    """

    name: str
    capability: str
    tags: tuple[str, ...]
    version: str
    vendor: str
    description: str


def agent_name(text: str) -> str:
    """The name of an agent, from that of a function.

    Raises:
        TypeError: no registry would take it.
    """
    name = text.strip("_").replace("_", "-").lower()
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise TypeError(f"an agent's name is up to {_LONGEST} letters, digits and -, and not {name!r}; give it a name")
    return name


def check_tags(tags: Sequence[object]) -> tuple[str, ...]:
    """The tags of an offer.

    Raises:
        TypeError: they are none.
    """
    texts = [tag for tag in tags if isinstance(tag, str) and tag[:1] not in {"", "+", "-"}]
    if isinstance(tags, str) or len(texts) != len(tags):
        raise TypeError("tags must be a list of texts, such as ['claude', 'fast']; + and - are for who looks for one")
    return tuple(tag for tag in texts if tag != STREAM_TAG)


def registration(offering: Offering, *, agent_id: str, host: str, port: int) -> dict[str, Any]:
    """The body of a heartbeat that registers. The function that does not stream comes first: some look at no tag."""
    vendor = {"vendor": offering.vendor}
    return {
        "agent_id": agent_id,
        "name": offering.name,
        "agent_type": "mcp_agent",
        "version": offering.version,
        "description": offering.description,
        "http_host": host,
        "http_port": port,
        "namespace": "default",
        "runtime": "python",
        "status": "healthy",
        "tools": [
            _tool(WHOLE, offering, tags=offering.tags, kwargs=vendor),
            _tool(STREAMED, offering, tags=(*offering.tags, STREAM_TAG), kwargs={**vendor, "stream_type": "text"}),
        ],
    }


def _tool(name: str, offering: Offering, *, tags: tuple[str, ...], kwargs: dict[str, str]) -> dict[str, Any]:
    return {
        "function_name": name,
        "capability": offering.capability,
        "version": offering.version,
        "tags": list(tags),
        "description": offering.description,
        "inputSchema": REQUEST_SCHEMA,
        "kwargs": kwargs,
        "dependencies": [],
    }
