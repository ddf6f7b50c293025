"""Card and audit of a release in a store: of the data only what the card quotes is downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioreason_bench.audit.report import AUDIT, Audit, write_audit
from bioreason_bench.errors import ReleaseError
from bioreason_bench.hub.card import is_unedited, pick_question, write_card
from bioreason_bench.hub.front_matter import FIRST
from bioreason_bench.release.files import Files, Sizes
from bioreason_bench.release.hops import first_biographies, recalled_people
from bioreason_bench.release.manifest import MANIFEST, read_manifest
from bioreason_bench.release.read import read_batches
from bioreason_bench.release.shards import write_shard
from bioreason_bench.release.write import CARD
from bioreason_bench.scale.remote import RemoteFiles
from bioreason_bench.scale.store import Store
from bioreason_bench.schema import arrow_schema

__all__ = ["fetch_quoted", "write_outcome", "write_store_card"]


def write_store_card(store: Store, manifest: Mapping[str, Any], folder: Path, sizes: Sizes) -> None:
    """Write the files of the card into a local folder.

    Args:
        store: Where the release is.
        manifest: Its manifest.
        folder: An empty folder.
        sizes: Bytes of each file as stored and without compression.
    """
    fetch_quoted(store, manifest, folder)
    write_card(folder, manifest, sizes)


def write_outcome(files: Files, audit: Audit) -> None:
    """Write audit.json beside a release and, unless it was edited, the card with its numbers.

    Raises:
        ReleaseError: The folder has no manifest, so it may be any folder.
        UsageError: The release cannot be written.
        BioreasonError: No room is left, or a store failed.
    """
    if not (files.folder / MANIFEST).is_file():
        raise ReleaseError(f"{AUDIT} was not written, since {files.name} has no {MANIFEST}")
    sizes = None
    if isinstance(files, RemoteFiles) and audit.ok:
        manifest = read_manifest(files.folder)
        fetch_quoted(files.store, manifest, files.folder)
        sizes = files.sizes(manifest["files"])
    renew_card = audit.ok and is_unedited(files.folder, sizes)
    write_audit(audit)
    if renew_card:
        write_card(files.folder, sizes=sizes)
    if isinstance(files, RemoteFiles):
        files.send([AUDIT, *CARD] if renew_card else [AUDIT])


def fetch_quoted(store: Store, manifest: Mapping[str, Any], folder: Path) -> None:
    """Download the files that the card quotes.

    A file of biographies without the people of the card's question is replaced by one without
    rows, so that the disk holds a few files at a time.
    """
    configs = manifest["configs"]
    tests = [name for name, splits in configs.items() if "test" in splits and name != "probes"]
    for config in [name for name in (*FIRST, *tests) if name in tests]:
        for file in configs[config]["test"][:1]:
            store.get(file, folder / file)
        if record := pick_question(folder, {**manifest, "configs": {config: configs[config]}}):
            _get_biographies(store, manifest, folder, recalled_people([record]))
            break


def _get_biographies(
    store: Store, manifest: Mapping[str, Any], folder: Path, people: set[str]
) -> None:
    """Download files of parametric biographies until these people are found."""
    columns, missing = ["person", "text"], set(people)
    for file in manifest["configs"].get("biographies", {}).get("parametric", []):
        if not missing:
            return
        store.get(file, folder / file)
        found = first_biographies(missing, read_batches([folder / file], columns, rows=16_384))
        missing -= set(found)
        if not found:
            empty: dict[str, list[Any]] = {name: [] for name in arrow_schema("biography").names}
            write_shard(folder, file, "biography", empty)
