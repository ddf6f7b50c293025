"""What a stage trains on: rows of a release, selected, tokenized and mixed into batches.

    Corpus → choose → encode → Mixture          each choice is a function of the seed and of names

A *source* is a set of texts of a release: `mem`, `ctx`, `comp` (training questions), `comp_rl`,
`biographies` (parametric ones, as plain text), `atoms` (single-hop questions on every fact that a
biography states), or a test set such as `comp_zeroshot`; `mem_with_context` asks `mem` beside a
context that does not help; `strangers`, `strangers_openbook` and `strangers_biographies` are atoms
and biographies of another world (strangers.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.release.read import Release
from bioreason_bench.taxonomy import SKILLS
from bioreason_bench.training.recipe import Source, Stage
from bioreason_bench.training.strangers import Strangers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORE = -100  # label of a token without loss
Row = dict[str, Any]


class Corpus(Release):
    """A release as sources, each read once and kept in memory."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._kept: dict[tuple[str, str], list[Row]] = {}

    def source(self, name: str, split: str = "test") -> list[Row]:
        """The rows of source `name`; only test sets have a `split`.

        Raises:
            UsageError: The release has no such source.
        """
        key = self._config_and_split(name, split)
        if key not in self._kept:
            made = COMPUTED.get(name)
            self._kept[key] = made(self) if made else list(self.rows(*key))
        return self._kept[key]

    def has(self, name: str, split: str = "test") -> bool:
        """Whether the release has source `name`."""
        if name in COMPUTED:
            return not self.family.steps  # of people only
        config, split = self._config_and_split(name, split)
        return split in self.manifest["configs"].get(config, {})

    @property
    def people(self) -> list[str]:
        """The names of the release's people."""
        return [row["name"] for row in self.source("people")]

    @cached_property
    def strangers(self) -> Strangers:
        """The people of another world like this one."""
        return Strangers(self.config)

    def training_sources(self) -> list[str]:
        """The sources with training questions, of a family other than people."""
        return [name for name in (*self.family.skills, *self.family.alone) if self.has(name)]

    def _config_and_split(self, name: str, split: str) -> tuple[str, str]:
        if name in self.family.alone:
            return name, "train"
        if name in (*SKILLS, *self.family.skills):  # any config of it holds its training questions
            configs = (
                config
                for config in self.configs()
                if config.startswith(f"{name}_") and config != "comp_rl"
            )
            return next(configs, f"{name}_iid"), "train"
        if name == "biographies":
            return name, "parametric"
        if name == "probes":
            return name, "test"
        skill = name.partition("_")[0]
        if skill in (*SKILLS, *self.family.skills) and name != "comp_rl":
            return name, split
        return name, "train"


def make_atoms(corpus: Corpus) -> list[Row]:
    """One single-hop question (skill `mem` or `ctx`) for each fact that a biography states."""
    from bioreason_bench.dataset import make_writer
    from bioreason_bench.questions.probes import all_single_hops

    return list(all_single_hops(make_writer(corpus.config), corpus.config.seed))


def mem_with_context(corpus: Corpus) -> list[Row]:
    """The training questions of `mem`, each with the context of one of `ctx` in its prompt.

    The chain of the other question passes through the person asked about, where there is such a
    one.  No context of `ctx` states a parametric fact, which is what `mem` asks for.
    """
    contexts = [row["context"] for row in corpus.source("ctx")]
    about: dict[str, list[int]] = {}
    for number, row in enumerate(corpus.source("ctx")):
        for person in row["entities"][:-1]:
            about.setdefault(person, []).append(number)
    everything, draw = range(len(contexts)), Draw(corpus.config.seed, ("mem with context",))
    rows = []
    for row in corpus.source("mem"):
        fitting = about.get(row["entities"][0], everything)
        number = fitting[int(draw.at(row["id"]).integers(1, len(fitting))[0])]
        rows.append({**row, "context": contexts[number]})
    return rows


def make_strangers(corpus: Corpus) -> list[Row]:
    """One single-hop question for each fact of the strangers."""
    return corpus.strangers.questions(corpus.people)


def strangers_openbook(corpus: Corpus) -> list[Row]:
    """The strangers' recalled questions with the biographies that answer them."""
    return corpus.strangers.open_questions(corpus.people)


def strangers_biographies(corpus: Corpus) -> list[Row]:
    """The parametric biographies of the strangers."""
    return corpus.strangers.biographies(corpus.people)


COMPUTED: dict[str, Callable[[Corpus], list[Row]]] = {  # sources that no file holds
    "atoms": make_atoms,
    "mem_with_context": mem_with_context,
    "strangers": make_strangers,
    "strangers_openbook": strangers_openbook,
    "strangers_biographies": strangers_biographies,
}


def choose(corpus: Corpus, source: Source, draw: Draw) -> list[Row]:
    """The rows of a source that pass its filters; with a `limit`, a random subset of them.

    Raises:
        UsageError: No row is left.
    """
    rows = corpus.source(source.name)
    if source.portion < 100:
        if rows and "portion" not in rows[0]:
            raise UsageError(f"source {source.name} has no portions; leave out `portion`")
        rows = [row for row in rows if row["portion"] * 10 <= source.portion]
    if source.hops:
        rows = [row for row in rows if row["hops"] in source.hops]
    if source.patterns:
        rows = [row for row in rows if row["pattern"] in source.patterns]
    if source.without_paths_of:
        seen = {tuple(row["path"]) for row in corpus.source(source.without_paths_of)}
        rows = [row for row in rows if tuple(row["path"]) not in seen]
    if source.limit and source.limit < len(rows):
        # Named without the stage: SFT, RFT and GRPO of one seed get the same subset.
        subset = Draw(draw.seed, ("limit", source.name))
        chosen = np.sort(subset.permutation(len(rows))[: source.limit])
        rows = [rows[index] for index in chosen.tolist()]
    if not rows:
        raise UsageError(
            f"no row of {source.name} is left after the recipe's filters; "
            "loosen portion, hops, patterns or limit"
        )
    return rows


def prompt_of(row: Row) -> str:
    from bioreason_bench.questions.prompts import make_prompt

    return make_prompt(row)


def completion_of(row: Row, form: str) -> str:
    """The text after the prompt: the gold chain, or only its last sentence (`form` "answer")."""
    return f" {row['chain']}" if form == "chain" else f" {ANSWER}{row['answer']}"


@dataclass(frozen=True)
class Encoded:
    """Texts as token ids.

    Attributes:
        ids: The tokens of all texts, one after the other.
        ends: Text i is `ids[ends[i - 1]:ends[i]]`.
        given: The number of tokens at the start of each text that carry no loss.
    """

    ids: NDArray
    ends: NDArray
    given: NDArray

    def __len__(self) -> int:
        return len(self.ends)

    def text(self, index: int) -> tuple[list[int], int]:
        """(token ids, number of them that carry no loss) of one text."""
        begin = self.ends[index - 1] if index else 0
        return self.ids[begin : self.ends[index]].tolist(), int(self.given[index])


def encode(
    rows: Sequence[Row], form: str, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Encoded:
    """Tokenize questions or biographies.

    A question is prompt, completion and end token, with loss on the last two; a biography is its
    text and the end token, with loss on all.

    Raises:
        UsageError: A text is longer than `max_length` tokens.
    """
    end = [tokenizer.eos_token_id]
    if "text" in rows[0]:
        prompts: list[list[int]] = [[]] * len(rows)
        completions = _token_ids(tokenizer, [row["text"] for row in rows])
    else:
        prompts = _token_ids(tokenizer, [prompt_of(row) for row in rows])
        completions = _token_ids(tokenizer, [completion_of(row, form) for row in rows])
    texts = [
        prompt + completion + end for prompt, completion in zip(prompts, completions, strict=True)
    ]
    lengths = np.array([len(text) for text in texts], np.int64)
    if lengths.max() > max_length:
        raise UsageError(
            f"a text of {lengths.max()} tokens exceeds max_length {max_length}; "
            f"raise it with --set max_length={lengths.max()}"
        )
    return Encoded(
        np.concatenate([np.array(text, np.int32) for text in texts]),
        lengths.cumsum(),
        np.array([len(prompt) for prompt in prompts], np.int64),
    )


def _token_ids(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=False)["input_ids"]


class Mixture:
    """The texts of a whole stage in order: each step has `rows` texts of each source.

    A source is shuffled anew for each epoch.  An item is a function of (seed, stage, index) alone,
    so that a resumed run gets the same texts.
    """

    def __init__(self, sources: Sequence[tuple[Source, Encoded]], steps: int, draw: Draw) -> None:
        self.sources, self.draw, self.steps = list(sources), draw, steps
        self.slots = [  # of one step: (number of the source, which of its texts in this step)
            (number, offset)
            for number, (source, _) in enumerate(sources)
            for offset in range(source.rows)
        ]
        self._orders: dict[tuple[int, int], NDArray] = {}

    @property
    def step_rows(self) -> int:
        """The number of texts per step."""
        return len(self.slots)

    def __len__(self) -> int:
        return self.steps * self.step_rows

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        step, slot = divmod(index, self.step_rows)
        number, offset = self.slots[slot]
        source, encoded = self.sources[number]
        epoch, position = divmod(step * source.rows + offset, len(encoded))
        ids, given = encoded.text(int(self._order(number, epoch)[position]))
        return {"input_ids": ids, "labels": [IGNORE] * given + ids[given:]}

    def __iter__(self) -> Iterator[dict[str, list[int]]]:
        return (self[index] for index in range(len(self)))

    def step_items(self, step: int) -> list[dict[str, list[int]]]:
        """The texts of one step."""
        return [self[step * self.step_rows + row] for row in range(self.step_rows)]

    def learnt_tokens(self) -> int:
        """The tokens with loss of the whole stage."""
        return sum(
            int(
                (encoded.ends - np.concatenate([[0], encoded.ends[:-1]]) - encoded.given)[
                    order
                ].sum()
            )
            for number, (source, encoded) in enumerate(self.sources)
            for order in self._orders_of_stage(number, source.rows * self.steps, len(encoded))
        )

    def _orders_of_stage(self, number: int, texts: int, size: int) -> Iterator[NDArray]:
        """The text numbers of a source that the stage uses, epoch by epoch."""
        for epoch in range(-(-texts // size)):
            yield self._order(number, epoch)[: texts - epoch * size]

    def with_source(self, source: Source, encoded: Encoded) -> Mixture:
        """The same mixture with one more source, the first in each step."""
        return Mixture([(source, encoded), *self.sources], self.steps, self.draw)

    def _order(self, number: int, epoch: int) -> NDArray:
        """The shuffled text numbers of a source in an epoch; the last two epochs are kept."""
        if (number, epoch) not in self._orders:
            source, encoded = self.sources[number]
            self._orders = {
                key: order
                for key, order in self._orders.items()
                if key[0] != number or key[1] >= epoch - 1
            }
            named = self.draw.at("order", source.name, number, epoch)
            self._orders[number, epoch] = named.permutation(len(encoded))
        return self._orders[number, epoch]


def make_mixture(
    corpus: Corpus,
    sources: Sequence[Source],
    steps: int,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    draw: Draw,
) -> Mixture:
    """Select, tokenize and mix the texts of some sources."""
    encoded = [
        (source, encode(choose(corpus, source, draw), source.format, tokenizer, max_length))
        for source in sources
    ]
    return Mixture(encoded, steps, draw)


def order_prompts(rows: Sequence[Row], source: Source, steps: int, draw: Draw) -> list[Row]:
    """Rows for `source.rows` prompts per step, in order; shuffled anew for each epoch."""
    needed = steps * source.rows
    order: list[int] = []
    for epoch in range(-(-needed // len(rows))):
        order += draw.at("prompts", source.name, epoch).permutation(len(rows)).tolist()
    return [rows[index] for index in order[:needed]]


@dataclass(frozen=True)
class StageData:
    """What one stage trains on, as values; training never goes back to the release for texts.

    Attributes:
        mixture: The stage's `batch`: texts to learn (sft, rft) or replay (grpo); may be empty.
        prompts: Questions to sample answers to: rft, each selected one once; grpo, those of all
            steps in order, `stage.prompts.rows` per step.
    """

    mixture: Mixture
    prompts: list[Row]


def prepare(
    corpus: Corpus, stage: Stage, tokenizer: PreTrainedTokenizerBase, max_length: int, draw: Draw
) -> StageData:
    """Select, tokenize and mix what a stage trains on.

    Args:
        corpus: The release to take texts from.
        stage: Its `batch` and `prompts` name the sources.
        tokenizer: Of the model to train.
        max_length: Maximum length of a text in tokens.
        draw: Source of the stage's random choices.

    Raises:
        UsageError: A source has no row left after its filters, or too long a text.
    """
    mixture = make_mixture(corpus, stage.batch, stage.steps, tokenizer, max_length, draw)
    if stage.prompts is None:
        return StageData(mixture, [])
    prompts = choose(corpus, stage.prompts, draw)
    if stage.kind == "grpo":
        prompts = order_prompts(prompts, stage.prompts, stage.steps, draw)
    return StageData(mixture, prompts)
