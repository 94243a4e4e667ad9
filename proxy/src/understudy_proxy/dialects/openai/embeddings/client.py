"""The client side of OpenAI's embeddings."""

from understudy_api.config import Dialect
from understudy_proxy.dialects.embedding import EmbeddingClient
from understudy_proxy.dialects.openai.embeddings.answers import render
from understudy_proxy.dialects.openai.embeddings.passing import PassedEmbedding
from understudy_proxy.dialects.openai.embeddings.request import EmbeddingRequest, embedding

EMBEDDINGS: EmbeddingClient[EmbeddingRequest] = EmbeddingClient(
    embedding=embedding,
    answer=render,
    passing={Dialect.OPENAI: PassedEmbedding},
)
