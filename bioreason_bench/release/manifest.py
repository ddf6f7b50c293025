"""manifest.json: what a release is and what it holds.  It is written last: a folder that has one is complete."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from bioreason_bench._version import __version__
from bioreason_bench.config import Config, renamed
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.release.shards import FileEntry, configs_of
from bioreason_bench.schema import validator

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
CANARY = "BIOREASON-CANARY:7d0c1e7a-3b52-4f6e-9a86-5e0b2f6c41d8"  # stands in every release; never change it


def manifest_head(config: Config, relations: Mapping[str, Any]) -> dict[str, Any]:
    """All of the manifest that is known before the first file is written; `relations` is the relation table as data."""
    packages = {
        name: metadata.version(name)
        for name in ("numpy", "pyarrow", *(["faker"] if config.locale else []))
    }
    return {
        "format": FORMAT,
        "preset": config.preset,
        "seed": config.seed,
        "canary": CANARY,
        "license": LICENSE,
        "versions": {
            "bioreason_bench": __version__,
            "python": platform.python_version(),
            **packages,
        },
        "config": config.as_dict(),
        "relations": dict(relations),
    }


def make_manifest(head: Mapping[str, Any], entries: Iterable[FileEntry]) -> dict[str, Any]:
    """The whole manifest; files in order of their names, whatever the order in which they were finished."""
    entries = sorted(entries, key=lambda entry: entry.file)
    files = {
        entry.file: {"schema": entry.schema, "rows": entry.rows, "digest": entry.digest}
        for entry in entries
    }
    return {**head, "configs": configs_of(files), "files": files}


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release, checked against its schema; raises UsageError without a folder, ReleaseError otherwise."""
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}; give the folder that bioreason generate wrote"
        )
    path = folder / MANIFEST
    if not path.is_file():
        hint = (
            f"run bioreason generate --out {folder}"
            if not folder.name.endswith(".partial")
            else "run the same bioreason generate again"
        )
        raise ReleaseError(f"{folder} has no {MANIFEST}, so it is not a complete release; {hint}")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseError(
            f"{path} cannot be read ({error}); generate or download the release again"
        ) from None
    if isinstance(manifest, dict) and isinstance(manifest.get("config"), dict):
        manifest["config"] = renamed(manifest["config"])  # releases of version 0.1
    for error in validator("manifest").iter_errors(manifest):
        place = "/".join(str(part) for part in error.absolute_path) or "its top level"
        raise ReleaseError(
            f"{path} is broken at {place}: {_short(error.message)}; generate or download the release again"
        )
    return manifest


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
