"""`bioreason`: one command a module in commands/, imported when it is asked for.

Data goes to stdout, progress and messages to stderr.  Exit code 0: done; 1: something written is broken, or a check
failed; 2: wrong usage; 130: interrupted.  A traceback means a bug in this package.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import sys
from typing import NoReturn

import click

from bioreason_bench._version import __version__
from bioreason_bench.errors import BioreasonError

__all__ = ["COMMANDS", "main"]

COMMANDS = {  # in the order in which they are used; each module has a click command called `command`
    "generate": "bioreason_bench.commands.generate",
    "verify": "bioreason_bench.commands.verify",
    "show": "bioreason_bench.commands.show",
    "stats": "bioreason_bench.commands.stats",
    "export": "bioreason_bench.commands.export",
    "publish": "bioreason_bench.commands.publish",
    "eval": "bioreason_bench.commands.eval",
    "tasks": "bioreason_bench.commands.tasks",
    "plot": "bioreason_bench.commands.plot",
    "where": "bioreason_bench.commands.where",
}


class Sentences(click.Group):
    """Whatever goes wrong becomes one sentence on stderr and an exit code."""

    program = "bioreason"
    on_interrupt = "interrupted"
    on_full_disk = ""
    on_little_memory = "ask for fewer people (known, novel), or for fewer --workers"

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BioreasonError as error:
            self._stop(str(error), error.exit_code)
        except KeyboardInterrupt:
            self._stop(self.on_interrupt, 130)
        except MemoryError:
            self._stop(f"memory ran out; {self.on_little_memory}", 1)
        except OSError as error:
            if (
                error.errno == errno.EPIPE
            ):  # a reader such as head has seen enough; click leaves quietly
                raise
            where = f"{error.filename}: " if error.filename else ""
            self._stop(
                f"{where}{error.strerror or error}{self.on_full_disk if error.errno == errno.ENOSPC else ''}",
                1,
            )

    def _stop(self, message: str, code: int) -> NoReturn:
        click.echo(f"{self.program}: {message}", err=True)
        sys.exit(code)


class Commands(Sentences):
    """The commands of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        return importlib.import_module(COMMANDS[cmd_name]).command if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        close = difflib.get_close_matches(args[0], COMMANDS, 1)
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = (
                f"did you mean {close[0]!r}?"
                if close
                else f"the commands are {', '.join(COMMANDS)}"
            )
            ctx.fail(f"there is no command {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="bioreason")
def main() -> None:
    """Synthetic biographies, not biology: does a language model compose what it knows with what it reads?"""
