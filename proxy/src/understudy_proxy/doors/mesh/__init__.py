"""The doors of a mesh's registry: agents tell of themselves here, and find one another."""
