"""The data plane: requests go to providers, and on to the next one when a provider cannot go on."""
