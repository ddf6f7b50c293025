"""`bioreason publish`: a release on the Hugging Face Hub."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bioreason_bench.hub.publish import Published


@click.command(name="publish")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--repo",
    required=True,
    metavar="OWNER/NAME",
    help="Data set repository; it is made if it is not there.",
)
@click.option("--tag", help="Name of this version, such as v1.0.0; users load it with revision=.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option(
    "--dry-run", is_flag=True, help="List what would go up; asks nobody and changes nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print what happened as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no messages.")
def command(
    folder: Path,
    repo: str,
    tag: str | None,
    private: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Put the release in DIR on the Hugging Face Hub: its data, its card, its audit, in one commit.

    \b
      bioreason verify v1 --write
      bioreason publish v1 --repo org/bioreason --tag v1.0.0

    The token is the Hub's own (hf auth login, or HF_TOKEN). Publishing the same release again changes nothing.
    """
    from tqdm import tqdm

    from bioreason_bench.hub.publish import check_names, check_release, files_to_publish, publish

    check_names(repo, tag)
    with tqdm(
        desc="checking digests",
        unit=" rows",
        unit_scale=True,
        disable=quiet,
        file=sys.stderr,
        leave=False,
    ) as bar:
        release = check_release(folder, lambda _, rows: bar.update(rows))
    if dry_run:
        files = files_to_publish(release, repo)
        sizes = {
            path: content.stat().st_size if isinstance(content, Path) else len(content)
            for path, content in sorted(files.items())
        }
        if as_json:
            click.echo(json.dumps({"repo": repo, "tag": tag, "files": sizes}))
        else:
            for path, size in sizes.items():
                click.echo(f"{size:>13,}  {path}")
            if not quiet:
                place = f"{repo} at {tag}" if tag else repo
                click.echo(
                    f"{len(sizes)} files, {sum(sizes.values()):,} bytes for {place}; nothing was sent",
                    err=True,
                )
        return
    if quiet:
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()
    done = publish(release, repo, tag=tag, private=private)
    click.echo(json.dumps(asdict(done)) if as_json else done.url)
    if not quiet:
        click.echo(_report(done), err=True)


def _report(done: Published) -> str:
    tag = f", tagged {done.tag}" if done.tag else ""
    if not done.sent and not done.removed:
        return f"this release is already there{tag}; nothing was sent"
    gone = f", {len(done.removed)} older ones removed" if done.removed else ""
    return f"{len(done.sent)} files sent in one commit{gone}{tag}"
