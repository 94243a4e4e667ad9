"""The `openai` SDK as Azure's customers use it: AzureOpenAI, whose models are deployments in the path."""

from functools import cache

import openai

from compatibility.clients.driver import serve
from compatibility.clients.openai_sdk import Chat


@cache
def _client(base_url: str) -> openai.OpenAI:
    return openai.AzureOpenAI(azure_endpoint=base_url, api_version="2024-10-21", api_key="any")


class AzureChat(Chat):
    """A conversation in chat completions with a deployment."""

    client = staticmethod(_client)


if __name__ == "__main__":
    serve(AzureChat)
