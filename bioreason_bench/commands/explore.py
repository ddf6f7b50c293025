"""`bioreason explore`: a release as one page for a browser."""

from __future__ import annotations

from pathlib import Path

import click

from bioreason_bench.commands.parameters import COUNT, PATH, beside
from bioreason_bench.errors import UsageError


@click.command(name="explore")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--out", type=PATH, help="File to write; default: DIR.html, beside DIR.")
@click.option(
    "--results",
    type=PATH,
    metavar="OUT",
    help="The --output_path of a bioreason eval: show its answers beside the questions.",
)
@click.option(
    "--questions",
    type=COUNT,
    default=1500,
    show_default=True,
    help="About how many test questions, shared by the configs.",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("-q", "--quiet", is_flag=True, help="No messages.")
def command(
    folder: Path, out: Path | None, results: Path | None, questions: int, force: bool, quiet: bool
) -> None:
    """Write the world of DIR as one HTML file, which any browser opens without a network.

    \b
      bioreason explore v1 --out world.html
      bioreason explore v1 --results OUT

    It has search, a page for each person, questions with the sentence that supports each hop, the
    tables of the audit and, with --results, what a model answered.
    """  # noqa: D301 - click reads \b
    from bioreason_bench.explore.page import write_page
    from bioreason_bench.release.disk import user_path
    from bioreason_bench.release.read import Release

    release = Release(folder)
    if "people" not in release.configs():
        raise UsageError(
            f"explore shows worlds of people, and {folder} is none; use bioreason show"
        )
    out = out or beside(folder, ".html")
    write_page(release, user_path(out), results, questions=questions, force=force)
    click.echo(out)
    if not quiet:
        size = user_path(out).stat().st_size
        click.echo(f"{size / 1e6:.1f} MB; open it in a browser", err=True)
