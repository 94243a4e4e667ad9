"""The control plane: cluster objects become configuration, and a fleet confirms it."""
