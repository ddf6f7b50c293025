"""manifest.json: what a release is and what it holds.

It is written last: a folder that has one is complete.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from bioreason_bench._version import __version__
from bioreason_bench.config import renamed
from bioreason_bench.errors import ReleaseError, UsageError, quoted
from bioreason_bench.family import PEOPLE, Settings
from bioreason_bench.inputs import MANIFEST as MANIFEST_BYTES
from bioreason_bench.inputs import read_json
from bioreason_bench.release.disk import write_whole
from bioreason_bench.release.shards import CANARY, FileEntry, configs_of
from bioreason_bench.schema import validator
from bioreason_bench.validation import text_problem, texts_of

__all__ = [
    "CANARY",
    "LICENSE",
    "MANIFEST",
    "make_manifest",
    "manifest_head",
    "read_manifest",
    "write_manifest",
]

MANIFEST = "manifest.json"
FORMAT = 1
LICENSE = "CC-BY-4.0"
OTHER_LICENSE = "other"  # of a release from a user's own facts, or from published files


def manifest_head(config: Settings, about: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the manifest that is known before the first file is written.

    Args:
        config: The configuration of the release.
        about: What its family says beside it (`Family.head`), such as the relation table.
    """
    values = config.as_dict()
    faker = ["faker"] if values.get("locale") else []
    from_elsewhere = values.get("facts") or values.get("source")
    packages = {name: metadata.version(name) for name in ("numpy", "pyarrow", *faker)}
    family = {"family": values["family"]} if values.get("family", PEOPLE) != PEOPLE else {}
    return {
        "format": FORMAT,
        **family,
        "preset": config.preset,
        "seed": config.seed,
        "canary": CANARY,
        "license": OTHER_LICENSE if from_elsewhere else LICENSE,
        "versions": {
            "bioreason_bench": __version__,
            "python": platform.python_version(),
            **packages,
        },
        "config": values,
        **about,
    }


def make_manifest(head: Mapping[str, Any], entries: Iterable[FileEntry]) -> dict[str, Any]:
    """The whole manifest, with the files sorted by name, in whatever order they were finished."""
    files = {
        entry.file: {"schema": entry.schema, "rows": entry.rows, "digest": entry.digest}
        for entry in sorted(entries, key=lambda entry: entry.file)
    }
    return {**head, "configs": configs_of(files), "files": files}


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release, checked against its schema.

    Raises:
        UsageError: There is no such folder.
        ReleaseError: The folder is not a complete release, or its manifest is broken.
    """
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}; pass one that bioreason generate has written"
        )
    path = folder / MANIFEST
    if not path.is_file():
        command = f"bioreason generate --out {folder}"
        if folder.name.endswith(".partial"):
            command = "the same bioreason generate again"
        raise ReleaseError(
            f"{folder} has no {MANIFEST}, so it is not a complete release; run {command}"
        )
    try:
        manifest = read_json(path, MANIFEST_BYTES)
    except (OSError, ValueError) as error:
        raise ReleaseError(
            f"{path} cannot be read ({error}); generate or download the release again"
        ) from None
    if isinstance(manifest, dict) and isinstance(manifest.get("config"), dict):
        manifest["config"] = renamed(manifest["config"])  # releases of version 0.1
    for problem in validator("manifest").iter_errors(manifest):
        field = "/".join(str(part) for part in problem.absolute_path) or "its top level"
        raise ReleaseError(
            f"{path} is broken at {field}: {_shortened(problem.message)}; "
            "generate or download the release again"
        )
    shown = {name: value for name, value in manifest.items() if name != "config"}  # paths there
    for place, text in texts_of(shown):
        if wrong := text_problem(text):
            raise ReleaseError(
                f"{path} is broken at {'/'.join(map(str, place))}: {quoted(text)} {wrong}, "
                "or generate or download the release again"
            )
    return manifest


def _shortened(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
