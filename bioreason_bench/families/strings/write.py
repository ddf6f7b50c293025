"""Questions and traces as text.

zalob vadek xogub : b a d e          a routing, its skills, and the string x
vadek : b a d e                      a single skill
y1 = vadek x = e d a b . y2 = join y1 x = e d a b b a d e . So, the answer is: ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.errors import UsageError, quoted
from bioreason_bench.families.parts import Part, PartDataset
from bioreason_bench.families.strings.routings import ROUTINGS, WORDS, plan
from bioreason_bench.families.strings.settings import LEVELS, StringSettings
from bioreason_bench.families.strings.skills import ALPHABET, KEEP, LONGEST, VOWELS
from bioreason_bench.families.strings.world import RULE, SUPPORTS, Programs, StringWorld, scores
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.questions.sets import Columns

__all__ = ["SCHEMA", "make_dataset"]

SCHEMA = "strings"
ATOMS, RL_ATOMS = "strings_atoms", "strings_rl_atoms"
OWN = "known_from_atoms"  # the column that only this family has
PORTIONS = 10
MEASURED = 2_000  # rows by whose lengths the number of isolated atoms is set
YES_OR_NO = "vowel"  # the word whose result is no string
DrawPrograms = Callable[[NDArray[np.int64]], Programs]


@dataclass(frozen=True)
class Kind:
    """One set of questions.

    Attributes:
        folder: The folder below data/.
        split: The split.
        level: The column `level`.
        rows: The number of questions.
        programs: Row numbers → programs.
        offset: The number of the first question among all of the release.
        portions: Whether the questions are in portions.
        opened: Whether the context holds definitions.
    """

    folder: str
    split: str
    level: str
    rows: int
    programs: DrawPrograms
    offset: int
    portions: bool = False
    opened: bool = False

    @property
    def end(self) -> int:
        return self.offset + self.rows


def make_dataset(settings: StringSettings) -> PartDataset:
    """Every file of a release of string programs."""
    world = StringWorld(settings)
    writer = Writer(world)
    train = Kind("strings", "train", "train", settings.train, world.train, 0, portions=True)
    kinds = [train]
    for level in LEVELS:
        for split, rows in (
            ("validation", -(-settings.test(level) // 10)),
            ("test", settings.test(level)),
        ):
            programs = partial(getattr(world, level), split)
            kinds.append(Kind(f"strings/{level}", split, level, rows, programs, kinds[-1].end))
    drawn = (world.iid, world.overlapping, world.disjoint)
    for support, draw in zip(SUPPORTS, drawn, strict=True):
        folder = f"strings_rl_{support}"
        programs = partial(draw, folder)
        kinds.append(Kind(folder, "train", "train", settings.rl, programs, kinds[-1].end))
    for folder, like in ((ATOMS, train), (RL_ATOMS, kinds[-1])):
        programs = partial(world.atoms, folder)
        kind = Kind(folder, "train", "train", MEASURED, programs, kinds[-1].end, like is train)
        kinds.append(replace(kind, rows=writer.as_long_as(like, kind)))
    _check_room(world, kinds[-1].end)
    if settings.definitions == "read":
        kinds = [replace(kind, opened=True) for kind in kinds]
    elif settings.open_book:
        kinds += [
            replace(kind, folder=f"{kind.folder}_openbook", opened=True)
            for kind in kinds
            if "/" in kind.folder
        ]
    parts = [
        Part(kind.folder, kind.split, SCHEMA, kind.rows, partial(writer.write, kind))
        for kind in kinds
    ]
    return PartDataset(parts, {"definitions": world.definitions()})


def _check_room(world: StringWorld, questions: int) -> None:
    """Raise UsageError if there are fewer strings than questions, or pairs that training lacks."""
    settings = world.settings
    room = len(ALPHABET) ** settings.letters[0]
    if questions > room:
        raise UsageError(
            f"preset {quoted(settings.preset)}: letters begins at {settings.letters[0]}, which "
            f"makes {room:,} strings, too few for {questions:,} questions; begin with more letters"
        )
    missing = int((world.allowed & ~world.seen).sum())
    if missing and settings.depth:
        raise UsageError(
            f"preset {quoted(settings.preset)}: train is {settings.train:,}, and {missing} pairs "
            "of a skill and a routing that depth needs are in none of these programs; raise train"
        )


class Writer:
    """Writes the rows of one world."""

    def __init__(self, world: StringWorld) -> None:
        self.world = world
        self.functions = [*(skill.function for skill in world.skills), lambda s: s]
        self.names = [*world.skill_names, KEEP]
        self.primitives = [*world.skill_names, *world.routing_names]
        words = [skill.words for skill in world.skills] + [item.words for item in ROUTINGS]
        pairs = zip(self.primitives, words, strict=True)
        self.lines = [f"{name} : {meaning}." for name, meaning in pairs]

    def as_long_as(self, kind: Kind, atoms: Kind) -> int:
        """How many isolated atoms have as many tokens as the questions of a set."""
        tokens = []
        for sample in (kind, atoms):
            rows = min(MEASURED, sample.rows)
            if not rows:
                return 0
            columns = self.write(replace(sample, opened=False), 0, rows)
            texts = zip(columns["question"], columns["chain"], strict=True)
            tokens.append(sum(len(f"{a} {b}".split()) for a, b in texts) / rows)
        return round(kind.rows * tokens[0] / tokens[1])

    def write(self, kind: Kind, first: int, last: int) -> Columns:
        """The columns of the rows first to last - 1 of a set."""
        rows = np.arange(first, last)
        programs = kind.programs(rows)
        questions, chains, entities = self._texts(programs, kind.offset + rows)
        size, start = len(rows), f"{kind.folder.replace('/', '-')}-{kind.split}-"
        skills = programs.skills.tolist()
        routings = ["single", *self.world.routing_names]
        certificate = self._certificate(programs)
        portion = rows * PORTIONS // max(kind.rows, 1) + 1 if kind.portions else 0 * rows
        return {
            "id": [f"{start}{row:06d}" for row in range(first, last)],
            "skill": [kind.folder.partition("/")[0]] * size,
            "level": [kind.level] * size,
            "path": [[self.names[s] for s in row if s >= 0] for row in skills],
            "pattern": [routings[r + 1] for r in programs.routing.tolist()],
            "hops": programs.hops.tolist(),
            "entities": entities,
            "question": questions,
            "context": self._contexts(kind, programs, rows) if kind.opened else [""] * size,
            "chain": chains,
            "answer": [texts[-1] for texts in entities],
            "answer_kind": ["string"] * size,
            **{name: values for name, values in certificate.items() if name != OWN},
            "portion": portion.tolist(),
            OWN: certificate[OWN],
        }

    def _texts(
        self, programs: Programs, numbers: NDArray[np.int64]
    ) -> tuple[list[str], list[str], list[list[str]]]:
        """Questions, traces, and the strings on the way."""
        functions, names = self.functions, self.names
        routing_names = [f"{name} " for name in self.world.routing_names] + [""]
        questions, chains, entities = [], [], []
        rows = zip(
            programs.routing.tolist(),
            programs.skills.tolist(),
            programs.hops.tolist(),
            self.world.strings(numbers),
            strict=True,
        )
        for routing, skills, hops, x in rows:
            values, texts, sentences = [x], [" ".join(x)], []
            for step in plan(routing, hops, x[0] in VOWELS):
                if step.skill >= 0:
                    number = skills[step.skill]
                    word = names[number]
                    value = functions[number](values[step.inputs[0]])[:LONGEST]
                else:
                    word = step.word
                    value = WORDS[word](*[values[k] for k in step.inputs])
                text = value if word == YES_OR_NO else " ".join(value)
                sentences.append(f"y{len(values)} = {word} {step.text} = {text} . ")
                values.append(value)
                texts.append(text)
            applied = " ".join([names[number] for number in skills[:hops]])
            questions.append(f"{routing_names[routing]}{applied} : {texts[0]}")
            chains.append(f"{''.join(sentences)}{ANSWER}{texts[-1]}")
            entities.append(texts)
        return questions, chains, entities

    def _certificate(self, programs: Programs) -> Columns:
        """What training has not shown of each program."""
        world = self.world
        primitives = self._primitives(programs)
        unseen = primitives & ~np.concatenate([world.seen.any(axis=1), world.seen.any(axis=0)])
        unknown = np.concatenate([world.unknown_skills, world.unknown_routings])
        pairs = np.zeros(len(primitives), np.int64)
        for place in range(programs.skills.shape[1]):
            skill = programs.skills[:, place]
            there = (skill >= 0) & (skill < len(world.skills)) & (programs.routing >= 0)
            pairs[there] += ~world.seen[skill[there], programs.routing[there]]
        names = [[self.primitives[k] for k in np.flatnonzero(row)] for row in unseen]
        beyond = programs.hops - int(world.training.hops.max())
        return {
            "path_in_train": np.isin(programs.keys(), world.training_keys).tolist(),
            "unseen_primitives": names,
            "pairs_unseen": pairs.tolist(),
            "hops_beyond_train": np.maximum(beyond, 0).tolist(),
            OWN: (~(unseen & unknown).any(axis=1)).tolist(),
        }

    def _primitives(self, programs: Programs) -> NDArray[np.bool_]:
        """[rows, skills + routings] which skills and which routing each program has."""
        number = len(self.world.skills)
        there = np.zeros((len(programs.hops), number + 1 + len(ROUTINGS)), bool)
        rows = np.arange(len(there))
        for column in programs.skills.T:  # no skill, and keep, are in a column that is left out
            there[rows, np.where(column < 0, number, column)] = True
        there = np.delete(there, number, axis=1)
        routed = programs.routing >= 0
        there[rows[routed], number + programs.routing[routed]] = True
        return there

    def _contexts(self, kind: Kind, programs: Programs, rows: NDArray[np.int64]) -> list[str]:
        """The rule, then the definitions that a question needs, and others, in random order."""
        needed = self._primitives(programs)
        draw = self.world.draw.at("contexts", kind.folder, kind.split)
        drawn = scores(draw.at("others"), rows, needed.shape[1])
        drawn[needed] = -1.0
        order = scores(draw.at("order"), rows, needed.shape[1])
        count = needed.sum(axis=1) + self.world.settings.distractors
        ranks = np.argsort(drawn, axis=1, kind="stable")
        contexts = []
        for row, number in enumerate(count.tolist()):
            chosen = ranks[row, :number]
            chosen = chosen[np.argsort(order[row, chosen], kind="stable")]
            contexts.append("\n".join([RULE, *[self.lines[k] for k in chosen.tolist()]]))
        return contexts
