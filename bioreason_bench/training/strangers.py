"""Strangers: people of another world, from whom a base model learns the language.

A model from scratch meets the words of a release for the first time in the texts that an experiment
gives it.  Then an arm that never saw a relation in a question cannot fail for any other reason than
that.  A base model that was trained on strangers first knows every relation, how to recall it, how
to read it and how to write a chain of one hop; and it knows nothing of the release's people.

The strangers are the people of the same configuration under another seed: same relations, same
values, other facts.  What is to be recalled is read as well, from an open book, so that no relation
is a word that never follows a context.  Each question that is read is there several times, in which
everybody bears the name of somebody of the release, drawn anew each time.  So every name has been
met, none has a fact, and no answer can be memorised.  Strangers who are to be recalled have names
of their own: in language `symbols` s17 in place of p17; in English, what mentions a name of the
release's people is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from bioreason_bench.config import WorldConfig
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError

if TYPE_CHECKING:
    from bioreason_bench.questions.records import Writer

Row = dict[str, Any]

RENAMINGS = 5  # of a question that is read
SEED_STEP = 1_000_000  # from the seed of a release to that of its strangers
NAME = re.compile(r"\bp(\d+)\b")  # a person by number, as in symbols
TEXTS = ("text", "question", "context", "chain")


class Strangers:
    """The people of another seed of a release's configuration, and texts on them.

    Args:
        config: The configuration of the release.

    Raises:
        UsageError: The release's facts are a user's own, so there is no other world like it.
    """

    def __init__(self, config: WorldConfig) -> None:
        if config.facts:
            raise UsageError(
                "sources of strangers need a generated world, and this release has facts of its "
                "own; leave out strangers, or begin with a trained model"
            )
        self.symbols = config.language == "symbols"
        self.config = replace(config, seed=(config.seed + SEED_STEP) % 2**32)

    @cached_property
    def writer(self) -> Writer:
        """Writes questions on the strangers; none of their paths is planned."""
        from bioreason_bench.dataset import make_writer

        return make_writer(self.config)

    def questions(self, known_names: Iterable[str]) -> list[Row]:
        """A one-hop question (skill `mem` or `ctx`) for each fact of each biography.

        Args:
            known_names: The names of the release's own people.
        """
        from bioreason_bench.questions.probes import all_single_hops

        rows = all_single_hops(self.writer, self.config.seed)
        return list(self._own(rows, known_names))

    def open_questions(self, known_names: Iterable[str]) -> list[Row]:
        """The questions that are recalled, each with an open book instead.

        The context holds the parametric biographies of the person asked about and of as many others
        as a context of the release has distractors, one at least.
        """
        from bioreason_bench.questions.probes import all_single_hops

        texts: dict[str, list[str]] = {}
        for row in self._biographies():
            texts.setdefault(row["person"], []).append(row["text"])
        everybody, draw = list(texts), Draw(self.config.seed, ("open book",))
        rows = []
        for row in all_single_hops(self.writer, self.config.seed):
            if row["pattern"] != "P":
                continue
            drawn = draw.at(row["id"])
            numbers = drawn.integers(max(1, self.config.distractors), len(everybody)).tolist()
            shown = dict.fromkeys([row["entities"][0], *(everybody[n] for n in numbers)])
            order = drawn.at("order").permutation(len(shown)).tolist()
            lines = [texts[person][numbers[0] % len(texts[person])] for person in shown]
            rows.append({**row, "context": "\n".join(lines[n] for n in order)})
        return list(self._own(rows, known_names))

    def biographies(self, known_names: Iterable[str]) -> list[Row]:
        """The parametric biographies, with the columns `person` and `text`."""
        return list(self._own(self._biographies(), known_names))

    def _biographies(self) -> Iterator[Row]:
        from bioreason_bench.dataset.world_tables import WorldTables

        tables = WorldTables(self.writer.starts.world, [])
        for shard in tables.shards(1_000_000):
            if (shard.folder, shard.split) == ("biographies", "parametric"):
                columns = tables.make(shard)
                for values in zip(*columns.values(), strict=True):
                    yield dict(zip(columns, values, strict=True))

    @cached_property
    def _names(self) -> tuple[re.Pattern[str], dict[str, int]]:
        """What finds the strangers' names in English, and the person's number for each."""
        names = list(self.writer.starts.world.names)
        return any_of(names), {name: number for number, name in enumerate(names)}

    def _own(self, rows: Iterable[Row], known_names: Iterable[str]) -> Iterator[Row]:
        """The rows with other names than those that the release's facts are about."""
        people = sorted(known_names)
        known = any_of(people)
        for row in rows:
            if row.get("context"):
                yield from self._under_names_of(people, row)
            elif self.symbols:
                yield map_texts(row, renamed)
            elif not any(known.search(row.get(name, "")) for name in TEXTS):
                yield row

    def _under_names_of(self, people: Sequence[str], row: Row) -> Iterator[Row]:
        """The row RENAMINGS times, everybody under a name that is drawn from `people`."""
        if not self.symbols:
            found, numbers = self._names
            row = map_texts(row, lambda text: found.sub(lambda name: f"p{numbers[name[0]]}", text))
        draw = Draw(self.config.seed, ("names", row["id"]))
        for time in range(RENAMINGS):
            order = draw.at(time).permutation(len(people)).tolist()
            named = partial(NAME.sub, lambda name, order=order: people[order[int(name[1])]])
            yield map_texts(row, named)


def any_of(names: Iterable[str]) -> re.Pattern[str]:
    """What finds each of the names as a whole, and the longer of two."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")


def renamed(text: str) -> str:
    """A text in symbols about strangers instead of the release's people."""
    return NAME.sub(r"s\1", text)


def map_texts(row: Mapping[str, Any], change: Callable[[str], str]) -> Row:
    """The row with `change` applied to every text, and to the texts in lists."""
    return {name: _mapped(value, change) for name, value in row.items()}


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(one, change) for one in value]
    return value
