"""Ollama's own wire format: as clients speak it to us, and as we speak it to its servers.

Its OpenAI-compatible paths are `dialects/openai`'s.
"""
