"""Embeddings in OpenAI's dialect: as clients ask for them, and as providers give them."""
