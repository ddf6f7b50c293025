"""`bioreason`: one command for each module in commands/, imported when it is asked for.

Data goes to stdout, progress and messages to stderr; EXIT_CODES in errors.py lists the exit codes.
"""

from __future__ import annotations

import importlib

import click

from bioreason_bench._version import __version__
from bioreason_bench.commands.errors import ErrorsAsSentences
from bioreason_bench.errors import quoted, suggest

__all__ = ["COMMANDS", "main"]

COMMANDS = {  # in the order of use; each module has a click command called `command`
    "generate": "bioreason_bench.commands.generate",
    "merge": "bioreason_bench.commands.merge",
    "verify": "bioreason_bench.commands.verify",
    "show": "bioreason_bench.commands.show",
    "explore": "bioreason_bench.commands.explore",
    "diff": "bioreason_bench.commands.diff",
    "stats": "bioreason_bench.commands.stats",
    "export": "bioreason_bench.commands.export",
    "publish": "bioreason_bench.commands.publish",
    "eval": "bioreason_bench.commands.eval",
    "tasks": "bioreason_bench.commands.tasks",
    "plot": "bioreason_bench.commands.plot",
    "where": "bioreason_bench.commands.where",
}


class LateCommands(ErrorsAsSentences):
    """The commands of COMMANDS, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        return importlib.import_module(COMMANDS[cmd_name]).command if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            hint = suggest(name, COMMANDS, f"the commands are {', '.join(COMMANDS)}")
            ctx.fail(f"there is no command {quoted(name)}: {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LateCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="bioreason")
def main() -> None:
    """Synthetic biographies, not biology: does a model compose what it knows with what it reads?"""
