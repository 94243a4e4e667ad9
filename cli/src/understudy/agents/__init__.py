"""Agents of a mesh: functions that ask models which agents offer, and in `providing` functions that are such agents.

All names are in `from understudy import …`. It speaks to a registry as mcp-mesh has it, which a gateway is, too.
"""

from understudy.agents._async_llm import AsyncLLM
from understudy.agents._injecting import llm
from understudy.agents._request import AgentRequest
from understudy.agents._sync_llm import LLM

__all__ = ["LLM", "AgentRequest", "AsyncLLM", "llm"]

for _name in __all__:
    globals()[_name].__module__ = "understudy"
