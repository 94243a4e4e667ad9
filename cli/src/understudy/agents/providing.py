"""The decorator that makes an agent of a function, or of a model that a gateway knows. It needs the extra `agents`."""

from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from understudy.agents._agent import Agent
from understudy.agents._registration import Offering, agent_name, check_tags
from understudy.agents._versions import is_version

__all__ = ["Agent", "llm_provider"]

P = ParamSpec("P")
R = TypeVar("R")


def llm_provider(  # noqa: PLR0913 - one parameter a fact of the agent
    *,
    capability: str = "llm",
    tags: Sequence[str] = (),
    model: str | None = None,
    name: str | None = None,
    version: str = "1.0.0",
    vendor: str | None = None,
    registry: str | None = None,
    host: str | None = None,
    port: int = 0,
) -> Callable[[Callable[P, R]], Agent[P, R]]:
    """Make an agent of a function that takes an `AgentRequest`, or with `model` of a gateway's model.

    The agent serves once it runs: `agent.run()`, `with agent:` or `async with agent:`.

    Args:
        capability: What it is looked up by.
        tags: What it is chosen by.
        model: A route, persona or model of the gateway that answers; the function then only gives its name and its
            docstring.
        name: Of the agent; else the function's, with - for _.
        version: Of what it offers, such as 1.2.0.
        vendor: Whose model it is; else what stands before the / of `model`.
        registry: Where it registers; else MCP_MESH_REGISTRY_URL, else the gateway.
        host: The address that others reach it by; else the one from which it reaches the registry. On this machine's
            own, only this machine reaches it.
        port: Where it serves; 0 for any that is free.

    Raises:
        TypeError: something of it cannot be registered.
    """
    if not capability:
        raise TypeError("capability must be a text, such as 'llm'")
    if not is_version(version):
        raise TypeError(f"version must be one, such as '1.0.0', and is {version!r}")
    checked = check_tags(tags)

    def decorate(function: Callable[P, R]) -> Agent[P, R]:
        offering = Offering(
            name=agent_name(name or str(getattr(function, "__name__", ""))),
            capability=capability,
            tags=checked,
            version=version,
            vendor=vendor or ((model or "").partition("/")[0] if "/" in (model or "") else "unknown"),
            description=(function.__doc__ or model or "").strip().partition("\n\n")[0],
        )
        return Agent(function, offering, model=model, registry=registry, host=host, port=port)

    return decorate


for _name in __all__:
    globals()[_name].__module__ = "understudy"
