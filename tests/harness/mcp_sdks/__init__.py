"""The protocol's own client in both of its generations, each in its own environment, behind standard input and output."""
