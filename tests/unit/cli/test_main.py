"""The command itself: its list, its help, and what it does not import."""

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from understudy.main import COMMANDS, main, module_name

HEAVY = ("aiohttp", "kopf", "kubernetes", "pydantic", "understudy_operator", "understudy_proxy", "uvloop", "yaml")


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and what is printed on either stream."""
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    """Each of the list can be imported, is called so, and has help."""
    command = getattr(importlib.import_module(f"understudy.commands.{module_name(name)}"), module_name(name))
    assert isinstance(command, click.Command)
    assert command.name == name
    code, help_text = run(name, "--help")
    assert (code, help_text.startswith(f"Usage: main {name} ")) == (0, True)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    """Nobody has to read the code to know what an option does."""
    command = getattr(importlib.import_module(f"understudy.commands.{module_name(name)}"), module_name(name))
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_the_list_says_what_each_one_is_for() -> None:
    """In the order in which a newcomer meets them."""
    code, printed = run("--help")
    assert code == 0
    places = [printed.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    for line in COMMANDS.values():
        assert " ".join(line.split()) in " ".join(printed.split())


def test_an_unknown_command_is_a_sentence() -> None:
    """With the list at hand."""
    code, printed = run("sreve")
    assert code == 2
    assert "No such command 'sreve'." in printed


def test_the_version() -> None:
    """That of the distribution."""
    code, printed = run("--version")
    assert (code, printed.startswith("understudy, version 0.")) == (0, True)


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_imports_no_server(argument: str) -> None:
    """Asking for help costs no time, and needs no part that an image may leave out."""
    script = (
        "import sys\n"
        "from understudy.main import main\n"
        f"main([{argument!r}], standalone_mode=False)\n"
        "print('loaded', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    loaded = set(printed.rpartition("loaded ")[2].split())
    assert loaded & set(HEAVY) == set()


def test_a_command_that_lacks_a_part_says_how_to_get_it() -> None:
    """An image or an installation without the operator's libraries still has the other commands."""
    script = "import sys; sys.modules['kopf'] = None; from understudy.main import main; main(['operator'])"
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    said = "`understudy operator` needs kopf, which is not installed: pip install 'understudy[cli,operator]'"
    assert (done.returncode, done.stderr) == (1, f"Error: {said}\n")
