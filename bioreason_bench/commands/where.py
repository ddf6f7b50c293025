"""`bioreason where`: the folders that hold no code."""

from __future__ import annotations

import click

from bioreason_bench.resources import FOLDERS, folder


@click.command(name="where")
@click.argument("name", type=click.Choice(FOLDERS), metavar="|".join(FOLDERS))
def command(name: str) -> None:
    """Print the folder of the lm-eval tasks, the JSON schemas or the texts of the card."""
    click.echo(folder(name))
