"""Conversations in which the gateway runs a persona's tools: models are asked, and tools run, as `rounds` decides."""
