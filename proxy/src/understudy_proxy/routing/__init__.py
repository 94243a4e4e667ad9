"""Routing: pure decisions about who answers a request, over a `Runtime` and what is known of its endpoints' health."""
