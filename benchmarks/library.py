"""What policies that know nothing earn in the library, beside one that follows the chain.

    python benchmarks/library.py [--preset small] [--config comp_zeroshot] [--cost 0.05]

follow   reads the needed people in order and answers with the gold chain
crawl    reads the start, then everybody who is named, breadth first, until no calls are left; then
         picks at random among the objects of the last relation of the question that it has read
start    reads the start alone and picks in the same way
guess    reads nobody: a value of the asked kind, drawn from the world
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bioreason_bench.environments.library import make_library
from bioreason_bench.world.relations import PERSON

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--preset", default="small")
parser.add_argument("--config", default="comp_zeroshot")
parser.add_argument("--cost", type=float, default=0.05)
options = parser.parse_args()

library = make_library(options.config, preset=options.preset, cost=options.cost)
shelf = library.biographies
facts = library.questions.source.table("facts", "train").to_pylist()
objects: dict[str, list[str]] = {}
for fact in facts:
    objects.setdefault(fact["relation"], []).append(fact["object"])
kinds = {row.name: row.object for row in library.questions.source.relations().relations}


def read(episode, name: str) -> list[tuple[str, str, str]]:
    """The facts that the library tells about a person."""
    text = episode.read_biography(name)
    return [fact for line in text.split("\n") for fact in shelf.reader.biography(line) if fact]


def follow(episode, row) -> str:
    for person in row["entities"]:
        if person in episode.needed:
            episode.read_biography(person)
    return row["chain"]


def crawl(episode, row, calls: int | None = None) -> str:
    queue, seen, known = [row["entities"][0]], set(), []
    while queue and episode.calls < (calls or library.most_calls):
        person = queue.pop(0)
        seen.add(person)
        known += (told := read(episode, person))
        for subject, relation, reached in told:
            named = [subject, reached] if kinds[relation] == PERSON else [subject]
            queue += [name for name in named if name not in seen and name not in queue]
    found = sorted({fact[2] for fact in known if fact[1] == row["path"][-1]})
    return f"So, the answer is: {dice.choice(found or ['nobody'])}"


def start(episode, row) -> str:
    return crawl(episode, row, calls=1)


def guess(_, row) -> str:
    return f"So, the answer is: {dice.choice(objects[row['path'][-1]])}"


print(f"{len(library.questions.rows)} questions of {options.config}, preset {options.preset}\n")
print("| policy | right | calls | useful | needed people read | reward |")
print("|---|---|---|---|---|---|")
for policy in (follow, crawl, start, guess):
    dice = random.Random(0)
    logs, rewards = [], []
    for row in library.questions.rows:
        episode = library.episode(row)
        episode.answer(policy(episode, row))
        logs.append(episode.log())
        rewards.append(episode.reward())

    def mean(name: str, logs: list[dict[str, float]] = logs) -> float:
        return sum(log[name] for log in logs) / len(logs)

    print(
        f"| `{policy.__name__}` | {100 * mean('exact_match'):.1f} % | {mean('calls'):.1f} "
        f"| {mean('useful_calls'):.1f} | {100 * mean('found_share'):.0f} % "
        f"| {sum(rewards) / len(rewards):.3f} |"
    )
