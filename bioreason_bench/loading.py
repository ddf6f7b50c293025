"""For users of `datasets`, pandas and networkx: questions made on the spot, and the world of a release as a graph.

bioreason_bench.load("v1", "comp_zeroshot", seed=7)    a DatasetDict, made into the user's cache if it is not there
bioreason_bench.graph("releases/v1")                   a MultiDiGraph of people, values and the facts between them
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.config import load_preset
from bioreason_bench.errors import UsageError

if TYPE_CHECKING:
    import datasets
    import networkx as nx

    from bioreason_bench.release.cache import Cache

__all__ = ["graph", "load"]


def load(
    preset: str = "v1",
    config: str = "comp_zeroshot",
    seed: int = 42,
    cache_dir: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    splits: Sequence[str] | None = None,
) -> datasets.DatasetDict:
    """A config of the release that `bioreason generate --preset PRESET --seed SEED` would write, with the very same rows.

    Only the files of that config are made (of `splits` only, if given: without "train" it takes seconds), into `cache_dir`,
    BIOREASON_CACHE or the user's cache folder; the next call finds them.  `overrides` are the settings of --set, such as
    {"distractors": 5, "comp.train": 1000}.  Raises UsageError for an unknown preset, config, split or setting.
    """
    import datasets

    from bioreason_bench.release.cache import Cache
    from bioreason_bench.schema import arrow_schema

    settings = {
        key: value if isinstance(value, str) else _toml(value)
        for key, value in (overrides or {}).items()
    }
    root = Path(cache_dir).expanduser() if cache_dir is not None else None
    cache = Cache(load_preset(preset, seed).override(settings), root)
    held = cache.configs()
    if config not in held:
        raise UsageError(f"preset {preset} has no config {config!r}: {_hint(config, held)}")
    wanted = list(
        held[config] if splits is None else [splits] if isinstance(splits, str) else splits
    )
    for split in wanted:
        if split not in held[config]:
            raise UsageError(
                f"config {config} has no split {split!r}: {_hint(split, held[config])}"
            )
    files = {
        split: _made(cache, held[config][split], f"Making {config} {split}") for split in wanted
    }
    kind = next(shard.kind for shard in cache.shards() if shard.file == held[config][wanted[0]][0])
    features = datasets.Features.from_arrow_schema(arrow_schema(kind))
    return datasets.load_dataset(
        "parquet", data_files=files, features=features, cache_dir=str(cache.folder / "datasets")
    )


def graph(release: str | Path, biographies: bool = True) -> nx.MultiDiGraph:
    """The world of a release: an edge for every fact, from its subject to its object.

    Nodes are people, by name, and values, by "kind: text" (the same word may be a city and a hobby).  Nodes have `kind`
    ("person" or that of the value) and `label`; people also `known`, `in_context` and, with `biographies`, the texts
    `parametric` and `contextual` (first rendering) where they have one.  Edges are keyed by relation and have `relation`,
    `group`, and `biography`, the id of the biography that states it.  networkx.write_graphml writes it as it is.
    """
    from bioreason_bench.export.graph import make_graph
    from bioreason_bench.release.read import Release

    return make_graph(Release(release), biographies)


def _made(cache: Cache, files: Sequence[str], title: str) -> list[str]:
    """The files of a split, with a bar (one of `datasets`' own: datasets.disable_progress_bars() silences it) if any must be made."""
    from datasets.utils import tqdm

    with tqdm(desc=title, unit=" rows", unit_scale=True, leave=False, delay=1) as bar:

        def advance(rows: int, total: int) -> None:
            bar.total = total
            bar.update(rows)

        return [str(path) for path in cache.make(files, advance)]


def _toml(value: Any) -> str:
    """A plain value as TOML writes it; what is text already is read by --set."""
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(key))} = {_toml(item)}" for key, item in value.items())
            + "}"
        )
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _hint(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
