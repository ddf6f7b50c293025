"""Strangers: people of another world, from whom a base model learns the language.

A model from scratch meets the words of a release for the first time in the texts that an experiment
gives it.  Then an arm that never saw a relation in a question cannot fail for any other reason than
that.  A base model that was trained on strangers first knows every relation, how to recall it, how
to read it and how to write a chain of one hop; and it knows nothing of the release's people.

The strangers are the people of the same configuration under another seed: same relations, same
values, other facts.  In English, everything that mentions a name of the release's people is left
out.  In language `symbols`, where a name is one token, strangers who are to be recalled are called
s17 in place of p17; and each question that is read from its context is there several times, in
which everybody bears the name of somebody of the release, drawn anew each time.  So every name has
been met, none has a fact, and no answer can be memorised.
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
    from bioreason_bench.dataset import Dataset

Row = dict[str, Any]

RENAMINGS = 5  # of a question that is read, in symbols
SEED_STEP = 1_000_000  # from the seed of a release to that of its strangers
NAME = re.compile(r"\bp(\d+)\b")  # a person's token in symbols


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
                "own; leave out strangers and strangers_biographies, or begin with a trained model"
            )
        self.symbols = config.language == "symbols"
        self.config = replace(config, seed=(config.seed + SEED_STEP) % 2**32)

    @cached_property
    def dataset(self) -> Dataset:
        from bioreason_bench.dataset import make_dataset

        return make_dataset(self.config)

    def questions(self, known_names: Iterable[str]) -> list[Row]:
        """A one-hop question (skill `mem` or `ctx`) for each fact of each biography.

        Args:
            known_names: The names of the release's own people.
        """
        from bioreason_bench.questions.probes import all_single_hops

        rows = all_single_hops(self.dataset.writer, self.config.seed)
        return list(self._own(rows, known_names))

    def biographies(self, known_names: Iterable[str]) -> list[Row]:
        """The parametric biographies, with the columns `person` and `text`."""
        rows = (
            dict(zip(columns, values, strict=True))
            for shard in self.dataset.tables.shards(1_000_000)
            if (shard.folder, shard.split) == ("biographies", "parametric")
            for columns in [self.dataset.make(shard)]
            for values in zip(*columns.values(), strict=True)
        )
        return list(self._own(rows, known_names))

    def _own(self, rows: Iterable[Row], known_names: Iterable[str]) -> Iterator[Row]:
        """The rows under the strangers' names, without those that mention a name of the release."""
        if self.symbols:
            people = sorted(known_names)
            for row in rows:
                for namer in self._namers(row, people):
                    yield map_texts(row, namer)
            return
        known = re.compile("|".join(sorted(map(re.escape, known_names), key=len, reverse=True)))
        for row in rows:
            texts = (row.get(name, "") for name in ("text", "question", "context", "chain"))
            if not known.search("\n".join(texts)):
                yield row

    def _namers(self, row: Row, people: Sequence[str]) -> Iterator[Callable[[str], str]]:
        """What gives the people of a row in symbols their names, for each time it is there."""
        if row.get("pattern") != "C":
            yield renamed
            return
        draw = Draw(self.config.seed, ("names", row["id"]))
        for time in range(RENAMINGS):
            order = draw.at(time).permutation(len(people)).tolist()
            yield partial(NAME.sub, lambda name, order=order: people[order[int(name[1])]])


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
