"""From a configuration to a release, in the order in which it happens:

config → world → language → splits → questions      what is true, how it is said, what training may show: `plan`
→ release                                           shards in several processes, card, manifest, rename: here
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from bioreason_bench.config import Config, from_dict
from bioreason_bench.dataset import SHARD_ROWS, Dataset, make_dataset
from bioreason_bench.hub.card import write_card
from bioreason_bench.release.manifest import manifest_head
from bioreason_bench.release.shards import FileEntry
from bioreason_bench.release.write import check_target, write_release
from bioreason_bench.workers import available_cores
from bioreason_bench.world.table import table_as_dict

__all__ = ["generate"]


def generate(
    config: Config,
    out: str | Path,
    *,
    workers: int | None = None,
    shard_rows: int = SHARD_ROWS,
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Write the release of `config` into the folder `out` and return its manifest.

    `workers` processes (all cores if None) write files of about `shard_rows` rows; neither changes a row.  An existing
    release is replaced only with `force`, and only once the new one is complete; an interrupted run is taken up again.
    Raises UsageError for a request that cannot be met or a place that cannot be written, BioreasonError when room runs out.
    """
    out = Path(out).expanduser().absolute()
    check_target(out, force)
    with _Progress(progress, "people, facts and paths") as bar:
        plan = make_dataset(config)
        head = manifest_head(config, table_as_dict(plan.world.table))
        return write_release(
            out,
            plan,
            partial(_plan_again, config.as_dict()),
            head,
            workers=available_cores() if workers is None else workers,
            shard_rows=shard_rows,
            force=force,
            finish=write_card,
            advance=bar.advance,
        )


def _plan_again(values: dict[str, Any]) -> Dataset:
    """The same plan in a process that could not inherit it."""
    return make_dataset(from_dict(values))


class _Progress:
    """One line on stderr: the stage, and the share of all rows that stand on disk."""

    def __init__(self, shown: bool, first: str) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread of its own: processes are forked while the bar stands
        interval = 0.1 if sys.stderr.isatty() else 5.0  # a log gets few lines
        look = {"unit": " rows", "unit_scale": True, "mininterval": interval, "dynamic_ncols": True}
        self.bar = tqdm(
            desc=first, bar_format="{desc} ...", disable=not shown, file=sys.stderr, **look
        )

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def advance(self, entry: FileEntry, total: int) -> None:
        self.bar.total, self.bar.bar_format = total, None
        self.bar.set_description(entry.file.removeprefix("data/").rpartition("/")[0], refresh=False)
        self.bar.update(entry.rows)
