"""The exchange: attempts at upstreams, with their timeouts, failover, streaming and cancellation."""
