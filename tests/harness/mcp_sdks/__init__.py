"""The protocol's own client in both generations, each in its own environment, behind standard input and output."""
