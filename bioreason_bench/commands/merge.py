"""`bioreason merge`: put the parts of a release together."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bioreason_bench.commands.parameters import PATH_OR_URL


@click.command(name="merge")
@click.argument("parts", nargs=-1, required=True, type=PATH_OR_URL, metavar="PART...")
@click.option(
    "--out",
    required=True,
    type=PATH_OR_URL,
    help="Folder of the release to write; or the place in a store (s3://, hf://) that was filled.",
)
@click.option(
    "--force", is_flag=True, help="Replace an existing release, once the new one is complete."
)
@click.option("--json", "as_json", is_flag=True, help="Print path and number of files as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no messages.")
def command(
    parts: tuple[Path | str, ...], out: Path | str, force: bool, as_json: bool, quiet: bool
) -> None:
    """Put parts together that bioreason generate --shards has written.

    \b
      bioreason generate --preset v1 --shards 0-9/20 --out part-a
      bioreason generate --preset v1 --shards 10-19/20 --out part-b
      bioreason merge part-a part-b --out v1

    Checks that every file is there once and unchanged, then writes the card and, last, the
    manifest.  The rows are those of one machine.  Files are linked where the file system can, so
    no second copy is made; the parts stay.
    """  # noqa: D301 - click reads \b
    from bioreason_bench.build import merge
    from bioreason_bench.commands.generate import say_how_it_is_seen
    from bioreason_bench.scale.remote import writable_store_at

    if isinstance(out, str):
        out = writable_store_at(out).url
    manifest = merge(parts, out, force=force, progress=not quiet)
    files, rows = len(manifest["files"]), sum(f["rows"] for f in manifest["files"].values())
    if as_json:
        click.echo(
            json.dumps({"path": str(out), "parts": len(parts), "files": files, "rows": rows})
        )
    elif not quiet:
        click.echo(f"{out}: {files:,} files with {rows:,} rows from {len(parts):,} parts", err=True)
        say_how_it_is_seen(out)
