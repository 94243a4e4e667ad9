"""Doors for clients of Ollama's own API."""
