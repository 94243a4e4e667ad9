"""Drivers answer line by line, know nothing of this machine, and say why they do not answer."""

import sys
from pathlib import Path

import pytest

from harness.drivers import DriverFailed, driver

# A module below `tests`, as drivers are named, that says nothing and ends.
NOT_A_DRIVER = "harness.cache"
PYTHON = Path(sys.executable)


async def test_a_program_that_ends_is_an_error(tmp_path: Path) -> None:
    """Whoever asks is told, at once, and reads what was asked."""
    async with driver(PYTHON, NOT_A_DRIVER, folder=tmp_path, environment={}) as asked:
        with pytest.raises(DriverFailed, match="who are you"):
            await asked.ask({"text": "who are you"})


async def test_what_it_wrote_explains_its_end(tmp_path: Path) -> None:
    """A driver that cannot begin leaves its reason."""
    async with driver(PYTHON, "compatibility.clients.nobody", folder=tmp_path, environment={}) as asked:
        with pytest.raises(DriverFailed, match="No module named"):
            await asked.ask({})


async def test_a_driver_answers_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each task has its answer, and a failure is an answer, too; keys of whoever runs the tests are not there."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://somewhere.example")
    task = {"base_url": "http://127.0.0.1:9", "model": "m", "text": "Hi"}
    async with driver(PYTHON, "compatibility.clients.openai_sdk", folder=tmp_path, environment={}) as asked:
        answers = [await asked.ask(task) for _ in range(2)]
    assert [answer["error"]["classes"][0] for answer in answers] == ["APIConnectionError"] * 2
    assert answers[0]["requests"] == 0


async def test_after_a_failure_there_are_no_answers(tmp_path: Path) -> None:
    """What comes late is never taken for the answer to another task."""
    async with driver(PYTHON, NOT_A_DRIVER, folder=tmp_path, environment={}) as asked:
        for text in ("first", "second"):
            with pytest.raises(DriverFailed, match="first"):
                await asked.ask({"text": text})
