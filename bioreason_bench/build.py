"""From a configuration to a release, in the order of the stages:

config → world → language → splits → questions      the data set, as a function of the configuration
→ release                                           shards in several processes, card, manifest
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from bioreason_bench.config import WorldConfig
from bioreason_bench.dataset import SHARD_ROWS
from bioreason_bench.dataset.dataset import make_dataset
from bioreason_bench.errors import UsageError
from bioreason_bench.family import Settings, family_of
from bioreason_bench.hub.card import write_card
from bioreason_bench.hub.store_card import write_store_card
from bioreason_bench.release.disk import plain_errors, user_path
from bioreason_bench.release.manifest import manifest_head
from bioreason_bench.release.shards import FileEntry
from bioreason_bench.release.write import check_target, write_release
from bioreason_bench.scale.engine import EngineRun, check_engine, run_engine
from bioreason_bench.scale.parts import Part, merge_parts, write_part
from bioreason_bench.scale.plan_file import check_plan_file, read_plan, write_plan
from bioreason_bench.scale.remote import writable_store_at
from bioreason_bench.scale.shares import Shares
from bioreason_bench.scale.upload import merge_store, write_to_store
from bioreason_bench.scale.urls import is_url
from bioreason_bench.workers import available_cores
from bioreason_bench.world.given import describe_facts

__all__ = ["generate", "generate_by_engine", "generate_part", "generate_to_store", "merge"]

PLANNING = "plan of the world"  # the first stage, as the progress line names it


def generate(
    config: Settings,
    out: str | Path,
    *,
    workers: int | None = None,
    shard_rows: int = SHARD_ROWS,
    plan_file: Path | None = None,
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
        plan_file: Where the plan is kept: read if it is there, else written.
        force: Replace an existing release once the new one is complete.
        progress: Show progress on stderr.

    Raises:
        UsageError: The configuration cannot be met, or `out` cannot be written.
        BioreasonError: No room is left, or a worker process was killed.
    """
    if is_url(out):
        raise UsageError(f"{out} is in a store, and a folder is needed; see generate_to_store")
    out = user_path(out)
    check_target(out, force)
    with _Progress(progress, PLANNING) as bar:
        plan = _plan(config, plan_file)
        return write_release(
            out,
            *plan,
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
    plan_file: Path | None = None,
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
        plan_file: Where the plan is kept: read if it is there, else written.
        progress: Show progress on stderr.

    Raises:
        UsageError: The configuration cannot be met, or `out` cannot be written.
        BioreasonError: No room is left, or a worker process was killed.
    """
    out = user_path(out)
    with _Progress(progress, PLANNING) as bar:
        plan = _plan(config, plan_file)
        return write_part(
            out,
            *plan,
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
    plan_file: Path | None = None,
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
        plan_file: Where the plan is kept, a file here: read if it is there, else written.
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
    store = writable_store_at(url)
    store.prepare()
    with _Progress(progress, PLANNING) as bar:
        plan = _plan(config, plan_file)
        return write_to_store(
            store,
            *plan,
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
    check_engine(engine, settings or {})
    job = EngineRun(out, _described(config).as_dict(), shard_rows, tasks)
    with _Progress(progress, PLANNING) as bar:
        with plain_errors(job.folder):
            job.folder.mkdir(parents=True, exist_ok=True)
        _dataset_of(job)  # once: the tasks find the plan, and forked processes the data set
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
    write_part(
        job.part(shares.first),
        *_planned(family_of(job.config).settings(job.config), _dataset_of(job), job.plan),
        shares,
        workers=1,
        shard_rows=job.shard_rows,
    )


def _dataset_of(job: EngineRun) -> Any:
    return _dataset_once(json.dumps(job.config), job.plan)


@lru_cache(maxsize=1)
def _dataset_once(values: str, plan_file: Path) -> Any:
    """The data set, made once for all tasks of a process."""
    return _make_dataset(json.loads(values), plan_file)


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
        store = writable_store_at(str(out))
        if force or [_place(part) for part in parts] != [store.url]:
            raise UsageError(
                f"{out} is in a store, where shares are made in place; "
                f"merge with: bioreason merge {out} --out {out}"
            )
        return merge_store(store, write_store_card)
    if inside := next((part for part in parts if is_url(part)), None):
        raise UsageError(
            f"{inside} is in a store, where shares are made in place; "
            f"merge with: bioreason merge {inside} --out {inside}"
        )
    with _Progress(progress, "reading the parts") as bar:
        return merge_parts(
            [user_path(part, "PART") for part in parts],
            user_path(out),
            force=force,
            finish=write_card,
            advance=bar.advance,
        )


def _place(part: str | Path) -> str:
    return writable_store_at(str(part)).url if is_url(part) else str(part)


class _Plan(NamedTuple):
    """What every way of writing a release begins with.

    Attributes:
        dataset: The data set.
        remake: Makes the same one, in a process that could not inherit it.
        head: The manifest without its files.
    """

    dataset: Any
    remake: Callable[[], Any]
    head: dict[str, Any]


def _plan(config: Settings, plan_file: Path | None) -> _Plan:
    config = _described(config)
    if plan_file is not None:
        if not isinstance(config, WorldConfig):
            raise UsageError(f"--plan is for worlds of people; leave it out with {config.preset}")
        plan_file = user_path(plan_file, "--plan")
        check_plan_file(plan_file)
    return _planned(config, _make_dataset(config.as_dict(), plan_file), plan_file)


def _planned(config: Settings, dataset: Any, plan_file: Path | None) -> _Plan:
    values = config.as_dict()
    head = manifest_head(config, family_of(values).head(dataset))
    return _Plan(dataset, partial(_make_dataset, values, plan_file), head)


def _described(config: Settings) -> Settings:
    """The configuration with what is known of the user's own facts, if it has any."""
    own_facts = isinstance(config, WorldConfig) and config.facts
    return describe_facts(config) if own_facts else config  # type: ignore[arg-type]


def _make_dataset(values: dict[str, Any], plan_file: Path | None) -> Any:
    """The data set of a configuration, with the plan in the file, which is written if need be."""
    family = family_of(values)
    config = family.settings(values)
    if plan_file is None or not isinstance(config, WorldConfig):
        return family.make(config)
    if plan_file.exists():
        return make_dataset(config, read_plan(plan_file, config))
    dataset = make_dataset(config)
    write_plan(plan_file, dataset)
    return dataset


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
            miniters=1,  # a file of many rows must not silence those of few
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
