"""What the command lines do with an error: one line on stderr and an exit code.

Errors meant for users bring their own code.  Any other exception is a bug: its traceback goes to a
file that only the user can read, and the line on stderr says where it is and how to report it.
"""

from __future__ import annotations

import errno
import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from bioreason_bench._version import __version__
from bioreason_bench.errors import BUG, EXIT_CODES, BioreasonError, one_line
from bioreason_bench.escaping import without_token

__all__ = ["ErrorsAsSentences"]

LONGEST_ARGUMENT = 20_000  # characters


class ErrorsAsSentences(click.Group):
    """A group of commands whose errors become one line on stderr and an exit code.

    Attributes:
        program: The name at the beginning of the line.
        on_interrupt: The sentence after Ctrl-C.
        on_full_disk: What follows the system's message if no room is left.
        on_little_memory: What to do if memory runs out.
    """

    program = "bioreason"
    on_interrupt = "interrupted"
    on_full_disk = ""
    on_little_memory = "ask for fewer people (known, novel), or for fewer --workers"

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and exit; without `standalone_mode`, errors of click are raised."""
        _open_closed_streams()
        words = sys.argv[1:] if args is None else list(args)
        try:
            _check_words(words)
            code = super().main(words, prog_name, complete_var, False, **extra)
        except click.ClickException as error:
            if not standalone_mode:
                raise
            self._stop(_sentence_of_click(error), error.exit_code)
        except click.Abort:
            self._stop(self.on_interrupt, 130)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except BioreasonError as error:
            self._stop(str(error), error.exit_code)
        except KeyboardInterrupt as interrupt:  # may say how to go on
            self._stop(str(interrupt) or self.on_interrupt, 130)
        except MemoryError:
            self._stop(f"memory ran out; {self.on_little_memory}", 1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # a reader such as head has closed the pipe
                raise  # click exits without a message
            file = f"{error.filename}: " if error.filename else ""
            advice = self.on_full_disk if error.errno == errno.ENOSPC else ""
            self._stop(f"{file}{error.strerror or error}{advice}", 1)
        except Exception as error:  # noqa: BLE001 - the last line of defence
            self._stop(_bug(error, self.program), BUG)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES.items()])

    def _stop(self, message: str, code: int) -> NoReturn:
        click.echo(one_line(without_token(f"{self.program}: {message}")), err=True)
        sys.exit(code)


def _open_closed_streams() -> None:
    """Give a closed stdin, stdout or stderr to the null device.

    Otherwise the next file that is opened would take its number, and messages would be written into
    it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
        mode = "r" if number == 0 else "w"
        setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - stays open


def _check_words(words: Sequence[str]) -> None:
    """Refuse words of the command line that are no text, or too long."""
    for position, word in enumerate(words, 1):
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            raise click.UsageError(
                f"word {position} of the command line, {one_line(word, 60)!r}, is not UTF-8 text; "
                "rename the file, or correct the word"
            ) from None
        if "\0" in word:
            raise click.UsageError(
                f"word {position} of the command line holds a null character; remove it"
            )
        if len(word) > LONGEST_ARGUMENT:
            raise click.UsageError(
                f"word {position} of the command line has {len(word):,} characters; "
                f"at most {LONGEST_ARGUMENT:,} are read"
            )


def _sentence_of_click(error: click.ClickException) -> str:
    """The message of a wrong usage, with the command whose help says more."""
    context = getattr(error, "ctx", None)
    path = context.command_path.partition(" ")[2] if context else ""
    place = f"{path}: " if path else ""
    message = " ".join(error.format_message().split()).removesuffix(".")
    return f"{place}{message[:1].lower()}{message[1:]}"


def _bug(error: BaseException, program: str) -> str:
    """Write the traceback to a file of the user's; return the sentence that names it."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    try:
        place = f"the traceback is in {_write_log(error, program)}"
    except OSError as refused:
        place = f"the traceback could not be written ({refused.strerror or refused})"
    return (
        f"a bug in bioreason {__version__} ({one_line(what, 160)}); {place}; "
        "please report it with this file and the command"
    )


def _write_log(error: BaseException, program: str) -> Path:
    """Write a file with mode 600 in the temporary folder: versions, command and traceback."""
    number, name = tempfile.mkstemp(prefix="bioreason-bug-", suffix=".log")
    with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"bioreason-bench {__version__}, Python {platform.python_version()}, ")
        file.write(f"{platform.platform()}\n")
        file.write(without_token(shlex.join([program, *sys.argv[1:]])) + "\n\n")
        file.write(without_token("".join(traceback.format_exception(error))))
    return Path(name)
