"""For users of `datasets`, pandas and networkx: questions on demand, and the world as a graph.

bioreason_bench.load("v1", "comp_zeroshot", seed=7)    a DatasetDict, from the user's cache
bioreason_bench.graph("releases/v1")                   a MultiDiGraph of people, values and facts
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.family import load_settings

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
    splits: str | Sequence[str] | None = None,
) -> datasets.DatasetDict:
    """A config of the release that `bioreason generate --preset PRESET --seed SEED` would write.

    The rows are the same.  Only the files of that config are made; without "train" this takes
    seconds.  The next call finds them in the cache.

    Args:
        preset: The name of a preset, or the path of a preset of your own.
        config: The config, such as comp_zeroshot or biographies.
        seed: The seed of the world.
        cache_dir: The folder of the cache; BIOREASON_CACHE or the user's cache folder if None.
        overrides: The settings of --set, such as {"distractors": 5, "comp.train": 1000}.
        splits: The splits to load; all if None.

    Raises:
        UsageError: The preset, config, split or setting is unknown, or the cache cannot be written.
    """
    import datasets

    from bioreason_bench.release.cache import Cache, checked_copies
    from bioreason_bench.release.disk import user_path
    from bioreason_bench.schema import arrow_schema

    settings = {
        key: value if isinstance(value, str) else _toml(value)
        for key, value in (overrides or {}).items()
    }
    root = user_path(cache_dir, "cache_dir") if cache_dir is not None else None
    cache = Cache(load_settings(preset, seed).override(settings), root)
    configs = cache.configs()
    if config not in configs:
        hint = suggest(config, configs, f"it has {', '.join(configs)}")
        raise UsageError(f"preset {preset} has no config {config!r}: {hint}")
    files = configs[config]
    wanted = _wanted_splits(config, files, splits)
    paths = {
        split: _made_paths(cache, files[split], f"Making {config} {split}") for split in wanted
    }
    kind = next(shard.kind for shard in cache.shards() if shard.file == files[wanted[0]][0])
    features = datasets.Features.from_arrow_schema(arrow_schema(kind))
    copies = cache.folder / "datasets" / "-".join([config, *wanted])
    with checked_copies(copies):
        return datasets.load_dataset(
            "parquet", data_files=paths, features=features, cache_dir=str(copies)
        )


def _wanted_splits(
    config: str, files: Mapping[str, Sequence[str]], splits: str | Sequence[str] | None
) -> list[str]:
    """The splits to load; raises UsageError if the config lacks one of them."""
    if splits is None:
        return list(files)
    wanted = [splits] if isinstance(splits, str) else list(splits)
    for split in wanted:
        if split not in files:
            hint = suggest(split, files, f"it has {', '.join(files)}")
            raise UsageError(f"config {config} has no split {split!r}: {hint}")
    return wanted


def graph(release: str | Path, biographies: bool = True) -> nx.MultiDiGraph:
    """The world of a release: an edge for every fact, from its subject to its object.

    Nodes are people, by name, and values, by "kind: text" (a city and a hobby may share a word).
    Nodes have `kind` ("person" or that of the value) and `label`.  People also have `known`,
    `in_context` and, with `biographies`, the texts `parametric` and `contextual` if there are any
    (the first paraphrase).  Edges are keyed by relation and have `relation`, `group`, and
    `biography`, the id of the biography that states the fact.  networkx.write_graphml can write
    the graph.

    Args:
        release: The folder of the release.
        biographies: Whether people have their biographies as attributes.

    Raises:
        UsageError: There is no such folder, or the release is of a family that has no people.
        ReleaseError: The folder holds no complete release.
    """
    from bioreason_bench.export.graph import make_graph
    from bioreason_bench.release.read import Release

    return make_graph(Release(release), biographies)


def _made_paths(cache: Cache, files: Sequence[str], title: str) -> list[str]:
    """The paths of some files of the cache, with a progress bar while they are made.

    The bar is one of `datasets`: datasets.disable_progress_bars() silences it.
    """
    from datasets.utils import tqdm

    with tqdm(desc=title, unit=" rows", unit_scale=True, leave=False, delay=1) as bar:

        def advance(rows: int, total: int) -> None:
            bar.total = total
            bar.update(rows)

        return [str(path) for path in cache.make(files, advance)]


def _toml(value: Any) -> str:
    """A plain value in TOML."""
    if isinstance(value, Mapping):
        items = (f"{json.dumps(str(key))} = {_toml(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)
