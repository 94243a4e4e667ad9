"""HTTP/1.1 to upstreams, on asyncio's protocols and httptools: half the cost of a client that can do everything."""
