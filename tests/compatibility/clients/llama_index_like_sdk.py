"""`llama-index-llms-openai-like`: LlamaIndex's class for every other server that speaks OpenAI."""

from functools import cache

from llama_index.llms.openai_like import OpenAILike

from compatibility.clients.driver import serve
from compatibility.clients.llama_index_sdk import Chat


@cache
def _model(base_url: str, name: str) -> OpenAILike:
    return OpenAILike(
        api_base=f"{base_url}/v1",
        api_key="sk-any",
        model=name,
        is_chat_model=True,
        is_function_calling_model=True,
        should_use_structured_outputs=True,
    )


class LikeChat(Chat):
    """A conversation in LlamaIndex's messages, with any model."""

    model = staticmethod(_model)


if __name__ == "__main__":
    serve(LikeChat)
