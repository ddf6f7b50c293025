"""The card of a release in a store: only the files that it quotes are downloaded, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioreason_bench.hub.card import pick_question, write_card
from bioreason_bench.hub.front_matter import FIRST, Sizes
from bioreason_bench.release.hops import first_biographies, recalled_people
from bioreason_bench.release.read import read_batches
from bioreason_bench.release.shards import write_shard
from bioreason_bench.scale.store import Store
from bioreason_bench.schema import arrow_schema

__all__ = ["write_store_card"]


def write_store_card(store: Store, manifest: Mapping[str, Any], folder: Path, sizes: Sizes) -> None:
    """Write the files of the card into a local folder.

    A file of biographies without the people of the card's question is replaced by one without
    rows, so that the disk holds a few files at a time.

    Args:
        store: Where the release is.
        manifest: Its manifest.
        folder: An empty folder.
        sizes: Bytes of each file as stored and without compression.
    """
    configs = manifest["configs"]
    tests = [name for name, splits in configs.items() if "test" in splits and name != "probes"]
    for config in [name for name in (*FIRST, *tests) if name in tests]:
        for file in configs[config]["test"][:1]:
            store.get(file, folder / file)
        if record := pick_question(folder, {**manifest, "configs": {config: configs[config]}}):
            _get_biographies(store, manifest, folder, recalled_people([record]))
            break
    write_card(folder, manifest, sizes)


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
