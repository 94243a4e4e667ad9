"""Doors for clients of the Anthropic API."""
