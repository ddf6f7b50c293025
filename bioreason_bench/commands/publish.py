"""`bioreason publish`: put a release on the Hugging Face Hub."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from bioreason_bench.commands.parameters import PATH_OR_URL
from bioreason_bench.errors import UsageError

if TYPE_CHECKING:
    from bioreason_bench.hub.publish import Checked, Published
    from bioreason_bench.release.read import Release


@click.command(name="publish")
@click.argument("place", metavar="DIR", type=PATH_OR_URL)
@click.option(
    "--repo",
    required=True,
    metavar="OWNER/NAME",
    help="Data set repository; created if it does not exist.",
)
@click.option("--tag", help="Name of this version, such as v1.0.0; users load it with revision=.")
@click.option(
    "--space",
    metavar="OWNER/NAME",
    help="Also put the page of bioreason explore into this static Space; created if needed.",
)
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option(
    "--dry-run", is_flag=True, help="List what would be uploaded, without using the network."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no messages.")
def command(
    place: Path | str,
    repo: str,
    tag: str | None,
    space: str | None,
    private: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Publish the release in DIR on the Hugging Face Hub: data, card and audit, in one commit.

    \b
      bioreason verify v1 --write
      bioreason publish v1 --repo org/bioreason --tag v1.0.0

    DIR may be a place in a store, too: s3://bucket/name, or a draft of generate --out hf://....

    The token is the Hub's own (hf auth login, or HF_TOKEN).
    Publishing the same release again changes nothing.
    """  # noqa: D301 - click needs the character \b, which a raw string does not hold
    from tqdm import tqdm

    from bioreason_bench.hub.publish import check_names, check_release, publish
    from bioreason_bench.hub.space import publish_space
    from bioreason_bench.scale.hub_access import require_token
    from bioreason_bench.scale.remote import files_at

    check_names(repo, tag)
    if space is not None:
        check_names(space, None, option="--space")
        if not isinstance(place, Path):
            raise UsageError("--space needs a release in a folder; download it, or leave it out")
    if not dry_run:
        require_token()
    if quiet:
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()
    with files_at(place) as files:
        with tqdm(
            desc="checking digests",
            unit=" rows",
            unit_scale=True,
            disable=quiet,
            file=sys.stderr,
            leave=False,
        ) as bar:
            checked = check_release(files, lambda _, rows: bar.update(rows))
        if dry_run:
            _list_files(checked, repo, tag, as_json, quiet)
            return
        page = _page(checked.release) if space is not None else b""
        published = publish(checked, repo, tag=tag, private=private)
    outcome = asdict(published)
    if space is not None:
        outcome["space"] = publish_space(checked.release, page, space, repo)
    click.echo(json.dumps(outcome) if as_json else published.url)
    if space is not None and not as_json:
        click.echo(outcome["space"])
    if not quiet:
        click.echo(_outcome(published), err=True)


def _page(release: Release) -> bytes:
    """The page of bioreason explore, made before anything is sent."""
    write_page = import_module("bioreason_bench.explore").write_page
    with TemporaryDirectory(prefix="bioreason-space-") as folder:
        write_page(release, Path(folder) / "index.html")
        return (Path(folder) / "index.html").read_bytes()


def _list_files(checked: Checked, repo: str, tag: str | None, as_json: bool, quiet: bool) -> None:
    """Print the size and path of each file that would be uploaded."""
    from bioreason_bench.hub.publish import files_to_publish, size_of

    files = files_to_publish(checked, repo)
    sizes = {path: size_of(files[path]) for path in sorted(files)}
    if as_json:
        click.echo(json.dumps({"repo": repo, "tag": tag, "files": sizes}))
        return
    for path, size in sizes.items():
        click.echo(f"{size:>13,}  {path}")
    if not quiet:
        target = f"{repo} at {tag}" if tag else repo
        total = f"{len(sizes)} files, {sum(sizes.values()):,} bytes"
        click.echo(f"{total} for {target}; nothing was sent", err=True)


def _outcome(published: Published) -> str:
    tag = f", tagged {published.tag}" if published.tag else ""
    if published.kept:
        tag += f"; {', '.join(published.kept)} was changed by somebody else and is left as it is"
    if not published.sent and not published.removed:
        return f"this release is already there{tag}; nothing was sent"
    removed = f", {len(published.removed)} older ones removed" if published.removed else ""
    return f"{len(published.sent)} files sent in one commit{removed}{tag}"
