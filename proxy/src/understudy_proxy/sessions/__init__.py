"""Conversations that are remembered between requests: what is kept, and how a request goes on with it. Pure."""
