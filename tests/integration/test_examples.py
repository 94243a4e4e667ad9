"""The programs under `examples/`, run as they stand."""

import re
from pathlib import Path

import pytest

from harness.commands import serving
from harness.examples import EXAMPLES, example_gateway, printed_by
from harness.shop import USUAL, open_shop
from understudy.mock import Mock


async def test_quickstart(tmp_path: Path) -> None:
    """The route and the persona answer, and when the first provider fails the other one steps in unnoticed."""
    async with Mock(name="ada") as ada, Mock(name="bob") as bob:
        text = (EXAMPLES / "quickstart/providers.yaml").read_text()
        for name, mock in (("mock-a", ada), ("mock-b", bob)):
            text = text.replace(f"serviceRef: {{name: {name}, port: 8000}}", f"baseURL: {mock.url}/v1")
        files = [str(EXAMPLES / f"quickstart/{name}.yaml") for name in ("route", "persona")]
        (tmp_path / "providers.yaml").write_text(text)
        async with serving(tmp_path, "-f", str(tmp_path / "providers.yaml"), "-f", files[0], "-f", files[1]) as serve:
            said = [(await serve.ask(model)).body.decode() for model in ("chat", "persona/code_assistant")]
            ada.set_faults(["500"])
            said.append((await serve.ask()).body.decode())
    assert ["ada", "ada", "bob"] == [re.findall("This is (\\w+)", each)[0] for each in said]
    assert "careful Python programmer" in ada.requests[1].body.decode()


async def test_batch(tmp_path: Path) -> None:
    """All requests are answered, by the understudy where the first one fails."""
    async with Mock(faults=["500;every=4"]) as first, Mock() as second:
        async with example_gateway("batch", first, second, folder=tmp_path) as serve:
            found = await printed_by("batch", "summaries.py", port=serve.port)
        counts = dict(re.findall(r"^default/(\w+): (\d+)$", found, re.MULTILINE))
        assert sum(map(int, counts.values())) == 40
        assert len(second.requests) == int(counts.get("second", 0))


async def test_tools_of_a_client(tmp_path: Path) -> None:
    """Both functions are called, and the model is told what they returned."""
    async with Mock() as mock, example_gateway("tools-client", mock, folder=tmp_path) as serve:
        found = await printed_by("tools-client", "trip.py", port=serve.port)
    assert found.startswith("called weather\ncalled distance\n")
    assert "450 km from" in found


@pytest.mark.parametrize(
    ("question", "document", "passage"),
    [
        pytest.param("Is a damaged book replaced?", "returns.md", "A damaged book is replaced", id="returns"),
        pytest.param("What does shipping within the country cost?", "shipping.md", "four dollars", id="shipping"),
        pytest.param("Which author reads, and when?", "shop.md", "first Friday", id="the shop"),
    ],
)
async def test_rag(tmp_path: Path, question: str, document: str, passage: str) -> None:
    """What the documents say on a question reaches the persona, and the answer's passages are named."""
    async with Mock() as mock:
        async with example_gateway("rag", mock, folder=tmp_path) as serve:
            found = await printed_by("rag", "ask.py", *question.split(), port=serve.port)
        indexed, asked, answered = mock.requests
    assert f'You said: "{question}' in found
    assert f"\n[1] {document}\n" in found
    first = answered.json()["messages"][1]["content"].splitlines()[3]
    assert first.startswith("[1] ")
    assert passage in first
    assert "the clerk of a small bookshop" in answered.json()["messages"][0]["content"]
    paragraphs = sum(file.read_text().strip().count("\n\n") for file in (EXAMPLES / "rag/documents").iterdir())
    assert ["embedder", "embedder", "large"] == [each.model for each in (indexed, asked, answered)]
    assert (paragraphs, 1) == (len(indexed.json()["input"]), len(asked.json()["input"]))


async def test_tools_of_the_gateway(tmp_path: Path) -> None:
    """A program calls them by name; a persona looks things up by itself, and the client only sees its answer."""
    async with (
        open_shop(tmp_path) as shop,
        Mock() as mock,
        example_gateway("tools", mock, folder=tmp_path, moved={USUAL: shop}) as serve,
    ):
        found = await printed_by("tools", "browse.py", port=serve.port)
    listed = ["ask_customer", "find_book", "stock"]
    assert listed == re.findall(r"^(\w+): [A-Z]", found, re.MULTILINE)[:3]
    assert "Wuthering Heights: 0 on shelf C2\nJane Eyre: 2 on shelf C3\n" in found
    assert "Pride and Prejudice" in mock.requests[1].body.decode()
    assert "The tool returned" in found.splitlines()[-1]
    assert "Pride and Prejudice" in found.splitlines()[-1]
