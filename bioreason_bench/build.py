"""From a configuration to a release, in the order of the stages:

config → world → language → splits → questions      the data set, as a function of the configuration
→ release                                           shards in several processes, card, manifest
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from bioreason_bench.config import WorldConfig
from bioreason_bench.dataset import SHARD_ROWS
from bioreason_bench.errors import UsageError
from bioreason_bench.family import Settings, family_of
from bioreason_bench.hub.card import write_card
from bioreason_bench.hub.store_card import write_store_card
from bioreason_bench.release.disk import user_path
from bioreason_bench.release.manifest import manifest_head
from bioreason_bench.release.shards import FileEntry
from bioreason_bench.release.write import check_target, write_release
from bioreason_bench.scale.engine import EngineRun, run_engine
from bioreason_bench.scale.parts import Part, merge_parts, write_part
from bioreason_bench.scale.shares import Shares
from bioreason_bench.scale.store import merge_store, write_to_store
from bioreason_bench.scale.urls import is_url
from bioreason_bench.workers import available_cores
from bioreason_bench.world.given import describe_facts

__all__ = ["generate", "generate_by_engine", "generate_part", "generate_to_store", "merge"]


def generate(
    config: Settings,
    out: str | Path,
    *,
    workers: int | None = None,
    shard_rows: int = SHARD_ROWS,
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Write the release of a configuration and return its manifest.

    An interrupted run is resumed.

    Args:
        config: The configuration: of people, or the settings of another family.
        out: The folder to write.
        workers: The number of processes; all cores if None.  Does not change the rows.
        shard_rows: The approximate number of rows of a file.  Does not change the rows.
        force: Replace an existing release once the new one is complete.
        progress: Show progress on stderr.

    Raises:
        UsageError: The configuration cannot be met, or `out` cannot be written.
        BioreasonError: No room is left, or a worker process was killed.
    """
    out = user_path(out)
    check_target(out, force)
    with _Progress(progress, "people, facts and paths") as bar:
        if isinstance(config, WorldConfig) and config.facts:
            config = describe_facts(config)
        family = family_of(config.as_dict())
        dataset = family.make(config)
        return write_release(
            out,
            dataset,
            partial(_remake_dataset, config.as_dict()),
            manifest_head(config, family.head(dataset)),
            workers=available_cores() if workers is None else workers,
            shard_rows=shard_rows,
            force=force,
            finish=write_card,
            advance=bar.advance,
        )


def generate_part(
    config: Settings,
    out: str | Path,
    shares: Shares,
    *,
    workers: int | None = None,
    shard_rows: int = SHARD_ROWS,
    progress: bool = False,
) -> Part:
    """Write some of the files of a release, to be merged with the others, and return the part.

    Any part can be made anywhere, in any order; an interrupted run is resumed.

    Args:
        config: The configuration.
        out: The folder to write.
        shares: Which files.
        workers: The number of processes; all cores if None.
        shard_rows: The approximate number of rows of a file; the same for all parts.
        progress: Show progress on stderr.

    Raises:
        UsageError: The configuration cannot be met, or `out` cannot be written.
        BioreasonError: No room is left, or a worker process was killed.
    """
    out = user_path(out)
    with _Progress(progress, "people, facts and paths") as bar:
        if isinstance(config, WorldConfig) and config.facts:
            config = describe_facts(config)
        family = family_of(config.as_dict())
        dataset = family.make(config)
        return write_part(
            out,
            dataset,
            partial(_remake_dataset, config.as_dict()),
            manifest_head(config, family.head(dataset)),
            shares,
            workers=available_cores() if workers is None else workers,
            shard_rows=shard_rows,
            advance=bar.advance,
        )


def generate_to_store(
    config: Settings,
    url: str,
    *,
    shares: Shares | None = None,
    workers: int | None = None,
    shard_rows: int = SHARD_ROWS,
    progress: bool = False,
) -> dict[str, Any] | None:
    """Write a release into an object store: each file is made, uploaded and deleted here.

    So neither memory nor disk need hold the release; an interrupted run is resumed.

    Args:
        config: The configuration.
        url: Where the release will be, such as s3://bucket/name.
        shares: Write only these files; `merge` then writes card and manifest.
        workers: The number of processes; all cores if None.
        shard_rows: The approximate number of rows of a file.
        progress: Show progress on stderr.

    Returns:
        The manifest; None with `shares`.

    Raises:
        UsageError: The configuration cannot be met, or the store refused.
        BioreasonError: The store failed.
    """
    if not isinstance(config, WorldConfig):
        raise UsageError(
            f"{url}: only worlds of people are written into a store; "
            "generate this preset into a folder, which is small, and copy it"
        )
    with _Progress(progress, "people, facts and paths") as bar:
        if config.facts:
            config = describe_facts(config)
        family = family_of(config.as_dict())
        dataset = family.make(config)
        return write_to_store(
            url,
            dataset,
            partial(_remake_dataset, config.as_dict()),
            manifest_head(config, family.head(dataset)),
            workers=available_cores() if workers is None else workers,
            shard_rows=shard_rows,
            shares=shares,
            finish=write_store_card,
            advance=bar.advance,
        )


def generate_by_engine(
    config: Settings,
    out: str | Path,
    engine: str,
    *,
    tasks: int,
    workers: int | None = None,
    shard_rows: int = SHARD_ROWS,
    settings: Mapping[str, str] | None = None,
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any] | None:
    """Write a release by an engine, task by task; the same call goes on where one stopped.

    Args:
        config: The configuration.
        out: The folder to write, which all tasks can reach.
        engine: local, slurm or ray.
        tasks: Into how many tasks the files are dealt.
        workers: How many tasks run at a time; all cores if None.
        shard_rows: The approximate number of rows of a file.
        settings: Further settings of the engine.
        force: Replace an existing release once the new one is complete.
        progress: Show progress on stderr.

    Returns:
        The manifest; None if tasks were submitted and are not complete yet.

    Raises:
        MissingExtra: The engine is not installed.
        UsageError: The configuration cannot be met, or the engine lacks a setting.
        BioreasonError: A task failed, or its process was killed.
    """
    out = user_path(out)
    check_target(out, force)
    if isinstance(config, WorldConfig) and config.facts:
        config = describe_facts(config)
    job = EngineRun(out, config.as_dict(), shard_rows, tasks)
    with _Progress(progress, "people, facts and paths") as bar:
        if engine == "local":
            _dataset_of(json.dumps(job.config))  # once, before processes are forked
        remaining = run_engine(
            engine,
            job,
            make_share,
            workers=available_cores() if workers is None else workers,
            settings=settings or {},
            done=lambda task: bar.advance_task(task, tasks),
        )
    if remaining:
        return None
    return merge(job.parts(), out, force=force, progress=progress)


def make_share(job: EngineRun, shares: Shares) -> None:
    """Make the part of one task, in whatever process the engine calls this."""
    dataset = _dataset_of(json.dumps(job.config))
    write_part(
        job.part(shares.first),
        dataset,
        partial(_remake_dataset, dict(job.config)),
        manifest_head(dataset.config, family_of(job.config).head(dataset)),
        shares,
        workers=1,
        shard_rows=job.shard_rows,
    )


@lru_cache(maxsize=1)
def _dataset_of(values: str) -> Any:
    """The data set, made once for all tasks of a process."""
    return _remake_dataset(json.loads(values))


def merge(
    parts: Sequence[str | Path], out: str | Path, *, force: bool = False, progress: bool = False
) -> dict[str, Any]:
    """Write the release of which these are all parts, and return its manifest.

    Args:
        parts: The folders of the parts, in any order.
        out: The folder to write.
        force: Replace an existing release once the new one is complete.
        progress: Show progress on stderr.

    Raises:
        UsageError: `out` cannot be written.
        ReleaseError: A part is broken, a file is missing or there twice, or the parts differ in
            settings.
    """
    if is_url(out):
        if [str(part).rstrip("/") for part in parts] != [str(out).rstrip("/")]:
            raise UsageError(
                f"{out} is in a store, where shares are made in place; "
                f"merge with: bioreason merge {out} --out {out}"
            )
        return merge_store(str(out), write_store_card)
    with _Progress(progress, "reading the parts") as bar:
        return merge_parts(
            [user_path(part, "PART") for part in parts],
            user_path(out),
            force=force,
            finish=write_card,
            advance=bar.advance,
        )


def _remake_dataset(values: dict[str, Any]) -> Any:
    """The same data set, in a process that could not inherit it."""
    family = family_of(values)
    return family.make(family.settings(values))


class _Progress:
    """One line on stderr: the files being written, and the share of all rows that are on disk."""

    def __init__(self, visible: bool, first_stage: str) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread: processes are forked while the bar is open
        self.bar = tqdm(
            desc=first_stage,
            bar_format="{desc} ...",
            disable=not visible,
            file=sys.stderr,
            unit=" rows",
            unit_scale=True,
            mininterval=0.1 if sys.stderr.isatty() else 5.0,  # a log gets few lines
            dynamic_ncols=True,
        )

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar.total is None:  # an error in the first stage: the message replaces the line
            self.bar.leave = False
        self.bar.close()

    def advance_task(self, task: int, total: int) -> None:
        self.bar.total, self.bar.bar_format, self.bar.unit = total, None, " tasks"
        self.bar.set_description(f"task {task}", refresh=False)
        self.bar.update(1)

    def advance(self, entry: FileEntry, total: int) -> None:
        self.bar.total, self.bar.bar_format = total, None
        self.bar.set_description(entry.file.removeprefix("data/").rpartition("/")[0], refresh=False)
        self.bar.update(entry.rows)
