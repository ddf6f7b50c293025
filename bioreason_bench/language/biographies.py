"""Biographies: each of a person's facts of one group once, in random order and wording.

Order and wordings are drawn by (group, person, paraphrase) alone, so each biography can be written
without the others.

The first sentence names the person.  Later ones may say "they" instead, or be joined to the
sentence before, so that nobody and nothing else can be meant: only after a sentence that leads to
a value, and not after one such as "Graduates of Arden College included Ann Lee."  For example:

    Ann Lee was born on March 3, 1931. Their pet was a cat, and they died in Lima.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw, pack
from bioreason_bench.language import language_of
from bioreason_bench.language.text_arrays import join_runs
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

if TYPE_CHECKING:
    import pyarrow as pa

    from bioreason_bench.world.facts import World

# Shares of the sentences that may have a pronoun or be joined.  Of all sentences after the first,
# a seventh (contextual) to a quarter have a pronoun, and a tenth are joined to the one before.
PRONOUNS, JOINED = 0.54, 0.36
PLAIN, PRONOUN, AND = 0, 2, 4  # forms of a sentence; the one after the first two has a comma
LONGEST = 2**31 - 1  # behind the end of every sentence
GROUPS = {"company", "organization", "service", "university"}  # kinds that "they" could mean too


@dataclass(frozen=True)
class Sentences:
    """The sentences of some biographies, one biography per row.

    Attributes:
        order: The relations in the order of the biography [rows, relations of the group]; -1, at
            the end of a row, where nothing is stated.
        text: The sentences, each with the person's name [rows, relations of the group]; "" where
            nothing is stated.
        with_pronoun: The same sentences with a pronoun; "" for those that always have the name.
        joined: Whether the sentence is joined to the one before; it then begins with a pronoun.
        column: For each relation of the table, its column of `text`.
        clear: Whether "they" in the next sentence can mean the person only.
    """

    order: NDArray[np.int16]
    text: NDArray[np.object_]
    with_pronoun: NDArray[np.object_]
    joined: NDArray[np.bool_]
    column: NDArray[np.int64]
    clear: NDArray[np.bool_]

    @cached_property
    def _refers(self) -> NDArray[np.bool_]:
        """[rows, relations of the group] whether there is a form with a pronoun."""
        refers: NDArray[np.bool_] = self.with_pronoun != ""
        return refers

    @cached_property
    def _forms(self) -> pa.Array:
        """Every sentence in five forms, one block of [rows * relations] after the other.

        The sentence; the same with a comma at its end; with a pronoun; that with a comma; and
        joined to the sentence before: "and they died in Lima."
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        text, pronoun = (
            pa.array(part.reshape(-1), pa.large_string()) for part in (self.text, self.with_pronoun)
        )
        first, rest = pc.utf8_slice_codeunits(pronoun, 0, 1), pc.utf8_slice_codeunits(pronoun, 1)
        empty = pa.scalar("", pa.large_string())
        start = pa.scalar("and ", pa.large_string())
        joined = pc.binary_join_element_wise(start, pc.utf8_lower(first), rest, empty)
        forms = [text, _with_commas(text), pronoun, _with_commas(pronoun), joined]
        return pa.concat_arrays(forms)

    def of(self, rows: NDArray, relations: NDArray | int) -> list[str]:
        """Return each row's sentence about its relation, with the name of the person.

        Args:
            rows: Row numbers.
            relations: A relation per row, or one for all rows.
        """
        return self.text[rows, self.column[relations]].tolist()

    def join(self) -> list[str]:
        """Return the biography of each row."""
        rows, columns = np.nonzero(self.order >= 0)
        texts = self.paragraphs(rows, self.order[rows, columns], len(self.order))
        return cast("list[str]", texts.to_pylist())

    def paragraphs(
        self,
        rows: NDArray,
        relations: NDArray,
        count: int,
        number: NDArray | None = None,
        instead: Mapping[int, str] | None = None,
    ) -> pa.Array:
        """Join sentences into `count` texts; the first sentence of each has the name.

        With rows [5, 5, 8], count 3 and number [0, 0, 2], text 0 has two sentences of row 5, text 1
        is empty, and text 2 has one sentence of row 8.

        Args:
            rows: The row of each sentence.
            relations: The relation of each sentence.
            count: The number of texts.
            number: The text that each sentence belongs to, ascending; `rows` by default.
            instead: Sentences to write in place of given ones, by their index in `rows`.  They are
                written as they are and not joined to others, and the next one has the name.
        """
        import pyarrow as pa

        number = rows if number is None else number
        columns = self.column[relations]
        may_refer = self._refers[rows, columns]
        may_refer[:1] = False
        may_refer[1:] &= (number[1:] == number[:-1]) & self.clear[rows, columns][:-1]
        for index in instead or {}:
            may_refer[index : index + 2] = False
        joined = may_refer & self.joined[rows, columns]
        joined[1:] &= ~joined[:-1]  # never three in one
        form = np.where(may_refer, PRONOUN, PLAIN)
        form[np.flatnonzero(joined) - 1] += 1  # its comma
        form[joined] = AND
        sentences = self._forms.take(
            pa.array(form * self.text.size + rows * self.text.shape[1] + columns)
        )
        if instead:
            chosen = sentences.to_pylist()
            for index, sentence in instead.items():
                chosen[index] = sentence
            sentences = pa.array(chosen, pa.large_string())
        return join_runs(sentences, np.searchsorted(number, np.arange(count + 1)), " ")


def _with_commas(sentences: pa.Array) -> pa.Array:
    """Replace the full stop of each sentence, within its quotation marks if it is there."""
    import pyarrow.compute as pc

    quoted = pc.ends_with(sentences, '."')
    inside = pc.utf8_replace_slice(sentences, -2, LONGEST, ',"')
    return pc.if_else(quoted, inside, pc.utf8_replace_slice(sentences, -1, LONGEST, ","))


def sentences(
    world: World,
    group: str,
    people: NDArray,
    paraphrase: NDArray | int = 0,
    only: NDArray | None = None,
) -> Sentences:
    """Write the sentences of biographies.

    Paraphrases of a person state a fact in different words, as far as the relation has wordings.

    Args:
        world: The world.
        group: The group of relations to state.
        people: Person ids, one per biography.
        paraphrase: The number of the paraphrase, for all people or per person.
        only: [people, relations] which of the stated relations to write, by the numbers of the
            world's relations; all of them if None.
    """
    language, draw = language_of(world), Draw(world.config.seed).at("biographies", group)
    people = np.asarray(people, np.int64)
    paraphrase = np.broadcast_to(np.asarray(paraphrase, np.int64), people.shape)
    relations = [number for number, row in enumerate(world.table.relations) if row.group == group]
    stated = np.empty((len(people), len(relations)), bool)
    text, with_pronoun = np.full(stated.shape, "", object), np.full(stated.shape, "", object)
    joined, clear = np.zeros(stated.shape, bool), np.zeros(stated.shape, bool)
    slots = _slots(people, paraphrase, len(relations))
    wishes_pronoun = draw.at("pronoun").uniform(slots) < PRONOUNS
    wishes_joined = draw.at("joined").uniform(slots) < JOINED
    for column, relation in enumerate(relations):
        stated[:, column] = world.stated(relation)[people] if only is None else only[:, relation]
        rows = np.flatnonzero(stated[:, column])
        chosen = variants(world, group, relation, people[rows], paraphrase[rows])
        text[rows, column] = language.statements(relation, people[rows], None, chosen)
        clear[rows, column] = _clear(world, relation, people[rows], text[rows, column])
        wishes = (wishes_pronoun | wishes_joined)[rows, column]
        rows, chosen = rows[wishes], chosen[wishes]
        forms = language.with_pronouns(relation, people[rows], None, chosen)
        initial = np.array([form.startswith(("They ", "Their ")) for form in forms], bool)
        joined[rows, column] = wishes_joined[rows, column] & initial
        with_pronoun[rows, column] = np.where(
            wishes_pronoun[rows, column] | initial, np.array(forms, object), ""
        )
    columns = np.zeros(len(world.table), np.int64)
    columns[relations] = np.arange(len(relations))
    order = _order(stated, np.array(relations, np.int16), slots, draw.at("order"))
    return Sentences(order, text, with_pronoun, joined, columns, clear)


def _clear(world: World, relation: int, people: NDArray, text: NDArray) -> NDArray[np.bool_]:
    """Whether "they" in the next sentence can mean the person only, for each sentence."""
    if world.table[relation].to_person or world.table[relation].object in GROUPS:
        return np.zeros(len(people), bool)
    names = world.texts["person"]
    return np.array(
        [
            not sentence.endswith(f"{names[person]}.")
            for person, sentence in zip(people.tolist(), text.tolist(), strict=True)
        ],
        bool,
    )


def variants(
    world: World, group: str, relation: int, people: NDArray, paraphrase: NDArray | int = 0
) -> NDArray[np.int64]:
    """Return the number of the wording that each person's biography uses for a relation.

    People with held-out wordings never use the first wording, which is the one of chains, nor
    another one that is drawn for each person and relation.  With 5 wordings of which 2 is drawn,
    the wordings left are

        number among those left    0  1  2
        wording                    1  3  4

    Args:
        world: The world.
        group: The group of the relation.
        relation: The relation's number.
        people: Person ids.
        paraphrase: The number of the paraphrase, for all people or per person.
    """
    people = np.asarray(people, np.int64)
    draw = Draw(world.config.seed).at("biographies", group)
    name, count = world.table[relation].name, language_of(world).variants(relation)
    held_out = _with_heldout_wordings(world, people) & (count > 1)
    left = np.where(held_out, max(count - 2, 1), count)
    chosen = (draw.at("wording", name).integers(people, left) + paraphrase) % left
    skipped = 1 + draw.at("held-out wording", name).integers(people, max(count - 1, 1))
    chosen_left = 1 + chosen + ((chosen + 1 >= skipped) & (count > 2))
    return np.where(held_out, chosen_left, chosen)


def _with_heldout_wordings(world: World, people: NDArray) -> NDArray[np.bool_]:
    held_out = getattr(world.people, "heldout_wordings", None)
    return np.zeros(len(people), bool) if held_out is None else held_out[people]


def _slots(people: NDArray, paraphrase: NDArray, relations: int) -> NDArray[np.uint64]:
    """Number the slots of biographies, for draws [people, relations]."""
    return pack((paraphrase[:, None], 20), (people[:, None], 36), (np.arange(relations), 8))


def _order(stated: NDArray, relations: NDArray, slots: NDArray, draw: Draw) -> NDArray[np.int16]:
    """Draw the order of each biography: the stated relations, then -1 [rows, relations]."""
    rank = np.where(stated, draw.uniform(slots), 2.0)  # what is not stated comes last
    order = np.argsort(rank, axis=1, kind="stable")
    return np.where(np.take_along_axis(stated, order, axis=1), relations[order], np.int16(-1))


def texts(world: World, group: str, people: NDArray, paraphrase: NDArray | int = 0) -> list[str]:
    """Write biographies as texts, the sentences joined by blanks; see `sentences`."""
    return sentences(world, group, people, paraphrase).join()


def contextual_sentences(world: World) -> Sentences:
    """Write everybody's contextual biography, by person id; empty for people without one."""
    return sentences(world, CONTEXTUAL, np.arange(len(world.texts["person"])))


def parametric_sentences(world: World) -> Sentences:
    """Write everybody's parametric biography in its first paraphrase, by person id."""
    return sentences(world, PARAMETRIC, np.arange(len(world.texts["person"])))
