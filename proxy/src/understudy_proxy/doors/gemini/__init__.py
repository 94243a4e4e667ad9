"""Doors for clients of Google's Gemini API."""
