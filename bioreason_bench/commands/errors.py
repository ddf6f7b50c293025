"""What the command lines do with an error: one sentence on stderr and an exit code."""

from __future__ import annotations

import errno
import sys
from typing import NoReturn

import click

from bioreason_bench.errors import BioreasonError

__all__ = ["ErrorsAsSentences"]


class ErrorsAsSentences(click.Group):
    """A group of commands whose errors become one sentence on stderr and an exit code.

    Attributes:
        program: The name at the beginning of the sentence.
        on_interrupt: The sentence after Ctrl-C.
        on_full_disk: What follows the system's message if no room is left.
        on_little_memory: What to do if memory runs out.
    """

    program = "bioreason"
    on_interrupt = "interrupted"
    on_full_disk = ""
    on_little_memory = "ask for fewer people (known, novel), or for fewer --workers"

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BioreasonError as error:
            self._stop(str(error), error.exit_code)
        except KeyboardInterrupt as stop:
            self._stop(str(stop) or self.on_interrupt, 130)
        except MemoryError:
            self._stop(f"memory ran out; {self.on_little_memory}", 1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # a reader such as head has closed the pipe
                raise  # click exits without a message
            file = f"{error.filename}: " if error.filename else ""
            advice = self.on_full_disk if error.errno == errno.ENOSPC else ""
            self._stop(f"{file}{error.strerror or error}{advice}", 1)

    def _stop(self, message: str, code: int) -> NoReturn:
        click.echo(f"{self.program}: {message}", err=True)
        sys.exit(code)
