"""Speed of the grader: completions/s on one core, by kind of completion.

    python benchmarks/grading.py [--preset small] [--questions 20000] [--json]

The first table compares the grader with a bare comparison of the answer.  Every completion is
another text, so that caches of whole completions do not help.  The second table grades long texts
before an answer: microseconds per 1,000 characters, which must not grow with the length.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import numpy as np

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.draw import Draw
from bioreason_bench.grading.grader import Grader
from bioreason_bench.language import language_of
from bioreason_bench.release.shards import make_table


def completions(plan, rows: list[dict]) -> dict[str, list[str]]:
    """Kind -> a completion for each row."""
    world, language = plan.world, language_of(plan.world)
    ids = {name: person for person, name in enumerate(world.names)}
    draw = Draw(0).at("benchmark")
    other, wrong, chat = [], [], []
    for index, row in enumerate(rows):
        words = draw.at("wording").words([index])
        parts = []
        for hop, name in enumerate(row["path"]):
            relation = world.table.number(name)
            subject = ids[row["entities"][hop]]
            parts += language.statements(
                relation,
                np.array([subject]),
                [row["entities"][hop + 1]],
                words % language.variants(relation),
            )
        other.append(f"{' '.join(parts)} So, the answer is: {row['answer']}.")
        stranger = world.names[int(draw.at("stranger").integers([index], len(world.names))[0])]
        wrong.append(row["chain"].replace(row["entities"][1], stranger))
        lines = "\n".join(f"{number}. **{part}**" for number, part in enumerate(parts, 1))
        chat.append(
            f"Let me think step by step.\n\n{lines}\n\n**So, the answer is: {row['answer']}**"
        )
    return {
        "gold chain": [f" {row['chain']}" for row in rows],
        "gold chain, full stop": [f" {row['chain']}." for row in rows],
        "other wordings": other,
        "wrong hop": wrong,
        "chat model's list": chat,
        "answer alone": [f"The answer is {row['answer']}." for row in rows],
    }


def seconds(grader: Grader, texts: list[str], rows: list[dict]) -> float:
    """Seconds of CPU time that grading takes."""
    begin = time.process_time()
    for text, row in zip(texts, rows, strict=True):
        grader.grade(text, row)
    return time.process_time() - begin


def bare(texts: list[str], rows: list[dict]) -> float:
    """Seconds of the minimum that a grader must do: cut the text and compare."""
    begin = time.process_time()
    for text, row in zip(texts, rows, strict=True):
        _ = text.rpartition("the answer is:")[2].strip().rstrip(".") == row["answer"]
    return time.process_time() - begin


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--preset", default="small")
    options.add_argument("--questions", type=int, default=20_000)
    options.add_argument("--json", action="store_true", help="one JSON object")
    chosen = options.parse_args()
    plan = make_dataset(load_preset(chosen.preset))
    shard = next(
        shard
        for shard in plan.shards(shard_rows=chosen.questions)
        if (shard.folder, shard.split) == ("comp", "train")
    )
    rows = make_table(shard.kind, plan.make(shard)).to_pylist()
    speeds, total, count = [], 0.0, 0
    for kind, texts in completions(plan, rows).items():
        taken = seconds(Grader(plan.world.table, plan.config.language), texts, rows)
        speeds.append(
            {
                "kind": kind,
                "per_second": round(len(rows) / taken),
                "bare_per_second": round(len(rows) / bare(texts, rows)),
            }
        )
        total, count = total + taken, count + len(rows)
    speeds.append({"kind": "all", "per_second": round(count / total)})
    grader, record, lengths = Grader(plan.world.table, plan.config.language), rows[0], []
    for length in (1_000, 10_000, 100_000, 1_000_000):
        filler = "We look it up in the text. " * (length // 27)
        texts = [
            f"{filler}{record['chain']} ({number})" for number in range(max(1, 2_000_000 // length))
        ]
        taken = seconds(grader, texts, [record] * len(texts))
        lengths.append(
            {"characters": length, "us_per_1000": round(1e9 * taken / sum(map(len, texts)), 2)}
        )
    if chosen.json:
        print(
            json.dumps(
                {
                    "preset": chosen.preset,
                    "questions": len(rows),
                    "kinds": speeds,
                    "lengths": lengths,
                }
            )
        )
        return
    python = sys.version.split()[0]
    print(f"{len(rows)} questions of preset {chosen.preset}, Python {python}, one core")
    print(f"{'completions':24}{'graded/s':>12}{'bare/s':>12}")
    for line in speeds:
        print(f"{line['kind']:24}{line['per_second']:>12,}{line.get('bare_per_second', ''):>12}")
    print(f"{'characters':24}{'us per 1000':>12}")
    for line in lengths:
        print(f"{line['characters']:<24,}{line['us_per_1000']:>12}")


if __name__ == "__main__":
    main()
