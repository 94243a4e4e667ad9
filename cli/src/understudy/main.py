"""The `understudy` command.

Commands are imported when they are asked for, so that `understudy --help` and `understudy lint` never pay for a
server they do not start, and so that an image may leave out the parts that it does not run.
"""

import importlib
from importlib.metadata import version
from keyword import iskeyword

import click

COMMANDS: dict[str, str] = {
    "serve": "Run the gateway from YAML files, reloading when they change.",
    "demo": "See an answer, a failover and a reload, with two mock providers.",
    "mock": "Run an upstream for tests and demos, with scripted faults.",
    "lint": "Check YAML files as the operator would.",
    "explain": "Tell who would answer a model name, and why.",
    "import": "Print the objects that another gateway's configuration amounts to.",
    "crds": "Print the CRDs.",
    "operator": "Run the control plane.",
    "proxy": "Run the data plane.",
}
"""Each command with its line in `--help`; the module of the same name in `understudy.commands` holds it."""


def module_name(command: str) -> str:
    """The name of a command's module, and of the command in it: its own, unless Python keeps that to itself."""
    return f"{command}_" if iskeyword(command) else command


class LazyGroup(click.Group):
    """A group that imports a command's module when that command is used, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the command, or tell which extra brings what it needs."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(f"understudy.commands.{module_name(cmd_name)}")
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"`understudy {cmd_name}` needs {error.name}, which is not installed: "
                f"pip install 'understudy[cli,operator]'"
            ) from error
        command: click.Command = getattr(module, module_name(cmd_name))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("understudy"), prog_name="understudy")
def main() -> None:
    """An LLM gateway for Kubernetes: when one model can't go on, the next one does."""
