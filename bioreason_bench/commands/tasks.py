"""`bioreason tasks`: the lm-eval tasks, and their installation into lm-eval."""

from __future__ import annotations

import json

import click


@click.group(name="tasks")
def command() -> None:
    """List the lm-eval tasks; install them into the harness, or remove them."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def list_tasks(as_json: bool) -> None:
    """The names of all tasks and groups."""
    from bioreason_bench.evaluation.harness.names import all_names

    names = all_names()
    click.echo(json.dumps(names) if as_json else "\n".join(names))


@command.command()
@click.option("-q", "--quiet", is_flag=True, help="No messages.")
def install(quiet: bool) -> None:
    """Copy the task files into the harness, for plain `lm_eval --tasks bioreason_comp`."""
    from bioreason_bench.evaluation.harness.install import install as install_tasks

    folder, count = install_tasks()
    if not quiet:
        example = "lm_eval --tasks bioreason_comp --model ..."
        click.echo(f"{count} files in {folder}; now this works: {example}", err=True)


@command.command()
@click.option("-q", "--quiet", is_flag=True, help="No messages.")
def uninstall(quiet: bool) -> None:
    """Remove exactly the files that `install` copied."""
    from bioreason_bench.evaluation.harness.install import uninstall as uninstall_tasks

    folder, count, kept = uninstall_tasks()
    if quiet:
        return
    removed = f"{count} files removed from {folder}"
    click.echo(removed if count else f"nothing is installed in {folder}", err=True)
    if kept:
        click.echo(f"kept (modified since install): {', '.join(kept)}", err=True)
