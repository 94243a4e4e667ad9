"""Wire formats of model providers and of clients: one package each, bytes in and messages out, no sockets."""
