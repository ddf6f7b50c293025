"""The laws of a release of SCAN commands, checked on its text alone.

Commands are read by `interpreter.py`, which shares no code with the generator; what training shows
is collected from the training questions as they are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from bioreason_bench.audit.ledger import Ledger, RowViolations
from bioreason_bench.audit.report import Scores
from bioreason_bench.audit.run import AuditRun
from bioreason_bench.families.checks import (
    COMMON_LAWS,
    OPEN,
    Seen,
    check_ids,
    check_settings,
    read_questions,
    repeated,
    score,
)
from bioreason_bench.families.scan.audit.interpreter import NotACommand, Reading, interpret, read
from bioreason_bench.families.scan.audit.solvers import BLIND, SHORTCUTS, solve

__all__ = ["LAWS", "Columns", "SeenRelease", "check_scan", "check_splits"]

LAWS = {
    **{law: text for law, text in COMMON_LAWS.items() if law != "once"},
    "commands": "every question is a command of SCAN's grammar in the words of the manifest",
    "actions": "an interpreter that shares no code with the generator finds the answer",
    "steps": "every step of a trace gives a part of the command the actions that it has, no part "
    "twice; the last step is the whole command, and no other is a single primitive",
    "read out": "path, pattern, hops, entities and length are those of the text",
    "context": "a context has all definitions, in open books and where they are read, and is else "
    "empty",
    "certificates": "path_in_train, unseen_primitives, pairs_unseen, hops_beyond_train and "
    "length_beyond_train are those of the training questions of the folder",
    "tested once": "no command is twice in the tests of a training set, and none is trained; "
    "training repeats the new primitive alone, one for every nine other questions",
    "open books": "an open book has the commands of its level",
    "levels": "iid: nothing unseen; composition: a pair unseen or a split of its own, no primitive "
    "unseen; zeroshot: a primitive unseen that training has alone; depth: longer than all training",
    "splits": "a published split has the commands that its rule selects, in the published numbers",
    "divergences": "a split of maximum compound divergence has 8,365 and 1,045 commands, and the "
    "divergence of atoms that the manifest states, of at most 0.021",
    "support": "commands for reinforcement learning are trained or not, as their folder says",
    "portions": "the portions of training are ten of one size",
    "shortcuts": "no blind shortcut answers more than a tenth of the questions of a config",
}
SIZES = {  # of the published files: training, test
    "simple": (16_728, 4_182),
    "length": (16_990, 3_920),
    "addprim_jump": (14_670, 7_706),
    "addprim_turn_left": (21_890, 1_208),
    "around_right": (15_225, 4_476),
    "opposite_right": (15_225, 4_476),
    "primitive_right": (15_225, 4_476),
    "jump_around_right": (18_528, 1_173),
}
MCD_SIZE = (8_365, 1_045)
MOST_ATOM_DIVERGENCE = 0.021
MOST_SHORTCUT = 0.1
SCORED = 1_000  # questions of a config that the solvers answer
VERBS = ("walk", "look", "run", "jump")


@dataclass(frozen=True)
class Columns:
    """What one file holds, in published words; None for what is no command."""

    texts: list[str | None]
    answers: list[str]
    certificates: list[tuple[Any, ...]]
    portions: list[int]


def check_scan(run: AuditRun) -> Scores:
    """Check the laws; return the scores of the solvers by config."""
    settings = check_settings(run)
    files = list(run.manifest["files"])
    definitions = run.manifest["definitions"]
    words = {new: old for old, new in definitions["words"].items()}
    actions = {new: old for old, new in definitions["actions"].items()}
    always_read = run.manifest["config"].get("definitions") == "read"
    check = partial(_check_file, words, actions, always_read)
    seen = read_questions(run, "questions", files, run.ledger.laws, check)
    check_ids(run.ledger, seen)
    release = SeenRelease(seen)
    for skill in release.trained:
        _check_skill(run.ledger, release, skill)
    _check_support(run.ledger, release)
    if settings is not None:
        check_splits(run, release)
    return _scores(run.ledger, release)


# one file -----------------------------------------------------------------------------------------


def _check_file(
    words: Mapping[str, str],
    actions: Mapping[str, str],
    always_read: bool,
    file: str,
    rows: Sequence[Mapping[str, Any]],
    ledger: Ledger,
) -> Columns:
    found = RowViolations()
    opened = always_read or file.rpartition("/")[0].endswith(OPEN)
    meaning = _Meaning(words, actions)
    texts = []
    for index, row in enumerate(rows):
        texts.append(meaning.published(row["question"]))
        found.check("commands", index, texts[-1], lambda: "a command")
        if texts[-1] is not None:
            _check_row(found, index, row, meaning)
        wanted = set(meaning.definitions) if opened else set()
        given = set(row["context"].split("\n")) if row["context"] else set()
        found.check("context", index, given == wanted, lambda: "all definitions, or none")
    found.enter(ledger, file)
    return Columns(
        texts,
        [meaning.acted(row["answer"]) for row in rows],
        [_stated(row) for row in rows],
        [row["portion"] for row in rows],
    )


class _Meaning:
    """The words of a release, and what they stand for."""

    def __init__(self, words: Mapping[str, str], actions: Mapping[str, str]) -> None:
        self.words, self.actions = words, actions
        self._renamed = {old: new for new, old in actions.items()}
        self._known: dict[str, tuple[str | None, str]] = {}

    def published(self, text: str) -> str | None:
        """A command in published words, None if it is none."""
        return self._both(text)[0]

    def answer(self, text: str) -> str:
        """The actions of a command, as the release calls them."""
        return self._both(text)[1]

    def _both(self, text: str) -> tuple[str | None, str]:
        if text not in self._known:
            try:
                done = interpret(text.split(" "), self.words)
            except NotACommand:
                self._known[text] = (None, "")
            else:
                plain = " ".join(self.words.get(word, word) for word in text.split(" "))
                self._known[text] = (plain, " ".join(self._renamed[one] for one in done))
        return self._known[text]

    def acted(self, text: str) -> str:
        """Actions under their published names."""
        return " ".join(self.actions.get(action, action) for action in text.split(" "))

    @cached_property
    def definitions(self) -> list[str]:
        """The lines of a context: every word, worked out by the interpreter on examples."""
        new = {old: word for word, old in self.words.items()}
        do = self._renamed
        left, right = do["I_TURN_LEFT"], do["I_TURN_RIGHT"]
        lines = [f"{new[verb]} = {do[f'I_{verb.upper()}']}" for verb in VERBS]
        lines.append(f"{new['turn']} = nothing")
        for side, turn in (("left", left), ("right", right)):
            lines += [
                f"X {new[side]} = {turn} X",
                f"X {new['opposite']} {new[side]} = {turn} {turn} X",
                f"X {new['around']} {new[side]} = " + " ".join([f"{turn} X"] * 4),
            ]
        lines += [f"X {new['twice']} = X X", f"X {new['thrice']} = X X X"]
        return [*lines, f"X {new['and']} Y = X Y", f"X {new['after']} Y = Y X"]


def _check_row(found: RowViolations, index: int, row: Mapping[str, Any], meaning: _Meaning) -> None:
    question, answer = row["question"], row["answer"]
    right = meaning.answer(question)
    found.check("actions", index, answer == right, lambda: f"{right}, not {answer}")
    steps = [step.split(" = ") for step in row["chain"].split(" . ")[:-1]]
    found.check("steps", index, _right_steps(steps, question, meaning), lambda: "steps that hold")
    reading = read((meaning.published(question) or "").split())
    columns = (
        [" ".join(meaning.words[word] for word in name.split(" ")) for name in row["path"]],
        row["pattern"],
        row["hops"],
        row["entities"],
        row["length"],
    )
    wanted = (
        list(reading.primitives),
        reading.joint,
        len(reading.primitives),
        [question, *(step[-1] for step in steps)],
        len(answer.split(" ")),
    )
    found.check("read out", index, columns == wanted, lambda: f"{wanted}, not {columns}")


def _right_steps(steps: Sequence[Sequence[str]], question: str, meaning: _Meaning) -> bool:
    if not steps or any(len(step) != 2 for step in steps) or steps[-1][0] != question:
        return False
    parts = [part for part, _ in steps]
    holds = all(
        f" {part} " in f" {question} " and result and result == meaning.answer(part)
        for part, result in steps
    )
    inner = [read((meaning.published(part) or "").split()) for part in parts[:-1]] if holds else []
    return (
        holds
        and len(set(parts)) == len(parts)
        and all(len(reading.primitives) > 1 for reading in inner)
        and set(parts) == _parts_of(question, meaning)
    )


def _parts_of(question: str, meaning: _Meaning) -> set[str]:
    """The parts of a command that are commands of several primitives, and the whole.

    A part begins with the first word of a phrase, and ends at a direction, a number or the end.
    """
    words = question.split(" ")
    plain = [meaning.words[word] for word in words]
    begins = [0, *(i + 1 for i, word in enumerate(plain) if word in ("and", "after"))]
    parts = {question}
    for number, begin in enumerate(begins):
        end = begins[number + 1] - 1 if number + 1 < len(begins) else len(words)
        for stop in range(begin + 1, end + 1):
            if plain[stop - 1] in ("left", "right", "twice", "thrice"):
                parts.add(" ".join(words[begin:stop]))
    single = {"turn left", "turn right"}
    return {part for part in parts if part == question or meaning.published(part) not in single}


def _stated(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        row["path_in_train"],
        len(row["unseen_primitives"]),
        row["pairs_unseen"],
        row["hops_beyond_train"],
        row["length_beyond_train"],
    )


# all files ----------------------------------------------------------------------------------------


class SeenRelease:
    """The commands of all files, by folder and split."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        self.files = seen
        self.trained = list(dict.fromkeys(one.folder for one in seen if one.split == "train"))
        self.trained = [name for name in self.trained if not name.startswith("scan_rl_")]

    def files_of(self, skill: str) -> Iterator[Seen]:
        """The tests of a training set."""
        return (one for one in self.files if one.folder.startswith(f"{skill}/"))

    def train(self, folder: str) -> list[str]:
        files = (one for one in self.files if one.folder == folder)
        return [text for one in files for text in one.found.texts if text]


@dataclass(frozen=True)
class _Shown:
    """What training commands show, read from their text."""

    commands: Counter[str]
    primitives: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    hops: int
    length: int


def _shown(train: Mapping[str, str], commands: Counter[str]) -> _Shown:
    readings = [read(text.split()) for text in train]
    compound = [reading for reading in readings if len(reading.primitives) > 1]
    return _Shown(
        commands,
        frozenset(name for reading in compound for name in reading.primitives),
        frozenset(pair for reading in compound for pair in reading.pairs),
        max((len(reading.primitives) for reading in compound), default=1),
        max((len(answer.split(" ")) for answer in train.values()), default=0),
    )


def _certificate(text: str, answer: str, reading: Reading, shown: _Shown) -> tuple[Any, ...]:
    return (
        text in shown.commands,
        len({*reading.primitives} - shown.primitives),
        len(reading.pairs - shown.pairs),
        max(len(reading.primitives) - shown.hops, 0),
        max(len(answer.split(" ")) - shown.length, 0),
    )


def _check_skill(ledger: Ledger, release: SeenRelease, skill: str) -> None:
    """The laws of one training set and its tests."""
    trained = [one for one in release.files if one.folder == skill]
    train = {
        text: answer
        for one in trained
        for text, answer in zip(one.found.texts, one.found.answers, strict=True)
        if text
    }
    counts = Counter(release.train(skill))
    shown = _shown(train, counts)
    portions = Counter(portion for one in trained for portion in one.found.portions)
    sizes = {portions[number] for number in range(1, 11)}
    even = max(sizes) - min(sizes) <= 1 and set(portions) <= set(range(1, 11))
    problem = None if even else f"ten portions of one size, not {dict(portions)}"
    ledger.check_whole("portions", trained[0].task.file, problem)
    again = {text: count for text, count in counts.items() if count > 1}
    others = sum(counts.values()) - sum(again.values())
    right = not again or (len(again) == 1 and max(again.values()) - 1 <= others // 9)
    right = right and all(len(read(text.split()).primitives) == 1 for text in again)
    problem = None if right else f"training repeats {sorted(again)[:3]}"
    ledger.check_whole("tested once", trained[0].task.file, problem)
    for one in (*trained, *release.files_of(skill)):
        _check_certificates(ledger, one, shown)
    tested: set[str] = set()
    closed: dict[tuple[str, str], list[str | None]] = {}
    for one in release.files_of(skill):
        if one.folder.endswith(OPEN):
            continue
        texts = one.found.texts
        bad = [i for i, text in enumerate(texts) if text in tested or text in counts]
        bad = sorted({*bad, *repeated(texts)})
        ledger.check("tested once", one.task.file, len(texts), bad, "a command of its own")
        tested.update(text for text in texts if text)
        closed.setdefault((one.folder, one.split), []).extend(texts)
    for one in release.files_of(skill):
        if one.folder.endswith(OPEN):
            wanted = {*closed.get((one.folder.removesuffix(OPEN), one.split), [])}
            bad = [i for i, text in enumerate(one.found.texts) if text not in wanted]
            ledger.check("open books", one.task.file, len(one.found.texts), bad, "as its level")


def _check_certificates(ledger: Ledger, one: Seen, shown: _Shown) -> None:
    found = one.found
    level = one.folder.partition("/")[2].removesuffix(OPEN)
    wrong, misplaced = [], []
    published = one.folder.partition("/")[0] != "scan"
    for index, (text, answer) in enumerate(zip(found.texts, found.answers, strict=True)):
        if text is None:
            continue
        reading = read(text.split())
        right = _certificate(text, answer, reading, shown)
        if found.certificates[index] != right:
            wrong.append(index)
        if level and not LEVELS[level](right, reading, shown, published):
            misplaced.append(index)
    file, rows = one.task.file, len(found.texts)
    ledger.check("certificates", file, rows, wrong, "the certificate that training gives")
    if level:
        ledger.check("levels", file, rows, misplaced, f"a question of level {level}")


LEVELS: Mapping[str, Callable[[tuple[Any, ...], Reading, _Shown, bool], bool]] = {
    "iid": lambda right, _, __, ___: right == (False, 0, 0, 0, 0),
    "composition": lambda right, _, __, published: (
        right[:2] == (False, 0) and (published or (right[2] > 0 and right[3:] == (0, 0)))
    ),
    "zeroshot": lambda right, reading, shown, _: (
        right[1] > 0
        and all(name in shown.commands for name in {*reading.primitives} - shown.primitives)
    ),
    "depth": lambda right, _, __, ___: right[1:3] == (0, 0) and right[4] > 0,
}


def _check_support(ledger: Ledger, release: SeenRelease) -> None:
    trained = {*release.train("scan")}
    for one in release.files:
        support = one.folder.removeprefix("scan_rl_")
        if support == one.folder:
            continue
        texts = [text for text in one.found.texts if text]
        known = sum(text in trained for text in texts)
        wanted = {"disjoint": 0, "overlapping": len(texts) // 2}.get(support, len(texts))
        problem = None if known == wanted else f"{known} of {len(texts)} are trained, not {wanted}"
        if len(set(texts)) < len(texts):
            problem = "a command stands there twice"
        if support == "atoms" and any(read(text.split()).joint != "single" for text in texts):
            problem = "a command has two parts"
        ledger.check_whole("support", one.task.file, problem)


# published splits ---------------------------------------------------------------------------------


def _has(manner: str, verbs: Sequence[str]) -> Callable[[str], bool]:
    between = f" {manner} " if manner else " "
    return lambda text: any(f"{verb}{between}right" in text for verb in verbs)


RULES: Mapping[str, Callable[[str, str], bool]] = {  # (command, actions) -> whether it is tested
    "simple": lambda _, __: True,
    "length": lambda _, actions: len(actions.split(" ")) >= 24,
    "addprim_jump": lambda text, _: "jump" in text and text != "jump",
    "addprim_turn_left": lambda text, _: "turn left" in text and text != "turn left",
    "around_right": lambda text, _: _has("around", VERBS)(text),
    "opposite_right": lambda text, _: _has("opposite", VERBS)(text),
    "primitive_right": lambda text, _: _has("", VERBS)(text),
    "jump_around_right": lambda text, _: _has("around", ("jump",))(text),
}


def check_splits(run: AuditRun, release: SeenRelease) -> None:
    """The published splits have the commands that their rules select."""
    for skill in release.trained:
        name = skill.removeprefix("scan_")
        if name == skill:
            continue
        train = release.train(skill)
        tests = [
            (text, answer)
            for one in release.files_of(skill)
            for text, answer in zip(one.found.texts, one.found.answers, strict=True)
            if text
        ]
        file = next(one.task.file for one in release.files if one.folder == skill)
        sizes = (len(train), len(tests))
        if name.startswith("mcd"):
            stated = run.manifest.get("divergences", {}).get(name, {}).get("atom")
            atom = _atom_divergence(train, [text for text, _ in tests])
            right = stated == atom and atom <= MOST_ATOM_DIVERGENCE and sizes == MCD_SIZE
            problem = f"{sizes} commands with an atom divergence of {atom}, and {stated} stated"
            run.ledger.check_whole("divergences", file, None if right else problem)
            continue
        rule = RULES[name]
        right = sizes == SIZES[name] and all(rule(*one) for one in tests)
        trained = [text for text in dict.fromkeys(train) if name != "simple"]
        actions = {text: " ".join(interpret(text.split(), {})) for text in trained}
        right = right and not any(rule(text, actions[text]) for text in trained)
        problem = f"{sizes} commands by the rule of {name}, where {SIZES[name]} are published"
        run.ledger.check_whole("splits", file, None if right else problem)


def _atom_divergence(train: Sequence[str], test: Sequence[str]) -> float:
    """1 - the Chernoff coefficient (a = 0.5) of the frequencies of the grammar's rules."""
    counts = [
        Counter(rule for text in texts for rule in read(text.split()).rules)
        for texts in (train, test)
    ]
    totals = [sum(count.values()) for count in counts]
    shared = sum((counts[0][rule] * counts[1][rule]) ** 0.5 for rule in counts[0])
    return round(1 - shared / (totals[0] * totals[1]) ** 0.5, 4)


# solvers ------------------------------------------------------------------------------------------


def _scores(ledger: Ledger, release: SeenRelease) -> Scores:
    scores: Scores = {}
    for skill in release.trained:
        train = {
            text: answer
            for one in release.files
            if one.folder == skill
            for text, answer in zip(one.found.texts, one.found.answers, strict=True)
            if text
        }
        for one in release.files_of(skill):
            config = one.folder.replace("/", "_")
            if one.split != "test" or one.folder.endswith(OPEN) or config in scores:
                continue
            rows = list(zip(one.found.texts, one.found.answers, strict=True))
            step = max(len(rows) // SCORED, 1)
            some = [(text, answer) for text, answer in rows[::step] if text]
            verdicts = solve(train, [text for text, _ in some], [answer for _, answer in some])
            scores[config] = {
                name: score(right, 0.0, name in SHORTCUTS) for name, right in verdicts.items()
            }
            best = max(BLIND, key=lambda name: float(scores[config][name]["score"]))
            reached = scores[config][best]["score"]
            problem = None if reached <= MOST_SHORTCUT else f"{best} answers {reached:.1%}"
            ledger.check_whole("shortcuts", one.task.file, problem)
    return scores
