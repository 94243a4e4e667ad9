"""Understudy: an LLM gateway for Kubernetes, and on a laptop with the same YAML."""
