"""The text of a release as integers: every text has a number, and facts are [relations, people].

The numbers of people come first, in the order of data/people. Texts are read back by the package's
reader, with the relation table of the manifest. A sentence of a context that stands in a biography
is looked up there by its hash, so that a million contexts are read in little time.

Whatever there is for each person is an array or a piece of bytes: forked processes share those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Location
from bioreason_bench.audit.reading.ages import day
from bioreason_bench.language.reader import Reader
from bioreason_bench.texts import NumberedTexts
from bioreason_bench.world.relations import PARAMETRIC, RelationTable

__all__ = [
    "EMPTY",
    "NOT_STATED",
    "UNKNOWN",
    "BiographyIndex",
    "Context",
    "ParsedRelease",
    "Parser",
    "Telling",
    "hash_sentence",
]

NOT_STATED = -1  # nothing is stated
UNKNOWN = -2  # a text that is neither in data/people nor in data/facts
LATEST = 2**31 - 1  # day; no calendar goes as far
REMEMBERED_LINES = 200_000


@dataclass(frozen=True)
class BiographyIndex:
    """Where the first biography of each person is, for one group of relations.

    Attributes:
        files: The files of biographies.
        file: Index into `files`, -1 for people without a biography of the group; shape [people].
        row: Row in that file, shape [people].
    """

    files: tuple[str, ...]
    file: NDArray[np.int32]
    row: NDArray[np.int32]


@dataclass(frozen=True)
class Telling:
    """How contextual biographies state their facts.

    Attributes:
        relations: The contextual relations.
        place: The number of the sentence in its biography, -1 if there is none; shape
            [people, relations].
        words: `hash_sentence` of the sentence, with the person's name, 0 if there is none; shape
            [people, relations].
    """

    relations: tuple[int, ...]
    place: NDArray[np.int16]
    words: NDArray[np.uint64]

    @classmethod
    def empty(cls, table: RelationTable, people: int) -> Telling:
        rows = enumerate(table.relations)
        relations = tuple(number for number, row in rows if row.group != PARAMETRIC)
        size = people, len(relations)
        return cls(relations, np.full(size, -1, np.int16), np.zeros(size, np.uint64))


def hash_sentence(text: str) -> int:
    """A number of 64 bits for a sentence, the same in every process; hard to find for another."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class ParsedRelease:
    """Everything that questions are solved from.

    Attributes:
        table: The relation table of the manifest.
        language: "english" or "symbols".
        texts: Texts by number; the first `people` are names.
        people: The number of people.
        known: What data/people says, shape [people].
        in_context: What data/people says, shape [people].
        heldout_wordings: What data/people says, shape [people].
        facts: Object numbers, NOT_STATED where no biography states the fact; shape
            [relations, people]. They come from the biographies, never from data/facts.
        biographies: Where the facts of each group are stated.
        told: How the contextual biographies state them, None before they are read.
    """

    table: RelationTable
    language: str
    texts: NumberedTexts
    people: int
    known: NDArray[np.bool_]
    in_context: NDArray[np.bool_]
    heldout_wordings: NDArray[np.bool_]
    facts: NDArray[np.int32]
    biographies: Mapping[str, BiographyIndex] = field(default_factory=dict)
    told: Telling | None = None

    def number(self, text: str) -> int:
        """The number of a text, UNKNOWN if it has none."""
        return self.texts.number(text, UNKNOWN)

    @cached_property
    def rows(self) -> list[memoryview]:
        """The facts of each relation, indexed by person.

        Memory views give plain integers at the speed of a list, and forked processes share them.
        """
        return [np.ascontiguousarray(row).data for row in self.facts]

    def __getstate__(self) -> dict[str, object]:
        """Everything but views, which cannot be pickled; other processes can make them again."""
        views = ("rows", "mirrors", "contextual", "births")
        return {name: value for name, value in self.__dict__.items() if name not in views}

    @cached_property
    def parametric(self) -> list[bool]:
        """Whether each relation is parametric."""
        return [relation.group == PARAMETRIC for relation in self.table.relations]

    @cached_property
    def recalled_mask(self) -> int:
        """The parametric relations as a bit mask, as in `Context.stated`."""
        return sum(1 << number for number, recalled in enumerate(self.parametric) if recalled)

    @cached_property
    def inverses(self) -> list[int]:
        """The number of each relation's inverse: its own if symmetric, -1 if there is none."""
        numbers = {relation.name: number for number, relation in enumerate(self.table.relations)}
        return [numbers.get(relation.inverse, -1) for relation in self.table.relations]

    @cached_property
    def mirrors(self) -> list[memoryview | None]:
        """For each contextual relation with a parametric inverse: the object of each person, as
        implied by the facts of the inverse, or NOT_STATED. None for other relations.
        """
        mirrors: list[memoryview | None] = []
        for relation, inverse in enumerate(self.inverses):
            if self.parametric[relation] or inverse < 0 or not self.parametric[inverse]:
                mirrors.append(None)
                continue
            facts = self.facts[inverse]
            subjects = np.flatnonzero((facts >= 0) & (facts < self.people))
            mirror = np.full(self.people, NOT_STATED, np.int32)
            mirror[facts[subjects]] = subjects
            mirrors.append(mirror.data)
        return mirrors

    @cached_property
    def contextual(self) -> Sequence[int]:
        """The contextual relations of each person, as a bit mask."""
        numbers = [number for number, parametric in enumerate(self.parametric) if not parametric]
        masks = np.zeros(self.people, np.int64 if len(self.table) < 63 else object)
        for number in numbers:
            masks[self.facts[number] >= 0] |= 1 << number
        return masks.tolist() if masks.dtype == object else masks.data

    @cached_property
    def to_people(self) -> list[bool]:
        """Whether each relation leads to people."""
        return [relation.to_person for relation in self.table.relations]

    @cached_property
    def _recalled_relations(self) -> list[int]:
        """The parametric relations that lead to people."""
        kinds = enumerate(zip(self.parametric, self.to_people, strict=True))
        return [relation for relation, (parametric, person) in kinds if parametric and person]

    def recalled_links(self, subject: int) -> list[tuple[int, int]]:
        """(relation, person) of each fact about another person in a parametric biography."""
        links = ((number, self.rows[number][subject]) for number in self._recalled_relations)
        return [(number, person) for number, person in links if 0 <= person < self.people]

    @cached_property
    def births(self) -> Sequence[int]:
        """The day of birth of each person, 0 where no parametric biography states it."""
        births = np.zeros(self.people, np.int32)
        for relation, row in enumerate(self.table.relations):
            if row.date == "birth" and self.parametric[relation]:
                people = np.flatnonzero(self.facts[relation] >= 0)
                births[people] = self.days(self.facts[relation, people])
        return births.data

    def days(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """The days of the dates that these texts are, 0 for a text that is none."""
        values, index = np.unique(numbers, return_inverse=True)
        days = [min(day(self.texts[one]) or 0, LATEST) for one in values.tolist()]
        return np.array(days, np.int32)[index]

    def text(self, number: int) -> str:
        """The text with this number, quoted; what a negative number means."""
        if number >= 0:
            return repr(self.texts[int(number)])
        return "nothing" if number == NOT_STATED else "something unknown"

    def locate(self, relation: int, subject: int) -> Location:
        """The first biography that should state the relation of the subject."""
        group = self.table[relation].group
        index = self.biographies.get(group)
        if index is None or index.file[subject] < 0:
            return f"data/biographies/{group}", None
        return index.files[index.file[subject]], int(index.row[subject])


@dataclass(slots=True)
class Context:
    """The context of one question, read back.

    Attributes:
        people: The person whom each line is about.
        stated: The relations that each line states, as a bit mask.
        sizes: The number of sentences of each line.
        facts: Objects by `relation * people + subject`.
        false: (key, object) of the sentences that no biography states.
        problem: Why the context cannot be read, "" if it can.
        retold: Where it differs from the biographies in more than what it leaves out, "" if
            nowhere.
        counted: What `mentions` counts, None before it is first asked.
    """

    people: list[int]
    stated: list[int]
    sizes: list[int]
    facts: dict[int, int]
    false: list[tuple[int, int]]
    problem: str = ""
    retold: str = ""
    counted: Counter[int] | None = None

    def mentions(self, person: int) -> int:
        """How many facts have this person as their object."""
        if self.counted is None:
            self.counted = Counter(self.facts.values())
        return self.counted[person]


EMPTY = Context([], [], [], {}, [])
# (subject, key, object, bit, true, place): key is relation * people + subject, bit 1 << relation,
# and true says whether the biographies state the fact; the object is UNKNOWN if its text has no
# number. The place is that of the sentence in the person's contextual biography, -1 if it has none
# or other words.
Sentence = tuple[int, int, int, int, bool, int]


class Parser:
    """Reads texts back to numbers; every process has its own."""

    def __init__(self, release: ParsedRelease) -> None:
        self.release = release
        self.reader = Reader(release.table, release.language)
        self.numbers = {
            relation.name: number for number, relation in enumerate(release.table.relations)
        }
        self._lines: dict[tuple[int, int], int] = {}  # by person and relations, how they are told
        self._named = "", UNKNOWN  # the last subject, and its number
        told = release.told or Telling.empty(release.table, 0)
        self._column = {relation: column for column, relation in enumerate(told.relations)}
        self._relations = told.relations
        self._places, self._words = told.place.reshape(-1).data, told.words.reshape(-1).data

    def line(self, text: str) -> Iterator[tuple[str, Sentence | None]]:
        """Read a line of a context.

        A sentence that stands in the person's contextual biography, word for word, need not be read
        again.

        Yields:
            The sentences, one a fact, with the name of the person for pronouns; and what they
            state, None for one that cannot be read or whose subject is not in data/people.
        """
        person, name = UNKNOWN, ""
        known: dict[int, int] = {}  # hashes of the person's sentences, and their columns
        for number, part in enumerate(self.reader.parts(text)):
            sentence = self.reader.named(part, name) if known else part
            column = known.get(hash_sentence(sentence)) if known else None
            if column is not None:
                yield sentence, self._told(person, column)
                continue
            sentence, read = self.reader.part(part, name)
            fact = self._fact(sentence, read)
            yield sentence, fact
            if number == 0 and read:
                name = read[0]
                if fact:
                    person = fact[0]
                    begin = person * len(self._relations)
                    words = self._words[begin : begin + len(self._relations)]
                    known = {hash_: column for column, hash_ in enumerate(words)}

    def _told(self, person: int, column: int) -> Sentence:
        """What a sentence of the contextual biography of a person states."""
        relation = self._relations[column]
        key, target = relation * self.release.people + person, self.release.rows[relation][person]
        place = self._places[person * len(self._relations) + column]
        return person, key, target, 1 << relation, True, place

    def _fact(self, text: str, read: tuple[str, str, str] | None) -> Sentence | None:
        """What a sentence states that was read as a fact."""
        fact = self.numbered(read)
        if fact is None or not 0 <= fact[0] < self.release.people:
            return None
        subject, relation, target = fact
        key = relation * self.release.people + subject
        true = self.release.rows[relation][subject] == target
        place = -1
        if relation in self._column:
            cell = subject * len(self._relations) + self._column[relation]
            if cell < len(self._words) and self._words[cell] == hash_sentence(text):
                place = self._places[cell]
        return subject, key, target, 1 << relation, true, place

    def read(self, text: str) -> tuple[int, int, int] | None:
        """Read a sentence.

        Returns:
            (subject, relation, object), UNKNOWN for a text without a number; None if the sentence
            cannot be read.
        """
        return self.numbered(self.reader.sentence(text))

    def numbered(self, fact: tuple[str, str, str] | None) -> tuple[int, int, int] | None:
        """A fact as numbers; None for None, and for a relation that does not exist."""
        if fact is None or fact[1] not in self.numbers:
            return None
        subject, relation, target = fact
        if self._named[0] != subject:
            self._named = subject, self.release.number(subject)
        return self._named[1], self.numbers[relation], self.release.number(target)

    def key(self, subject: str, relation: str) -> int:
        """The key of a fact, relation * people + subject; NOT_STATED without such a person."""
        person, number = self.release.number(subject), self.numbers.get(relation, UNKNOWN)
        if number < 0 or not 0 <= person < self.release.people:
            return NOT_STATED
        return number * self.release.people + person

    def begin_file(self) -> None:
        """Forget earlier lines, so that the processes that share the files do not matter."""
        self._lines.clear()

    def question(self, text: str) -> tuple[int, tuple[int, ...]] | None:
        """Read a question: its start and the relations of its path, None if it cannot be read.

        The start is UNKNOWN if it is no person.
        """
        question = self.reader.question(text)
        if question is None:
            return None
        start, names = question
        if any(name not in self.numbers for name in names):
            return None
        person = self.release.number(start)
        person = person if person < self.release.people else UNKNOWN
        return person, tuple(self.numbers[name] for name in names)

    def context(self, text: str) -> Context:
        """Read a context: its facts, and what each of its lines states."""
        if not text:
            return EMPTY
        context = Context([], [], [], {}, [])
        for line in text.split("\n"):
            stated, person, sentences = 0, UNKNOWN, [*self.line(line)]
            last, as_told = -1, True
            for part, fact in sentences:
                if fact is None or fact[0] != person >= 0:
                    context.problem = context.problem or self._problem(context, part, fact, person)
                    continue
                person, key, target, bit, true, place = fact
                if key in context.facts:
                    context.problem = context.problem or self._problem(context, part, fact, person)
                context.facts[key] = target
                stated |= bit
                if not true:
                    context.false.append((key, target))
                    as_told = False
                elif self.release.parametric[key // self.release.people]:
                    as_told = False
                elif place > last:
                    last = place
                else:
                    context.retold = context.retold or (
                        f"line {len(context.people) + 1}: {part!r} stands elsewhere in the "
                        "person's biography, or has other words there"
                    )
            if person < 0 and not context.problem:
                context.problem = f"line {len(context.people) + 1} states nothing"
            if as_told and not context.problem and not self._as_before(person, stated, line):
                context.retold = context.retold or (
                    f"line {len(context.people) + 1} states the same facts of this person as "
                    "another context, with other pronouns or other joints"
                )
            context.people.append(person)
            context.stated.append(stated)
            context.sizes.append(len(sentences))
        return context

    def _as_before(self, person: int, stated: int, line: str) -> bool:
        """Whether the line is the one that stated these facts before, if there was one."""
        if len(self._lines) >= REMEMBERED_LINES:
            self._lines.clear()
        words = hash_sentence(line)
        return self._lines.setdefault((person, stated), words) == words

    def _problem(self, context: Context, text: str, fact: Sentence | None, person: int) -> str:
        """What is wrong with a sentence of the line that is being read, which is about `person`."""
        line = f"line {len(context.people) + 1}: {text!r}"
        if fact is None and self.read(text) is None:
            return f"{line} states no fact that can be read"
        if fact is None:
            return f"{line} is about someone who is not in data/people"
        if fact[0] != person:
            return f"{line} is about another person than the beginning of the line"
        return f"{line} states a relation a second time"

    def solve(
        self,
        start: int,
        path: Iterable[int],
        context: Context | None,
        *,
        open_book: bool = False,
    ) -> list[int]:
        """Follow a path.

        Args:
            start: A person.
            path: Relations.
            context: Where contextual facts are read; if None, they are taken from the contextual
                biographies.
            open_book: Read parametric facts in the context as well.

        Returns:
            The start and the object of each hop, NOT_STATED from the first missing fact on.
        """
        release = self.release
        walk = [start]
        for relation in path:
            person = walk[-1]
            if not 0 <= person < release.people:
                walk.append(NOT_STATED)
            elif context is None or (release.parametric[relation] and not open_book):
                walk.append(release.rows[relation][person])
            else:
                walk.append(context.facts.get(relation * release.people + person, NOT_STATED))
        return walk

    def solve_from_mirrors(self, start: int, path: Iterable[int]) -> list[int]:
        """Follow a path without a context: contextual facts are mirrors of parametric ones.

        Returns:
            The start and the object of each hop, NOT_STATED from the first missing fact on.
        """
        release = self.release
        walk = [start]
        for relation in path:
            person, mirror = walk[-1], release.mirrors[relation]
            facts = release.rows[relation] if release.parametric[relation] else mirror
            if facts is None or not 0 <= person < release.people:
                walk.append(NOT_STATED)
            else:
                walk.append(facts[person])
        return walk
