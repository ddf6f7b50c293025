"""From a configuration to a release, in the order of the stages:

config → world → language → splits → questions      the data set, as a function of the configuration
→ release                                           shards in several processes, card, manifest
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from bioreason_bench.config import WorldConfig
from bioreason_bench.dataset import SHARD_ROWS
from bioreason_bench.family import Settings, family_of
from bioreason_bench.hub.card import write_card
from bioreason_bench.release.disk import user_path
from bioreason_bench.release.manifest import manifest_head
from bioreason_bench.release.shards import FileEntry
from bioreason_bench.release.write import check_target, write_release
from bioreason_bench.workers import available_cores
from bioreason_bench.world.given import describe_facts

__all__ = ["generate"]


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

    def advance(self, entry: FileEntry, total: int) -> None:
        self.bar.total, self.bar.bar_format = total, None
        self.bar.set_description(entry.file.removeprefix("data/").rpartition("/")[0], refresh=False)
        self.bar.update(entry.rows)
