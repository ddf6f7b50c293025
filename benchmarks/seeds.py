"""Whether every seed gives a release, and how solvers score over many of them.

    python benchmarks/seeds.py tiny 0-499               plan each seed; print those that fail
    python benchmarks/seeds.py small 0-19 --verify      also generate and audit each one, print
                                                        the laws that are broken, and the solvers'
                                                        scores over the questions of all seeds

The questions of one small release that leave a solver a choice are too few for a narrow interval.
Over all seeds they are enough.  The interval takes each world as one observation (Student's t).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.config import Config, load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.errors import UsageError

T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 8: 2.36, 10: 2.26, 15: 2.14, 20: 2.09, 30: 2.05}


class Score(NamedTuple):
    """A solver on one config of one world: shares of 1."""

    questions: int
    score: float
    chance: float


Scores = dict[tuple[str, str], list[Score]]  # (config, solver) -> a score for each world


def audit(config: Config, workers: int, scores: Scores) -> list[str]:
    """Generate and verify one release; collect its scores and return the broken laws."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "release"
        generate(config, out, workers=workers)
        report = verify(out, workers=workers)
    for name, solvers in report.scores.items():
        for solver, entry in solvers.items():
            if entry["shortcut"] and name.startswith("comp_"):
                one = Score(entry["questions"], entry["score"], entry["chance"])
                scores[name, solver].append(one)
    laws = report.ledger.as_dict()
    return [f"{law}: {entry['first']}" for law, entry in laws.items() if entry["broken"]]


def half_width(differences: np.ndarray, weights: np.ndarray) -> float:
    """Half of the 95 % interval of a weighted mean of differences, one for each world."""
    worlds = len(differences)
    if worlds < 2:
        return float("nan")
    mean = np.average(differences, weights=weights)
    share = weights / weights.sum()
    variance = float((share**2 * (differences - mean) ** 2).sum()) * worlds / (worlds - 1)
    t = T_95[max(size for size in T_95 if size <= worlds)]
    return t * variance**0.5


def print_scores(scores: Scores) -> None:
    print(f"\n{'':<20}{'':<16}questions  score  chance  score - chance, % (95 %)")
    for (config, solver), parts in sorted(scores.items()):
        weights = np.array([part.questions for part in parts], float)
        score = np.array([part.score for part in parts]) * 100
        chance = np.array([part.chance for part in parts]) * 100
        gap, half = np.average(score - chance, weights=weights), half_width(score - chance, weights)
        print(
            f"{config:<20}{solver:<16}{int(weights.sum()):>9,}"
            f"{np.average(score, weights=weights):>7.1f}{np.average(chance, weights=weights):>8.1f}"
            f"{gap:>+8.1f} ± {half:.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("preset")
    parser.add_argument("seeds", help="FIRST-LAST")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    scores: Scores = defaultdict(list)
    failed: list[int] = []
    began = time.perf_counter()
    for seed in seeds:
        try:
            config = load_preset(options.preset, seed)
            broken = audit(config, options.workers, scores) if options.verify else []
            if not options.verify:
                make_dataset(config)
        except UsageError as error:
            broken = [str(error)]
        if broken:
            failed.append(seed)
            print(f"{options.preset}, seed {seed}: {'; '.join(broken)}", flush=True)
    seconds = time.perf_counter() - began
    what = "generated and verified" if options.verify else "planned"
    print(f"{options.preset}: {len(seeds)} seeds {what} in {seconds:.0f} s, {len(failed)} failed")
    if scores:
        print_scores(scores)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
