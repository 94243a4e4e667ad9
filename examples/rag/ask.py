"""Answers questions from a folder of documents: find the passages that fit, and let a persona answer from them.

    python ask.py "How do I return a book?"

Any OpenAI client works with a gateway; this is OpenAI's own. The vectors come from the route `vectors`, the answer from
the persona `clerk`, so that neither a provider nor a prompt is named here.
"""

import os
import re
import sys
from dataclasses import dataclass
from math import hypot
from pathlib import Path

from openai import OpenAI

DOCUMENTS = Path(__file__).with_name("documents")
PASSAGES_AN_ANSWER = 3


@dataclass(frozen=True)
class Passage:
    """A paragraph of a document, which is what is searched for."""

    source: str
    title: str
    text: str


@dataclass(frozen=True)
class Index:
    """Passages by their vectors. For thousands this is fast enough; for millions there are databases."""

    passages: list[Passage]
    vectors: list[list[float]]

    def nearest(self, vector: list[float], number: int) -> list[Passage]:
        """The passages whose vectors point most in the direction of this one, the best first."""
        ranked = sorted(range(len(self.passages)), key=lambda at: -cosine(vector, self.vectors[at]))
        return [self.passages[at] for at in ranked[:number]]


def cosine(one: list[float], other: list[float]) -> float:
    """How far two vectors point in the same direction: 1 for the same, 0 for nothing in common."""
    return sum(x * y for x, y in zip(one, other, strict=True)) / (hypot(*one) * hypot(*other))


def read(folder: Path) -> list[Passage]:
    """All paragraphs of the documents in a folder."""
    found = []
    for file in sorted(folder.glob("*.md")):
        title, *paragraphs = file.read_text().strip().split("\n\n")
        found += [Passage(file.name, title.lstrip("# "), " ".join(text.split())) for text in paragraphs]
    return found


def embed(gateway: OpenAI, texts: list[str]) -> list[list[float]]:
    """A vector for each text, in one request."""
    answer = gateway.embeddings.create(model="vectors", input=texts)
    return [entry.embedding for entry in answer.data]


def ask(gateway: OpenAI, question: str, passages: list[Passage]) -> str:
    """What the persona answers, printed as it comes."""
    numbered = "\n".join(f"[{number}] {each.title}: {each.text}" for number, each in enumerate(passages, start=1))
    message = f"{question}\n\nPassages:\n{numbered}"
    said = ""
    with gateway.chat.completions.create(
        model="persona/clerk", messages=[{"role": "user", "content": message}], stream=True
    ) as stream:
        for chunk in stream:
            piece = chunk.choices[0].delta.content or "" if chunk.choices else ""
            said += piece
            print(piece, end="", flush=True)
    print()
    return said


def main(question: str) -> None:
    """Read, find, answer, and tell which documents the answer names."""
    url = os.environ.get("LLM_GATEWAY_URL", "http://localhost:8080/v1")
    with OpenAI(base_url=url, api_key=os.environ.get("LLM_GATEWAY_API_KEY", "none")) as gateway:
        passages = read(DOCUMENTS)
        index = Index(passages, embed(gateway, [f"{each.title}\n{each.text}" for each in passages]))
        found = index.nearest(embed(gateway, [question])[0], PASSAGES_AN_ANSWER)
        said = ask(gateway, question, found)
    for number, each in enumerate(found, start=1):
        if re.search(rf"\[{number}\]", said):
            print(f"[{number}] {each.source}")


main(" ".join(sys.argv[1:]) or "How do I return a book?")
