"""The YAML at the head of a card, which tells the Hub and `datasets` what the configs hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.files import Sizes
from bioreason_bench.schema import columns

__all__ = ["FIRST", "first_config", "front_matter", "split_patterns"]

FIRST = ("comp_zeroshot", "comp_composition", "comp_iid", "ctx_zeroshot", "mem_zeroshot")
TYPES = {"string": "string", "boolean": "bool", "integer": "int32"}
SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
)


def split_patterns(splits: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """One pattern for the files of each split, such as data/comp/train-*.parquet."""
    patterns = {}
    for split, files in splits.items():
        stems = {re.sub(r"-\d{5}-of-\d{5}\.parquet$", "", file) for file in files}
        if len(stems) != 1:
            raise ReleaseError(
                f"the files of split {split} begin with {' and '.join(sorted(stems))}; "
                "one pattern cannot name them, so generate or download the release again"
            )
        patterns[split] = f"{stems.pop()}-*.parquet"
    return patterns


def first_config(configs: Iterable[str], preferred: Iterable[str] = FIRST) -> str:
    """The config that is loaded if none is named, and that the Hub's viewer shows first."""
    names = list(configs)
    return next((name for name in preferred if name in names), names[0])


def front_matter(
    folder: Path,
    manifest: Mapping[str, Any],
    patterns: Mapping[str, Mapping[str, str]],
    words: Mapping[str, Any],
    preferred: Iterable[str] = FIRST,
    sizes: Sizes | None = None,
) -> str:
    """The YAML.

    Args:
        folder: The release.
        manifest: Its manifest.
        patterns: File patterns by config and split.
        words: Those of cards/card.toml.
        preferred: The configs of which the first that there is becomes the default.
        sizes: Bytes of each file as stored and without compression; read from the files if None.

    Raises ReleaseError if a file of the release cannot be read.
    """
    import yaml

    rows = sum(entry["rows"] for entry in manifest["files"].values())
    sizes = sizes or {file: file_sizes(folder / file) for file in manifest["files"]}
    english = manifest["config"].get("language") == "english"
    first = first_config(patterns, preferred)
    metadata = {
        "license": manifest["license"].lower(),
        **({"language": ["en"]} if english else {}),
        "pretty_name": words["pretty_name"],
        "task_categories": words["task_categories"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "multilinguality": ["monolingual"],
        "source_datasets": ["original"],
        "size_categories": [next((name for limit, name in SIZES if rows < limit), "n>100M")],
        "tags": words["tags"],
        "configs": [
            {
                "config_name": config,
                **({"default": True} if config == first else {}),
                "data_files": _data_files(splits),
            }
            for config, splits in patterns.items()
        ],
        "dataset_info": [_info(config, manifest, sizes) for config in patterns],
    }
    return yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=1000)


def _data_files(splits: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"split": split, "path": pattern} for split, pattern in splits.items()]


def _info(
    config: str, manifest: Mapping[str, Any], sizes: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """The features and sizes of a config; `sizes` are (bytes on disk, bytes in memory) by file."""
    splits = manifest["configs"][config]
    files = [file for names in splits.values() for file in names]
    features = [
        {"name": name, **_feature(rule)}
        for name, rule in columns(manifest["files"][files[0]]["schema"]).items()
    ]
    return {
        "config_name": config,
        "features": features,
        "splits": [
            {
                "name": split,
                "num_bytes": sum(sizes[file][1] for file in names),
                "num_examples": sum(manifest["files"][file]["rows"] for file in names),
            }
            for split, names in splits.items()
        ],
        "download_size": sum(sizes[file][0] for file in files),
        "dataset_size": sum(sizes[file][1] for file in files),
    }


def _feature(rule: Mapping[str, Any]) -> dict[str, str]:
    if rule["type"] == "array":
        return {"list": TYPES[rule["items"]["type"]]}
    return {"dtype": TYPES[rule["type"]]}


def file_sizes(path: Path) -> tuple[int, int]:
    """Bytes of a Parquet file on disk, and of its columns without compression, from its footer."""
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(path)
        groups = (footer.row_group(k) for k in range(footer.num_row_groups))
        return path.stat().st_size, sum(group.total_byte_size for group in groups)
    except (OSError, ValueError) as error:
        raise ReleaseError(
            f"{path} cannot be read ({error}); generate or download the release again"
        ) from None
