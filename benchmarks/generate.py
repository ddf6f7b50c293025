"""How fast releases are generated, and how near to the floor.

    python benchmarks/generate.py [PRESET ...] [--workers N] [--set KEY=VALUE]

One run on one machine prints, for each preset,
- seconds and rows a second of each stage, in one process;
- the floor: writing the same columns, already in memory as Arrow tables, with pyarrow at the same
  compression, in the same process; and the ratio of the sum of the stages to it;
- the whole command with N workers (all cores): its ratio to the floor, and the peak memory of its
  largest process.
Quote the ratios: seconds change with the machine and its load.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq

from bioreason_bench.config import Config, load_preset
from bioreason_bench.dataset import SHARD_ROWS, make_dataset
from bioreason_bench.release.shards import PARQUET, ROW_GROUP, make_table, write_shard
from bioreason_bench.release.write import no_collection
from bioreason_bench.workers import available_cores
from bioreason_bench.world.facts import make_world

WHOLE = """
import resource, sys, time
from bioreason_bench.commands.main import main
began = time.perf_counter()
try:
    main(sys.argv[1:])
except SystemExit as done:
    assert not done.code, done.code
both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
peak = max(resource.getrusage(who).ru_maxrss for who in both)
print(time.perf_counter() - began, peak * (1 if sys.platform == "darwin" else 1024))
"""


def stages(config: Config, folder: Path) -> float:
    """Print the seconds of each stage in this process and their ratio to the floor.

    Returns the floor in seconds.
    """
    seconds: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    began = time.perf_counter()
    make_world(config)
    seconds["world"] = time.perf_counter() - began
    began = time.perf_counter()
    plan = make_dataset(config)
    seconds["paths and levels"] = time.perf_counter() - began - seconds["world"]
    began = time.perf_counter()
    shards = plan.shards(SHARD_ROWS)
    seconds["rows of each file"] = time.perf_counter() - began
    size = floor = 0
    for shard in shards:
        kind = {
            "question": f"questions {shard.folder.split('/')[0]}",
            "biography": "biographies",
            "probe": "probes",
        }.get(shard.kind, "others")
        rows[kind] += shard.rows
        marks = [time.perf_counter()]
        (folder / shard.file).parent.mkdir(parents=True, exist_ok=True)
        with no_collection():
            columns = plan.make(shard)
            marks.append(time.perf_counter())
            write_shard(folder, shard.file, shard.kind, columns)
            marks.append(time.perf_counter())
        for stage, (begin, end) in zip(
            (f"make {kind}", f"write {kind}"), pairwise(marks), strict=True
        ):
            seconds[stage] += end - begin
        table = make_table(shard.kind, columns)
        columns.clear()
        began = time.perf_counter()
        pq.write_table(table, folder / "floor.parquet", row_group_size=ROW_GROUP, **PARQUET)
        floor += time.perf_counter() - began
        size += (folder / shard.file).stat().st_size
    for stage, took in seconds.items():
        count = rows.get(stage.partition(" ")[2], 0)
        print(
            f"  {stage:24} {took:7.2f} s"
            + (f"   {count / took:>10,.0f} rows/s   ({count:,} rows)" if count else "")
        )
    questions, biographies = (
        sum(n for kind, n in rows.items() if kind.startswith(word))
        for word in ("questions", "biographies")
    )
    total = sum(seconds.values())
    print(
        f"  {'sum, one process':24} {total:7.2f} s   {questions / total:>10,.0f} questions/s   "
        f"{size / 2**20:,.0f} MiB of Parquet"
    )
    print(
        f"  {'the floor':24} {floor:7.2f} s   ratio {total / floor:.2f}   "
        f"({biographies:,} biographies, {questions:,} questions)"
    )
    return floor


def whole(config: Config, settings: list[str], workers: int, folder: Path, floor: float) -> None:
    """Print wall seconds of the command, their ratio to the floor, and its peak memory."""
    words = [
        "generate",
        "--preset",
        config.preset,
        "--out",
        str(folder / "release"),
        "--workers",
        str(workers),
        "--quiet",
        *settings,
    ]
    done = subprocess.run(
        [sys.executable, "-c", WHOLE, *words], capture_output=True, text=True, check=True
    )
    seconds, peak = map(float, done.stdout.split())
    print(
        f"  the command, {workers} workers   {seconds:7.2f} s   ratio {seconds / floor:.2f}   "
        f"(largest process {peak / 2**20:,.0f} MiB)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("presets", nargs="*", default=["paper", "v1"])
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    for name in options.presets or ["paper", "v1"]:
        config = load_preset(name).override(dict(text.split("=", 1) for text in options.settings))
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name}")
            floor = stages(config, Path(folder))
            whole(
                config,
                [word for text in options.settings for word in ("--set", text)],
                options.workers,
                Path(folder),
                floor,
            )


if __name__ == "__main__":
    main()
