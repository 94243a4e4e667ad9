"""Agents of a mesh as a provider: a conversation is a call of a tool of theirs, over MCP.

Only the provider's side is here. What the gateway offers to agents is served at `/mcp`, see `doors/mcp`.
"""
