"""`bioreason export`: a release in the format of a trainer."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bioreason_bench.commands.parameters import PATH, beside


@click.command(name="export")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option(
    "--to",
    required=True,
    type=click.Choice(["trl", "llamafactory", "verl", "graphml"]),
    help="The trainer; or graphml, the world as a graph.",
)
@click.option(
    "--prompt",
    type=click.Choice(["base", "chat"]),
    default="base",
    show_default=True,
    help="The bare prompt, or that for chat models, which says in which form to answer.",
)
@click.option(
    "--out",
    type=PATH,
    help="Folder to write; default: DIR-trl, DIR-verl and so on.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress, no messages.")
def command(folder: Path, to: str, prompt: str, out: Path | None, quiet: bool) -> None:
    """Write the texts and questions of DIR for TRL, LLaMA-Factory or veRL; or its world as a graph.

    \b
      bioreason export v1 --to verl --out v1-verl
      bioreason export v1 --to trl --prompt chat

    Prompts and completions are those of evaluation. The README.md of the new folder shows how to
    load the files.
    """  # noqa: D301 - click reads \b
    from tqdm import tqdm

    from bioreason_bench.export.export import export, parts_of
    from bioreason_bench.export.formats import FORMATS
    from bioreason_bench.release.disk import user_path
    from bioreason_bench.release.read import Release

    release = Release(folder)
    out = out or beside(folder, f"-{to}")
    target = user_path(out)
    total = sum(
        release.count(part.config, part.split)
        for part in parts_of(release)
        for use in part.uses
        if use in FORMATS[to]
    )
    with tqdm(total=total, unit=" rows", unit_scale=True, disable=quiet, file=sys.stderr) as bar:

        def advance(name: str, rows: int) -> None:
            bar.set_description(name, refresh=False)
            bar.update(rows)

        files = export(release, to, target, advance, prompt)
    click.echo(out)
    if not quiet:
        size = sum(path.stat().st_size for path in files)
        click.echo(f"{len(files)} files, {size:,} bytes; read {out / 'README.md'}", err=True)
