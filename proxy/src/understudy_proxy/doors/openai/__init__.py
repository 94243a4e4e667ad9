"""Doors for clients of the OpenAI API."""
