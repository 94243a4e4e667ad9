"""Anthropic's Messages API: as clients speak it to us, and as we speak it to providers."""
