"""The Model Context Protocol as the gateway speaks it: messages in, messages out, no sockets and no state."""
