"""The door `/mcp`: models, and tools, for whoever speaks the Model Context Protocol."""
