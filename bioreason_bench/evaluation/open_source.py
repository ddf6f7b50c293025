"""Where the questions of a task come from.

    open_source(data="releases/v1")                       a folder written by bioreason generate
    open_source(data="org/bioreason", revision="v1.0.0")  the Hub
    open_source(preset="small", seed=7)                   a new world, made in the user's cache
    open_source()                                         the official release: v1, seed 42

The last two need no network and make only the files that are read: every shard is a function of the
world and its own number, so that a few training questions (for few-shot prompts) are quickly made.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from bioreason_bench.config import WorldConfig
from bioreason_bench.errors import ReleaseError, UsageError, suggest
from bioreason_bench.escaping import without_token
from bioreason_bench.evaluation.official import OFFICIAL, check_digest
from bioreason_bench.evaluation.source import Fetch, Source, first_line
from bioreason_bench.family import FAMILIES, Settings, all_presets, family_of, load_settings
from bioreason_bench.release.cache import Cache, cache_folder
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.release.read import Release
from bioreason_bench.taxonomy import SKILLS
from bioreason_bench.world.table import load_table, table_as_dict

__all__ = ["check_source", "open_source"]


def open_source(
    data: str | None = None,
    revision: str | None = None,
    preset: str | None = None,
    seed: int | str | None = None,
) -> Source:
    """The source that the settings name.

    Args:
        data: The folder of a release, or a repository on the Hub ("org/bioreason@v1.0.0").
        revision: Revision of the repository.
        preset: Preset of a new world.
        seed: Seed of a new world.  Without a preset it counts only if it is the official one: some
            model classes take a `seed` of their own, and the harness merges their arguments.

    Raises:
        UsageError: The settings name no source.
        ReleaseError: The source cannot be read.
    """
    if data is not None and preset is not None:
        raise UsageError(
            f"data={data!r} and preset={preset!r} name two different sources; give one of them"
        )
    if data is not None:
        return _of_data(data, revision)
    if preset is None:
        return _of_preset(*OFFICIAL)
    try:
        number = OFFICIAL[1] if seed is None else int(str(seed))
    except ValueError:
        raise UsageError(f"seed={seed!r} must be a whole number") from None
    return _of_preset(str(preset), number)


def check_source(
    data: str | None = None,
    revision: str | None = None,
    preset: str | None = None,
    seed: int | str | None = None,
) -> None:
    """Raise UsageError for a seed or a revision that `open_source` would not use."""
    if seed is not None and preset is None and str(seed) != str(OFFICIAL[1]):
        raise UsageError(
            f"seed={seed!r} names a world only together with a preset; add preset={OFFICIAL[0]}"
            + (", without data" if data is not None else "")
        )
    if revision is not None and data is None:
        raise UsageError(
            f"revision={revision!r} needs data, the repository on the Hub that has this revision"
        )


# --- a folder, the Hub ----------------------------------------------------------------------------


def _of_data(data: str, revision: str | None) -> Source:
    if not isinstance(data, (str, Path)) or not str(data).strip():
        raise UsageError(
            f"data={data!r} must be the folder of a release, "
            "or a repository on the Hub such as org/bioreason"
        )
    path = Path(str(data)).expanduser()
    return _of_folder(path) if path.is_dir() else _of_hub(str(data), revision)


def _of_folder(folder: Path) -> Source:
    try:
        written = (folder / MANIFEST).stat().st_mtime_ns
    except OSError:
        written = 0  # Release names the problem
    return _of_written(folder, written)


@functools.lru_cache(maxsize=8)
def _of_written(folder: Path, written: int) -> Source:  # noqa: ARG001 - a rewritten release is read again
    release = Release(folder)
    return _of_release(release, str(folder), lambda name, split, _: _files(release, name, split))


def _of_release(release: Release, label: str, fetch: Fetch) -> Source:
    configs = _test_configs(release.manifest["configs"])
    return Source(
        label,
        release.path,
        release.language,
        configs,
        fetch,
        lambda: release.relations,
        lambda: release.manifest,
    )


def _files(release: Release, name: str, split: str) -> list[Path]:
    start = f"data/{name}/{split}-"
    return [
        release.path / file for file in sorted(release.manifest["files"]) if file.startswith(start)
    ]


def _of_hub(name: str, revision: str | None) -> Source:
    repository, _, tag = name.partition("@")
    revision = tag or revision
    if repository.count("/") != 1 or repository.startswith((".", "/")):
        otherwise = "give the folder of a release, or a repository such as org/bioreason"
        raise UsageError(
            f"data={repository!r} is no folder and no repository on the Hub "
            f"(a preset is given as preset=NAME): {suggest(repository, all_presets(), otherwise)}"
        )
    label = f"{repository}@{revision}" if revision else repository
    release = Release(_download(repository, revision, [MANIFEST]))
    # The folder of a snapshot is named after its commit; a branch may move between two downloads.
    commit = release.path.name

    def fetch(name: str, split: str, first: int) -> list[Path]:
        files: list[Path] = []
        rows = 0
        for file in _files(release, name, split):
            if not first or rows < first:
                files.append(file)
                rows += release.rows_of(file)
        if files:
            names = [file.relative_to(release.path).as_posix() for file in files]
            _download(repository, commit, names)
        return files

    return _of_release(release, label, fetch)


def _download(repository: str, revision: str | None, files: list[str]) -> Path:
    """Fetch files of a dataset into the Hub's own cache and return the snapshot's folder."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                repository, repo_type="dataset", revision=revision, allow_patterns=files
            )
        )
    except Exception as error:  # noqa: BLE001 - the Hub's client raises a dozen kinds
        label = f"{repository}@{revision}" if revision else repository
        reason = f"{type(error).__name__}: {without_token(first_line(error))}"
        raise ReleaseError(
            f"{label} could not be downloaded from the Hub ({reason}); "
            "check its name, its revision and the network"
        ) from None
    if missing := [file for file in files if not (folder / file).is_file()]:
        raise ReleaseError(
            f"{repository} has no {missing[0]}, so it is not a release of bioreason; "
            "check its name and revision"
        )
    return folder


# --- a preset -------------------------------------------------------------------------------------


def _of_preset(preset: str, seed: int) -> Source:
    return _of_cache(preset, seed, cache_folder())


@functools.lru_cache(maxsize=8)
def _of_cache(preset: str, seed: int, root: Path) -> Source:
    config = load_settings(preset, seed)
    cache = Cache(config, root)
    values = config.as_dict()

    def fetch(name: str, split: str, first: int) -> list[Path]:
        files = cache.files(name, split, first)
        if (preset, seed) == OFFICIAL:
            for file in files:
                check_digest(file, file.relative_to(cache.folder).as_posix())
        return files

    return Source(
        f"preset {preset}, seed {seed}",
        cache.folder,
        values.get("language", "symbols"),
        _test_configs(cache.configs()),
        fetch,
        lambda: load_table(config.relations, config.keep),
        lambda: _about(config, cache),
    )


def _about(config: Settings, cache: Cache) -> dict[str, Any]:
    """What a manifest would say of the questions of a preset."""
    values = config.as_dict()
    if isinstance(config, WorldConfig):  # its head would need the whole world
        table = load_table(config.relations, config.keep)
        return {"config": values, "relations": table_as_dict(table)}
    return {"family": values["family"], "config": values, **family_of(values).head(cache.dataset)}


def _test_configs(configs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The configs of a skill's questions that have a test split."""
    return tuple(
        name
        for name, splits in configs.items()
        if "test" in splits and name.partition("_")[0] in (*SKILLS, *FAMILIES)
    )
