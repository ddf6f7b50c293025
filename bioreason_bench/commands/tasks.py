"""`bioreason tasks`: the lm-eval tasks, and where lm-eval finds them."""

from __future__ import annotations

import json

import click


@click.group(name="tasks")
def command() -> None:
    """List the lm-eval tasks; install them into the harness, or take them away again."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def list_tasks(as_json: bool) -> None:
    """The names of all tasks and groups."""
    from bioreason_bench.evaluation.harness.names import all_names

    names = all_names()
    click.echo(json.dumps(names) if as_json else "\n".join(names))


@command.command()
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
def install(quiet: bool) -> None:
    """Copy the task files into the installed harness, so that plain `lm_eval --tasks bioreason_comp` works."""
    from bioreason_bench.evaluation.harness.install import install as put

    folder, count = put()
    if not quiet:
        click.echo(
            f"{count} files in {folder}; now this works: lm_eval --tasks bioreason_comp --model ...",
            err=True,
        )


@command.command()
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
def uninstall(quiet: bool) -> None:
    """Remove exactly what `install` put there."""
    from bioreason_bench.evaluation.harness.install import uninstall as remove

    folder, count, kept = remove()
    if not quiet:
        click.echo(
            f"{count} files removed from {folder}"
            if count
            else f"nothing is installed in {folder}",
            err=True,
        )
        if kept:
            click.echo(f"left there, since somebody changed them: {', '.join(kept)}", err=True)
