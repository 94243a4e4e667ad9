"""A real mesh: the published registry, and agents that the published SDK runs."""
