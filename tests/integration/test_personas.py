"""Personas as a caller and a provider see them: YAML says what a role adds to a request, and so it arrives."""

from pathlib import Path

import pytest
from openai import AsyncOpenAI

from harness.gateways import Serving
from understudy.local import from_files
from understudy.mock import Mock
from understudy_api.config import Snapshot

OBJECTS = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: lead}}
spec:
  type: OpenAICompatible
  baseURL: {lead}/v1
  models: [{{name: large}}]
---
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: other}}
spec:
  type: OpenAICompatible
  baseURL: {other}/v1
  models: [{{name: small}}]
---
apiVersion: understudy.dev/v1alpha1
kind: LLMTool
metadata: {{name: semantic-search}}
spec:
  description: Finds passages
  parameters: {{type: object, properties: {{query: {{type: string}}}}}}
---
apiVersion: understudy.dev/v1alpha1
kind: Persona
metadata: {{name: house-style}}
spec:
  system: {{text: Be brief.}}
  preferences: [{{providerRef: {{name: lead}}, model: large}}]
---
apiVersion: understudy.dev/v1alpha1
kind: Persona
metadata: {{name: code-assistant}}
spec:
  aliases: [pair_programmer]
  system:
    text: "You write {{{{ language }}}}."
    include: [house-style]
    variables: [{{name: language, default: Python}}]
  preferences:
    - {{providerRef: {{name: lead}}, model: large}}
    - {{providerRef: {{name: other}}, model: small}}
  parameters: {{defaults: {{temperature: 0.2, seed: 7}}, overrides: {{max_tokens: 64}}}}
  tools: {{refs: [{{name: semantic-search}}]}}
"""
QUESTION = [{"role": "user", "content": "Sort a list."}]


def served(folder: Path, *, lead: Mock, other: Mock) -> Snapshot:
    """What these objects amount to."""
    (folder / "objects.yaml").write_text(OBJECTS.format(lead=lead.url, other=other.url))
    return from_files((str(folder),), environment={}, namespace="default").snapshot


@pytest.mark.parametrize("name", ["code-assistant", "code_assistant", "pair_programmer", "pair-programmer"])
async def test_a_role_is_played(tmp_path: Path, name: str) -> None:
    """Prompt, parameters and tools reach the provider, by every spelling of the name and its alias."""
    async with Mock(name="lead") as lead, Mock(name="other") as other:
        async with Serving(served(tmp_path, lead=lead, other=other)) as gateway:
            client = AsyncOpenAI(
                base_url=f"http://127.0.0.1:{gateway.gateway.port}/v1", api_key="unused", max_retries=0
            )
            async with client:
                await client.chat.completions.create(
                    model=f"persona/{name}",
                    messages=QUESTION,  # type: ignore[arg-type]
                    temperature=0.9,
                    max_tokens=4000,
                )
        (asked,) = [request.json() for request in lead.requests]
    system, question = asked["messages"]
    assert {"role": "user", "content": "Sort a list."} == question
    assert "system" == system["role"]
    assert ["Be brief.", "You write Python."] == [line for line in system["content"].splitlines() if line]
    assert "large" == asked["model"]
    assert (0.9, 7, 64) == (asked["temperature"], asked["seed"], asked["max_tokens"])
    assert ["semantic_search"] == [tool["function"]["name"] for tool in asked["tools"]]


async def test_the_role_goes_on_with_another_actor(tmp_path: Path) -> None:
    """When the preferred model cannot go on, the next one gets the same role."""
    async with Mock(name="lead", faults=["503"]) as lead, Mock(name="other") as other:
        async with Serving(served(tmp_path, lead=lead, other=other)) as gateway:
            client = AsyncOpenAI(
                base_url=f"http://127.0.0.1:{gateway.gateway.port}/v1", api_key="unused", max_retries=0
            )
            async with client:
                answer = await client.chat.completions.create(
                    model="persona/code-assistant",
                    messages=QUESTION,  # type: ignore[arg-type]
                )
        (asked,) = [request.json() for request in other.requests]
    assert "other" in (answer.choices[0].message.content or "")
    assert "small" == asked["model"]
    assert "You write Python." in asked["messages"][0]["content"]
