"""Two agents: a function that knows the archive, and a route of the gateway that writes letters.

Each registers with the gateway, and is there for everybody who asks for what it can do, until this program ends.
"""

from understudy import AgentRequest, llm_provider

SHELVES = {
    "the tempest": "The Tempest is in room 2, on the shelf at the window.",
    "as you like it": "As You Like It is lent, and will be back on Monday.",
}


@llm_provider(tags=["archive"])
def archivist(request: AgentRequest) -> str:
    """Knows where each play is."""
    found = [place for play, place in SHELVES.items() if play in request.text.lower()]
    return " ".join(found) or "The archive has no such play."


@llm_provider(model="chat", tags=["letters"])
def secretary() -> None:
    """Writes letters."""


if __name__ == "__main__":
    with secretary:
        archivist.run()
