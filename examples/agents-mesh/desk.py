"""Answers a visitor, with two agents that are found by what they can do."""

import sys

from understudy import LLM, Client, ProviderNotFound, llm


@llm({"capability": "llm", "tags": ["archive"]}, parameter="archive")
@llm({"capability": "llm", "tags": ["letters"]}, parameter="secretary")
def reply(question: str, archive: LLM, secretary: LLM) -> str:
    """A letter that says what the archive knows."""
    known = archive(question).text
    return secretary(f"Write a letter to a visitor: {known}").text


def main(question: str) -> None:
    """Ask the agents, then the same archive as an app does that knows nothing of agents."""
    try:
        print(reply(question))
    except ProviderNotFound as error:
        print(f"Nobody is at work: {error}")
    with Client() as client:
        answer = client.chat("archive", question)
    print(f"{answer.provider}: {answer.text}")


main(" ".join(sys.argv[1:]) or "Where is The Tempest?")
