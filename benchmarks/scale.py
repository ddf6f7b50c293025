"""Seconds and memory of generation, over people and over questions.

    python benchmarks/scale.py people 1000 10000 100000 1000000   # known, half as many novel
    python benchmarks/scale.py questions 100000 1000000 --known 100000
    python benchmarks/scale.py shards 200 RELEASE                 # remake random files of it
    python benchmarks/scale.py plot points.jsonl docs/images/scale.png

Each point is a process of its own and prints one JSON line: processor seconds of the world, of the
plan (paths, levels, list of files) and of --files files of each kind, which stand for all files of
their kind in `all_files`, and the peak memory of the process in MiB.  Processor seconds change
little with the load of the machine.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from bioreason_bench.config import Config, load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.release.read import Release
from bioreason_bench.release.shards import make_table
from bioreason_bench.world.facts import make_world

SIZES = ("train", "rl", "iid", "composition", "zeroshot", "entity", "depth", "direction")
FURTHER = ("unanswerable", "counterfactual", "conflict")


def config_of(known: int, questions: int) -> Config:
    """Preset xl with so many known people and about so many questions."""
    xl = load_preset("xl")
    settings = {"known": str(2 * (known // 2)), "novel": str(2 * (known // 4))}
    for skill in ("mem", "ctx", "comp"):
        for size in (*SIZES, *FURTHER):
            if count := getattr(xl.skill(skill), size):
                settings[f"{skill}.{size}"] = str(max(20, count * questions // 11_000_000))
    return xl.override(settings)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(known: int, questions: int, files: int) -> dict:
    """One point, in this process."""
    config = config_of(known, questions)
    point: dict = {"known": known, "questions": questions}
    began = time.process_time()
    make_world(config)
    point |= {"world": round(time.process_time() - began, 2), "world_mib": peak()}
    if not questions:
        return point
    began = time.process_time()
    dataset = make_dataset(config)
    shards = dataset.shards()
    point |= {"plan": round(time.process_time() - began, 2), "plan_mib": peak()}
    point["files"] = len(shards)
    rows: Counter[tuple[str, str]] = Counter()
    for shard in shards:
        rows[shard.folder, shard.split] += shard.rows
    whole = 0.0
    for kind, total in rows.items():
        of_kind = [shard for shard in shards if (shard.folder, shard.split) == kind]
        sample = random.Random(1).sample(of_kind, min(files, len(of_kind)))
        began = time.process_time()
        for shard in sample:
            make_table(shard.kind, dataset.make(shard))
        whole += (time.process_time() - began) * total / max(1, sum(s.rows for s in sample))
    point |= {"all_files": round(whole, 1), "mib": peak()}
    return point


def remake(count: int, release: Path) -> None:
    """Remake random files of a release, each alone, and compare the digests of their rows."""
    manifest = read_manifest(release)
    dataset = make_dataset(Release(release).config)
    largest = max(entry["rows"] for entry in manifest["files"].values())
    by_name = {}
    for rows in (largest, 40_000, 20_000, 10_000, 5_000, 2_000, 1_000):
        shards = {shard.file: shard for shard in dataset.shards(rows)}
        if shards.keys() == manifest["files"].keys():
            by_name = shards
            break
    if not by_name:
        raise SystemExit("generate the release with --shard-rows 40000, 20000, ... or 1000")
    names = sorted(by_name)
    draw = random.Random(0)
    wrong = 0
    for name in draw.choices(names, k=count):
        table = make_table(by_name[name].kind, dataset.make(by_name[name]))
        wrong += digest_rows(table) != manifest["files"][name]["digest"]
    print(f"{count} files of {release}, drawn of {len(names)} and remade alone: {wrong} differ")
    sys.exit(int(wrong > 0))


def plot(points: Path, out: Path) -> None:
    """Seconds and memory over known people and over questions."""
    import matplotlib.pyplot as plt

    rows = [json.loads(line) for line in points.read_text(encoding="utf-8").splitlines()]
    people = sorted((row for row in rows if not row["questions"]), key=lambda row: row["known"])
    asked = sorted((row for row in rows if row["questions"]), key=lambda row: row["questions"])
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
    for axis, key, group, series in (
        (axes[0], "known", people, {"world": "seconds", "world_mib": "MiB"}),
        (axes[1], "questions", asked, {"plan": "plan, s", "all_files": "files, s", "mib": "MiB"}),
    ):
        for name, label in series.items():
            axis.plot([row[key] for row in group], [row[name] for row in group], "o-", label=label)
        axis.set(xscale="log", yscale="log", xlabel=key.replace("known", "known people"))
        axis.legend(frameon=False)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(out, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["people", "questions", "shards", "plot", "point"])
    parser.add_argument("values", nargs="+")
    parser.add_argument("--known", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=1)
    options = parser.parse_args()
    first = options.values[0]
    if options.what == "shards":
        remake(int(first), Path(options.values[1]))
    elif options.what == "plot":
        plot(Path(first), Path(options.values[1]))
    elif options.what == "point":
        print(json.dumps(measure(int(first), int(options.values[1]), options.files)), flush=True)
    else:
        for value in options.values:
            pair = [value, "0"] if options.what == "people" else [str(options.known), value]
            words = [sys.executable, __file__, "point", *pair, "--files", str(options.files)]
            subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
