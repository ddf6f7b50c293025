"""Where the questions of a task come from: a release's folder, a repository on the Hub, or a world made on first use.

    source = open_source(data="releases/v1")                       a folder that bioreason generate wrote
    source = open_source(data="org/bioreason", revision="v1.0.0")  the Hub
    source = open_source(preset="small", seed=7)                   a world of one's own, made into the user's cache
    source = open_source()                                         the official release: v1, seed 42, checked by digest

The last two need no network, and make only the files that are asked for.  Any shard is a function of the world and its
own number, so that a few training questions (for few-shot prompts) cost as much as a few questions.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.config import SKILLS, load_preset, preset_names
from bioreason_bench.errors import MissingExtra, ReleaseError, UsageError, suggest
from bioreason_bench.grading.grader import Grader
from bioreason_bench.release.cache import Cache, cache_folder
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.release.read import Release
from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.table import load_table, read_table

if TYPE_CHECKING:
    import pyarrow as pa


__all__ = ["OFFICIAL", "Source", "official", "open_source"]

OFFICIAL = ("v1", 42)
KNOWN = Path(__file__).with_name("official.json")  # written by scripts/write_official.py
FEW = 256  # training questions that few-shot prompts are drawn from


@dataclass(frozen=True)
class Source:
    """A release, of which perhaps only some files are here yet."""

    label: str  # for messages: where the data come from
    folder: Path  # laid out as a release is
    language: str
    configs: tuple[str, ...]  # names of the configs of questions that it has
    fetch: Callable[
        [str, str, int], list[Path]
    ]  # (folder, split, rows wanted, 0 for all) -> files, made or downloaded if need be
    relations: Callable[[], RelationTable]

    def table(self, folder: str, split: str, first: int = 0) -> pa.Table:
        """The rows of a split, in order; only the `first` ones if a number is given.  Raises ReleaseError where there is no such file."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = self.fetch(folder, split, first)
        if not files:
            raise ReleaseError(
                f"{self.label} has no file data/{folder}/{split}-*.parquet; generate or download the release again"
            )
        tables, rows = [], 0
        for file in files:
            if first and rows >= first:
                break
            try:
                tables.append(pq.read_table(file))
            except (OSError, pa.ArrowException) as error:
                raise ReleaseError(
                    f"{file} cannot be read ({_first_line(error)}); generate or download it again"
                ) from None
            rows += tables[-1].num_rows
        whole = pa.concat_tables(tables)
        return whole.slice(0, first) if first else whole

    def few(self, skill: str) -> pa.Table:
        """The first training questions of a skill."""
        return self.table(skill, "train", FEW)

    def parametric_biographies(self, people: Collection[str]) -> dict[str, str]:
        """The first rendering of the parametric biography of each of the people (names)."""
        known = sum(self.table("people", "train")["known"].to_pylist())
        rows = (
            self.table("biographies", "parametric", known)
            .select(["person", "rendering", "text"])
            .to_pylist()
        )
        texts = {
            row["person"]: row["text"]
            for row in rows
            if row["rendering"] == 0 and row["person"] in people
        }
        if missing := sorted(set(people) - set(texts)):
            raise ReleaseError(
                f"{self.label} has no parametric biography of {missing[0]}; generate or download the release again"
            )
        return texts

    def require(self, config: str) -> None:
        """Raise UsageError where the source has no such config, naming those that it has."""
        if config in self.configs:
            return
        hint = suggest(config, self.configs, f"it has {', '.join(self.configs)}")
        raise UsageError(f"{self.label} has no questions {config!r}: {hint}")

    def grader(self) -> Grader:
        """A grader that knows the release's own relations, names and values."""
        known = set(self.table("people", "train")["name"].to_pylist()) | set(
            self.table("facts", "train")["object"].unique().to_pylist()
        )
        return Grader(self.relations(), self.language, frozenset(known))


def open_source(
    data: str | None = None,
    revision: str | None = None,
    preset: str | None = None,
    seed: int | str | None = None,
) -> Source:
    """The source that the settings name; raises UsageError or ReleaseError with one sentence where they name none."""
    if data is not None and preset is not None:
        raise UsageError(
            f"data={data!r} and preset={preset!r} name two different sources; give one of them"
        )
    if data is not None:
        if not isinstance(data, (str, Path)) or not str(data).strip():
            raise UsageError(
                f"data={data!r} must be the folder of a release, or a repository on the Hub such as org/bioreason"
            )
        path = Path(str(data)).expanduser()
        if path.is_dir():
            return _of_folder(path)
        return _of_hub(str(data), revision)
    if seed is not None and preset is None:
        preset = OFFICIAL[0] if str(seed) == str(OFFICIAL[1]) else None
        seed = (
            OFFICIAL[1] if preset else None
        )  # some model classes take a `seed` of their own: without a preset it is theirs
    try:
        number = OFFICIAL[1] if seed is None else int(str(seed))
    except ValueError:
        raise UsageError(f"seed={seed!r} must be a whole number") from None
    return _of_preset(OFFICIAL[0] if preset is None else str(preset), number)


@functools.cache
def official() -> dict[str, dict[str, Any]]:
    """What is known of the official release: `digests` of the rows of its files, and the `solvers` of its audit."""
    return (
        json.loads(KNOWN.read_text(encoding="utf-8"))
        if KNOWN.is_file()
        else {"digests": {}, "solvers": {}}
    )


# --- a folder, the Hub ------------------------------------------------------------------------------------------------


def _of_folder(folder: Path) -> Source:
    try:
        written = (folder / MANIFEST).stat().st_mtime_ns
    except OSError:
        written = 0  # Release says what is wrong
    return _of_written(folder, written)


@functools.lru_cache(maxsize=8)
def _of_written(folder: Path, written: int) -> Source:  # noqa: ARG001 - a release made anew is read anew
    release = Release(folder)
    return _of_release(release, str(folder), lambda name, split, _: _files(release, name, split))


def _of_release(
    release: Release, label: str, fetch: Callable[[str, str, int], list[Path]]
) -> Source:
    return Source(
        label,
        release.path,
        release.config.language,
        _tested(release.manifest["configs"]),
        fetch,
        lambda: _table(release),
    )


def _files(release: Release, name: str, split: str) -> list[Path]:
    return [
        release.path / file
        for file in sorted(release.manifest["files"])
        if file.startswith(f"data/{name}/{split}-")
    ]


def _table(release: Release) -> RelationTable:
    return read_table(release.manifest["relations"])


def _of_hub(repository: str, revision: str | None) -> Source:
    repository, at, tag = repository.partition("@")
    revision = tag if at else revision
    if repository.count("/") != 1 or repository.startswith((".", "/")):
        close = difflib.get_close_matches(repository, preset_names(), 1)
        hint = (
            f"did you mean preset={close[0]!r}?"
            if close
            else "give the folder of a release, or a repository such as org/bioreason"
        )
        raise UsageError(f"data={repository!r} is no folder and no repository on the Hub: {hint}")
    label = f"{repository}@{revision}" if revision else repository
    release = Release(_download(repository, revision, [MANIFEST]))

    def fetch(name: str, split: str, first: int) -> list[Path]:
        files, rows = [], 0
        for file in _files(release, name, split):
            if not first or rows < first:
                files.append(file)
                rows += release.manifest["files"][file.relative_to(release.path).as_posix()]["rows"]
        if files:
            _download(
                repository, revision, [file.relative_to(release.path).as_posix() for file in files]
            )
        return files

    return _of_release(release, label, fetch)


def _download(repository: str, revision: str | None, files: list[str]) -> Path:
    """Fetch the files of a data set on the Hub into the Hub's own cache; returns the snapshot's folder."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtra("huggingface-hub", "eval") from None
    try:
        folder = Path(
            snapshot_download(
                repository, repo_type="dataset", revision=revision, allow_patterns=files
            )
        )
    except Exception as error:  # noqa: BLE001 - it is raised in the parent
        label = f"{repository}@{revision}" if revision else repository
        reason = f"{type(error).__name__}: {_first_line(error)}"
        raise ReleaseError(
            f"{label} cannot be had from the Hub ({reason}); check its name, its revision and the network"
        ) from None
    if missing := [file for file in files if not (folder / file).is_file()]:
        raise ReleaseError(
            f"{repository} has no {missing[0]}, so it is not a release of bioreason; check its name and revision"
        )
    return folder


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]


# --- a preset ---------------------------------------------------------------------------------------------------------


def _of_preset(preset: str, seed: int) -> Source:
    return _of_cache(preset, seed, cache_folder())


@functools.lru_cache(maxsize=8)
def _of_cache(preset: str, seed: int, root: Path) -> Source:
    config = load_preset(preset, seed)
    cache = Cache(config, root)
    digests = official()["digests"] if (preset, seed) == OFFICIAL else {}

    def fetch(name: str, split: str, first: int) -> list[Path]:
        files = cache.files(name, split, first)
        for file in files:
            _check(file, digests.get(file.relative_to(cache.folder).as_posix()))
        return files

    label = f"preset {preset}, seed {seed}"
    return Source(
        label,
        cache.folder,
        config.language,
        _tested(cache.configs()),
        fetch,
        lambda: load_table(config.relations, config.keep),
    )


def _tested(configs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The configs that are questions of a skill and have a test split."""
    return tuple(
        name
        for name, splits in configs.items()
        if "test" in splits and name.partition("_")[0] in SKILLS
    )


def _check(file: Path, wanted: str | None) -> None:
    """Raise ReleaseError where a file of the official release came out otherwise than everywhere else."""
    if wanted is None:
        return
    import pyarrow.parquet as pq

    found = digest_rows(pq.read_table(file))
    if found != wanted:
        raise ReleaseError(
            f"{file.name} of the official release came out as {found[:19]}..., not {wanted[:19]}...: this installation makes "
            "other rows than everybody's; install the released version of bioreason-bench again"
        )
