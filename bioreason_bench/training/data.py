"""What a stage trains on: rows of a release, chosen, tokenised and mixed.  Every choice is a function of the seed and names.

A *source* is a file set of a release: `mem`, `ctx`, `comp` (training questions), `comp_rl`, `biographies` (parametric ones, as
plain text), `comp_zeroshot` and so on (a test split), or `atoms` (one-hop questions made of the hops of training questions).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.release.read import Release
from bioreason_bench.training.recipe import Source

ATOMS = "atoms"
IGNORE = -100  # label of a token that is given, not learnt
SKILLS = ("mem", "ctx", "comp")
Row = dict[str, Any]


class Corpus(Release):
    """A release as a list of sources, each read once and kept."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._kept: dict[tuple[str, str], list[Row]] = {}

    def source(self, name: str, split: str = "test") -> list[Row]:
        """The rows of source `name`; `split` counts only for test sets.  Raises UsageError if the release has no such source."""
        key = self._place(name, split)
        if key not in self._kept:
            self._kept[key] = make_atoms(self) if name == ATOMS else list(self.rows(*key))
        return self._kept[key]

    def has(self, name: str, split: str = "test") -> bool:
        if name == ATOMS:
            return True
        config, split = self._place(name, split)
        return split in self.manifest["configs"].get(config, {})

    def _place(self, name: str, split: str) -> tuple[str, str]:
        """Config and split of a source."""
        if name in SKILLS:
            return next(
                (
                    config
                    for config in self.configs()
                    if config.startswith(f"{name}_") and config != "comp_rl"
                ),
                f"{name}_iid",
            ), "train"
        if name == "biographies":
            return name, "parametric"
        if name == "probes":
            return name, "test"
        if name.partition("_")[0] in SKILLS and name != "comp_rl":
            return name, split
        return name, "train"


def make_atoms(corpus: Corpus) -> list[Row]:
    """A row (columns of a question, skill `mem` or `ctx`) for each fact that some biography states."""
    from bioreason_bench.dataset import make_dataset
    from bioreason_bench.questions.probes import write_single_hops

    dataset = make_dataset(corpus.config)
    subject, relation = np.nonzero(dataset.world.steps[:, :-1].T >= 0)
    keys = Draw(corpus.config.seed).at("order", "atoms").words(len(subject))
    columns = write_single_hops(dataset.writer, relation, subject, keys)
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def choose(release: Corpus, source: Source, draw: Draw) -> list[Row]:
    """The rows of a source after its filters (portion, hops, patterns, where) and, last, a drawn subset of `limit` rows."""
    rows = release.source(source.name)
    if source.portion < 100:
        if rows and "portion" not in rows[0]:
            raise UsageError(f"source {source.name} has no portions; leave out `portion`")
        rows = [row for row in rows if row["portion"] * 10 <= source.portion]
    if source.hops:
        rows = [row for row in rows if row["hops"] in source.hops]
    if source.patterns:
        rows = [row for row in rows if row["pattern"] in source.patterns]
    if source.without_paths_of:
        seen = {tuple(row["path"]) for row in release.source(source.without_paths_of)}
        rows = [row for row in rows if tuple(row["path"]) not in seen]
    if source.limit and source.limit < len(rows):
        every_stage = Draw(
            draw.seed, ("limit", source.name)
        )  # the same rows for SFT, RFT and GRPO of one seed
        chosen = np.sort(every_stage.permutation(len(rows))[: source.limit])
        rows = [rows[index] for index in chosen.tolist()]
    if not rows:
        raise UsageError(
            f"no row of {source.name} is left after the recipe's filters; loosen portion, hops, patterns or limit"
        )
    return rows


def prompt_of(row: Row) -> str:
    from bioreason_bench.questions.records import make_prompt

    return make_prompt(row)


def completion_of(row: Row, form: str) -> str:
    """What follows the prompt: the gold chain, or only its last sentence where the recipe trains on answers alone."""
    return f" {row['chain']}" if form == "chain" else f" {ANSWER}{row['answer']}"


@dataclass(frozen=True)
class Encoded:
    """Texts as token ids: text i is ids[ends[i-1]:ends[i]], of which the first given[i] tokens are not learnt."""

    ids: np.ndarray
    ends: np.ndarray
    given: np.ndarray

    def __len__(self) -> int:
        return len(self.ends)

    def text(self, index: int) -> tuple[list[int], int]:
        begin = self.ends[index - 1] if index else 0
        return self.ids[begin : self.ends[index]].tolist(), int(self.given[index])


def encode(rows: Sequence[Row], form: str, tokenizer: Any, max_length: int) -> Encoded:
    """Token ids of questions (prompt, then completion and end) or biographies (all learnt); a longer text raises UsageError."""
    end = [tokenizer.eos_token_id]
    if "text" in rows[0]:
        prompts, completions = [[]] * len(rows), _ids(tokenizer, [row["text"] for row in rows])
    else:
        prompts = _ids(tokenizer, [prompt_of(row) for row in rows])
        completions = _ids(tokenizer, [completion_of(row, form) for row in rows])
    texts = [
        prompt + completion + end for prompt, completion in zip(prompts, completions, strict=True)
    ]
    lengths = np.array([len(text) for text in texts], np.int64)
    if lengths.max() > max_length:
        raise UsageError(
            f"a text of {lengths.max()} tokens exceeds max_length {max_length}; raise it with --set max_length={lengths.max()}"
        )
    return Encoded(
        np.concatenate([np.array(text, np.int32) for text in texts]),
        lengths.cumsum(),
        np.array([len(p) for p in prompts], np.int64),
    )


def _ids(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=False)["input_ids"]


class Mixture:
    """The texts of a whole stage in order: every step holds `rows` texts of each source, each source in drawn order, epoch by epoch.

    An item is a function of (seed, stage, index) alone, so that a resumed run sees the same texts.
    """

    def __init__(self, sources: Sequence[tuple[Source, Encoded]], steps: int, draw: Draw) -> None:
        self.sources, self.draw, self.steps = list(sources), draw, steps
        self.slots = [
            (which, place)
            for which, (source, _) in enumerate(sources)
            for place in range(source.rows)
        ]
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    @property
    def step_rows(self) -> int:
        return len(self.slots)

    def __len__(self) -> int:
        return self.steps * self.step_rows

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        step, slot = divmod(index, self.step_rows)
        which, place = self.slots[slot]
        source, encoded = self.sources[which]
        epoch, at = divmod(step * source.rows + place, len(encoded))
        ids, given = encoded.text(int(self._order(which, epoch)[at]))
        return {"input_ids": ids, "labels": [IGNORE] * given + ids[given:]}

    def __iter__(self) -> Iterator[dict[str, list[int]]]:
        return (self[index] for index in range(len(self)))

    def _order(self, which: int, epoch: int) -> np.ndarray:
        if (which, epoch) not in self._orders:
            source, encoded = self.sources[which]
            self._orders = {
                key: value
                for key, value in self._orders.items()
                if key[0] != which or key[1] >= epoch - 1
            }
            self._orders[which, epoch] = self.draw.at(
                "order", source.name, which, epoch
            ).permutation(len(encoded))
        return self._orders[which, epoch]


def make_mixture(
    release: Corpus,
    sources: Sequence[Source],
    steps: int,
    tokenizer: Any,
    max_length: int,
    draw: Draw,
) -> Mixture:
    encoded = [
        (source, encode(choose(release, source, draw), source.format, tokenizer, max_length))
        for source in sources
    ]
    return Mixture(encoded, steps, draw)
