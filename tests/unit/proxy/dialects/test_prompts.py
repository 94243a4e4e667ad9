"""A persona's prompt with a conversation's own values in the place of its variables' defaults."""

import pytest

from understudy_api.config import Prompt, PromptPiece
from understudy_proxy.dialects.prompts import MAX_CHARACTERS, written
from understudy_proxy.dialects.request_error import RequestError


def words(text: str) -> PromptPiece:
    """Words of a prompt."""
    return PromptPiece(text=text)


def variable(name: str, default: str) -> PromptPiece:
    """A variable with its default."""
    return PromptPiece(text=default, variable=name)


PROMPT = Prompt(
    system="At Example Inc.\n\nAnswer in English, {{ please }}.",
    template=(
        (words("At "), variable("company", "Example Inc.")),
        (variable("notes", ""),),
        (words("Answer in "), variable("language", "English"), words(", {{ please }}.")),
    ),
)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({}, PROMPT.system, id="no values"),
        pytest.param({"other": "x"}, PROMPT.system, id="values of nothing in it"),
        pytest.param({"language": "German"}, "At Example Inc.\n\nAnswer in German, {{ please }}.", id="one"),
        pytest.param(
            {"company": "A", "notes": "N", "language": "L"}, "At A\n\nN\n\nAnswer in L, {{ please }}.", id="all"
        ),
        pytest.param(
            {"company": "{{ language }}"},
            "At {{ language }}\n\nAnswer in English, {{ please }}.",
            id="a value is not looked into again",
        ),
        pytest.param({"please": "x"}, PROMPT.system, id="braces that are no variable stay"),
    ],
)
def test_written(variables: dict[str, str], expected: str) -> None:
    """Parts that come out empty are left out."""
    assert expected == written(PROMPT, variables)


def test_nothing_but_an_empty_variable() -> None:
    """A prompt that is all the conversation's."""
    prompt = Prompt(system=None, template=((variable("all", ""),),))
    assert (None, "x") == (written(prompt, {}), written(prompt, {"all": "x"}))


def test_values_do_not_blow_a_prompt_up() -> None:
    """A short prompt can name a long value often; the client is told that its context is too long."""
    prompt = Prompt(system="", template=(tuple(variable("v", "") for _ in range(100)),))
    with pytest.raises(RequestError, match="'context'") as caught:
        written(prompt, {"v": "x" * (MAX_CHARACTERS // 100 + 1)})
    assert "context" == caught.value.param
