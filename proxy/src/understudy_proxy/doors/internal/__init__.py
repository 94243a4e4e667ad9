"""The doors `/internal/llm`: for services of one's own, behind a shared secret, metered by agent."""
