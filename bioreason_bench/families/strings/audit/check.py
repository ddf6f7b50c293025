"""The checks of a release of string programs: rows first, then what training has shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.report import Scores
from bioreason_bench.audit.run import AuditRun, CannotContinue
from bioreason_bench.families.checks import (
    Rows,
    Seen,
    check_common,
    check_settings,
    read_questions,
)
from bioreason_bench.families.strings.audit.interpreter import Interpreter, Run, Unreadable
from bioreason_bench.families.strings.audit.laws import LAWS
from bioreason_bench.families.strings.audit.solvers import score_solvers
from bioreason_bench.families.strings.settings import LEVELS, StringSettings
from bioreason_bench.release.manifest import MANIFEST

__all__ = ["check_strings"]

Program = tuple[str, tuple[str, ...]]  # pattern, path
Certificate = tuple[bool, frozenset[str], int, int, bool]  # in the order of CERTIFICATE
KEEP, SINGLE = "keep", "single"
ROW_LAWS = ("program", "letters", "trace", "solution", "shown")
TRAIN, ATOMS = "strings", "strings_atoms"
RL, RL_ATOMS = "strings_rl_", "strings_rl_atoms"
TOKENS = 0.05  # by which isolated atoms may have more or fewer tokens
ABOUT_HALF = (0.4, 0.6)
ENOUGH = 100  # rows, from which on a share must be about half, and tokens alike


@dataclass(frozen=True)
class Found:
    """What a file holds.

    Attributes:
        programs: The program of each row.
        certificates: path_in_train, unseen_primitives, pairs_unseen, hops_beyond_train and
            known_from_atoms of each row.
        portions: The column.
        traces: The traces.
        tokens: Blank-separated words of questions and traces.
    """

    programs: list[Program]
    certificates: list[Certificate]
    portions: list[int]
    traces: list[str]
    tokens: int


def check_strings(run: AuditRun) -> Scores:
    """Check the laws of the family; return the scores of the solvers."""
    settings = check_settings(run)
    if settings is None:
        return {}
    try:
        Interpreter(run.manifest["definitions"])
    except (Unreadable, KeyError, AttributeError, TypeError) as error:
        run.ledger.check_whole("definitions", MANIFEST, f"they cannot be read: {error}")
        return {}
    run.ledger.check_whole("definitions", MANIFEST, _names_problem(run.manifest["definitions"]))
    check = partial(check_rows, run.manifest["definitions"], settings)
    try:
        files = read_questions(run, "questions", list(run.manifest["files"]), LAWS, check)
    except CannotContinue:
        return {}
    check_common(run, files)
    shown = Shown.collect(files)
    for seen in files:
        _check_certificates(seen, shown, run.ledger)
        _check_level(seen, shown, settings, run.ledger)
    _check_held_out(run, shown, settings)
    _check_sets(run, files, shown, settings)
    _check_open_books(files, run.ledger)
    tests = [  # open books ask the same questions again
        seen for seen in files if seen.split == "test" and not seen.folder.endswith("_openbook")
    ]
    questions = [
        (question, trace.rpartition(": ")[2])
        for seen in files
        if seen.folder == TRAIN
        for question, trace in zip(seen.questions, seen.found.traces, strict=True)
    ]
    return score_solvers(run, tests, shown.programs, questions)


def _names_problem(definitions: Mapping[str, Any]) -> str | None:
    meanings = [*definitions["skills"].values(), *definitions["routings"].values()]
    return None if len(set(meanings)) == len(meanings) else "two names have the same definition"


# rows ---------------------------------------------------------------------------------------------


def check_rows(
    definitions: Mapping[str, Any], settings: StringSettings, file: str, rows: Rows, ledger: Ledger
) -> Found:
    """Run every question of a file, and compare."""
    interpreter = Interpreter(definitions)
    lines = {
        name: f"{name} : {words}."
        for table in ("skills", "routings")
        for name, words in definitions[table].items()
    }
    folder = file.removeprefix("data/").rpartition("/")[0]
    shown = settings.definitions == "read" or folder.endswith("_openbook")
    contexts = partial(_context_problem, shown, lines, definitions["rule"], settings.distractors)
    low, high = settings.letters
    broken: dict[str, dict[int, str]] = {law: {} for law in ROW_LAWS}
    found = Found([], [], [], [], sum(map(_tokens, rows)))
    for number, row in enumerate(rows):
        found.programs.append((row["pattern"], tuple(row["path"])))
        found.certificates.append(_certificate(row))
        found.portions.append(row["portion"])
        found.traces.append(row["chain"])
        try:
            ran = interpreter.run(row["question"])
        except Unreadable as error:
            broken["program"][number] = str(error)
            continue
        if found.programs[-1] != (ran.routing or SINGLE, ran.skills) or row["hops"] != len(
            ran.skills
        ):
            broken["program"][number] = "path, pattern and hops must be those of the question"
        if not low <= ran.letters <= high:
            broken["letters"][number] = f"its string must have {low} to {high} letters"
        trace = f"{' '.join(ran.trace)} So, the answer is: {ran.answer}"
        if row["chain"] != trace or row["entities"] != ran.texts:
            broken["trace"][number] = f"the trace must be: {trace}"
        if row["answer"] != ran.answer:
            broken["solution"][number] = f"the answer must be: {ran.answer}"
        if problem := contexts(row["context"], ran):
            broken["shown"][number] = problem
    for law, problems in broken.items():
        ledger.check(law, file, len(rows), list(problems), problems)
    return found


def _tokens(row: Mapping[str, Any]) -> int:
    text = f"{row['question']} {row['chain']}"
    return text.count(" ") + 1


def _certificate(row: Mapping[str, Any]) -> Certificate:
    return (
        row["path_in_train"],
        frozenset(row["unseen_primitives"]),
        row["pairs_unseen"],
        row["hops_beyond_train"],
        row["known_from_atoms"],
    )


def _context_problem(
    shown: bool, lines: Mapping[str, str], rule: str, distractors: int, context: str, ran: Run
) -> str:
    """What is wrong with a context, "" if nothing is."""
    if not shown:
        return "there must be no context" if context else ""
    needed = {ran.routing, *ran.skills} - {"", KEEP}
    first, *given = context.split("\n")
    names = [line.partition(" ")[0] for line in given]
    if first != rule:
        return "its first line must be the rule of the manifest"
    if len(set(names)) < len(names) or [lines.get(name) for name in names] != given:
        return "each line must be a definition of the manifest, and none twice"
    others = min(distractors, len(lines) - len(needed))
    if not needed <= set(names) or len(names) != len(needed) + others:
        return f"it must define {', '.join(sorted(needed))} and {others} others"
    return ""


# what training has shown --------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What the training files hold.

    Attributes:
        programs: Compound programs.
        parts: Skills and routings of these.
        pairs: Skill and routing that one of them joins.
        hops: Skills of the longest one.
        atoms: Skills and routings of the isolated atoms.
    """

    programs: frozenset[Program]
    parts: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    hops: int
    atoms: frozenset[str]

    @classmethod
    def collect(cls, files: Sequence[Seen]) -> Shown:
        """What the files of the folders strings and strings_atoms hold."""
        programs = frozenset(_programs(files, TRAIN))
        atoms = {name for pattern, path in _programs(files, ATOMS) for name in (pattern, *path)}
        return cls(
            programs,
            frozenset(name for pattern, path in programs for name in (pattern, *path)),
            frozenset((skill, pattern) for pattern, path in programs for skill in path),
            max((len(path) for _, path in programs), default=0),
            frozenset(atoms - {KEEP, SINGLE}),
        )

    def unseen(self, program: Program) -> frozenset[str]:
        """The skills and the routing of a program that are in no training program."""
        pattern, path = program
        return frozenset({pattern, *path} - {KEEP, SINGLE}) - self.parts

    def pairs_unseen(self, program: Program) -> int:
        """The skills of a program that no training program joins with its routing."""
        pattern, path = program
        if pattern == SINGLE:
            return 0
        return sum((skill, pattern) not in self.pairs for skill in path if skill != KEEP)

    def certificate(self, program: Program) -> Certificate:
        """What the columns of a question with this program must say."""
        unseen = self.unseen(program)
        return (
            program in self.programs,
            unseen,
            self.pairs_unseen(program),
            max(0, len(program[1]) - self.hops),
            unseen <= self.atoms,
        )


def _programs(files: Sequence[Seen], folder: str) -> Iterator[Program]:
    return (program for seen in files if seen.folder == folder for program in seen.found.programs)


CERTIFICATE = (
    *("path_in_train", "unseen_primitives", "pairs_unseen", "hops_beyond_train"),
    "known_from_atoms",
)


def _check_certificates(seen: Seen, shown: Shown, ledger: Ledger) -> None:
    broken: dict[str, dict[int, str]] = {law: {} for law in CERTIFICATE}
    known: dict[Program, Certificate] = {}
    rows = zip(seen.found.programs, seen.found.certificates, strict=True)
    for number, (program, given) in enumerate(rows):
        wanted = known.get(program)
        if wanted is None:
            wanted = known[program] = shown.certificate(program)
        if given == wanted:
            continue
        for law, value, right in zip(CERTIFICATE, given, wanted, strict=True):
            if value != right:
                shown_right = sorted(right) if isinstance(right, frozenset) else right
                broken[law][number] = f"must be {shown_right}"
    for law, problems in broken.items():
        ledger.check(law, seen.task.file, len(seen.ids), list(problems), problems)


def _check_level(seen: Seen, shown: Shown, settings: StringSettings, ledger: Ledger) -> None:
    """Check that the programs of a file are of its level."""
    folder, programs = seen.folder, seen.found.programs
    level = folder.partition("/")[2].removesuffix("_openbook")
    if folder in (ATOMS, RL_ATOMS):
        wrong = [row for row, program in enumerate(programs) if not _isolated(program)]
        text = "one skill, or a routing of keep"
        ledger.check("atoms", seen.task.file, len(programs), wrong, text)
        return
    low, high = settings.depth_hops if level == "depth" else settings.hops
    wrong = [
        row
        for row, (pattern, path) in enumerate(programs)
        if pattern == SINGLE or not low <= len(path) <= high
    ]
    ledger.check("hops", seen.task.file, len(programs), wrong, f"{low} to {high} skills")
    if level in LEVELS:
        wrong = [
            row
            for row, program in enumerate(programs)
            if not _is_of_level(level, shown.certificate(program))
        ]
        ledger.check(level, seen.task.file, len(programs), wrong, LAWS[level])


def _isolated(program: Program) -> bool:
    pattern, path = program
    return len(path) == 1 if pattern == SINGLE else set(path) == {KEEP}


def _is_of_level(level: str, certificate: Certificate) -> bool:
    in_train, unseen, pairs, beyond, _ = certificate
    return {
        "iid": in_train,
        "composition": not in_train and not unseen and pairs > 0,
        "zeroshot": bool(unseen),
        "depth": beyond > 0 and not unseen and not pairs,
    }[level]


def _check_held_out(run: AuditRun, shown: Shown, settings: StringSettings) -> None:
    definitions = run.manifest["definitions"]
    skills, routings = (set(definitions[name]) for name in ("skills", "routings"))
    trained = skills & shown.parts, routings & shown.parts
    pairs = len(trained[0]) * len(trained[1]) - len(shown.pairs)
    unknown = (len(names - shown.atoms) for names in (skills, routings))
    counts = {
        "zeroshot_skills": len(skills) - len(trained[0]),
        "zeroshot_routings": len(routings) - len(trained[1]),
        **dict(zip(("unknown_skills", "unknown_routings"), unknown, strict=True)),
    }
    for name, count in counts.items():
        wanted = getattr(settings, name)
        problem = f"{name} is {wanted} in the config, and {count} by the training rows"
        run.ledger.check_whole("held out", "data/strings", None if count == wanted else problem)
    problem = f"heldout_pairs is {settings.heldout_pairs} in the config, and {pairs} are not joined"
    short = pairs < settings.heldout_pairs
    run.ledger.check_whole("held out", "data/strings", problem if short else None)


# sets ---------------------------------------------------------------------------------------------


def _check_sets(
    run: AuditRun, files: Sequence[Seen], shown: Shown, settings: StringSettings
) -> None:
    """Check the sizes of the splits, the portions, the tokens, and the supports."""
    sizes: dict[str, int] = {}
    tokens: dict[str, int] = {}
    for seen in files:
        key = f"{seen.folder}/{seen.split}"
        sizes[key] = sizes.get(key, 0) + len(seen.ids)
        tokens[seen.folder] = tokens.get(seen.folder, 0) + seen.found.tokens
    for split, wanted in _sizes(settings).items():
        found = sizes.get(split, 0)
        problem = f"the config says {wanted:,} questions, found {found:,}"
        run.ledger.check_whole("counts", f"data/{split}", None if found == wanted else problem)
    for folder, like in ((ATOMS, TRAIN), (RL_ATOMS, f"{RL}disjoint")):
        have, wanted = tokens.get(folder, 0), tokens.get(like, 0)
        enough = sizes.get(f"{like}/train", 0) >= ENOUGH
        problem = f"{have:,} tokens, and data/{like} has {wanted:,}"
        alike = not enough or abs(have - wanted) <= TOKENS * wanted
        run.ledger.check_whole("tokens", f"data/{folder}", None if alike else problem)
    for folder in (TRAIN, ATOMS):
        portions = [k for seen in files if seen.folder == folder for k in seen.found.portions]
        counts = [portions.count(k) for k in range(1, 11)]
        even = max(counts) - min(counts) <= 1 and sum(counts) == len(portions)
        problem = f"the portions have {counts} rows"
        run.ledger.check_whole("portions", f"data/{folder}", None if even else problem)
    for name, (least, most) in {
        "nested": (1.0, 1.0),
        "overlapping": ABOUT_HALF,
        "disjoint": (0.0, 0.0),
    }.items():
        programs = list(_programs(files, f"{RL}{name}"))
        if not programs or (name == "overlapping" and len(programs) < ENOUGH):
            continue
        share = sum(program in shown.programs for program in programs) / len(programs)
        problem = f"{share:.1%} of its programs are in training"
        run.ledger.check_whole(
            "supports", f"data/{RL}{name}", None if least <= share <= most else problem
        )


def _sizes(settings: StringSettings) -> dict[str, int]:
    """Questions by folder and split, as the config says; isolated atoms go by their tokens."""
    sizes = {f"{TRAIN}/train": settings.train}
    sizes |= {f"{RL}{name}/train": settings.rl for name in ("nested", "overlapping", "disjoint")}
    opened = settings.open_book and settings.definitions == "recalled"
    for level in LEVELS:
        for end in ("", "_openbook"):
            count = 0 if end and not opened else settings.test(level)
            sizes[f"{TRAIN}/{level}{end}/test"] = count
            sizes[f"{TRAIN}/{level}{end}/validation"] = -(-count // 10)
    return sizes


def _check_open_books(files: Sequence[Seen], ledger: Ledger) -> None:
    closed: dict[tuple[str, str, str], tuple[str, str]] = {}
    for seen in files:
        for name, question, trace in zip(seen.ids, seen.questions, seen.found.traces, strict=False):
            closed[seen.folder, seen.split, name[-6:]] = question, trace
    for seen in files:
        if not seen.folder.endswith("_openbook"):
            continue
        like = seen.folder.removesuffix("_openbook")
        broken = [
            row
            for row, name in enumerate(seen.ids)
            if closed.get((like, seen.split, name[-6:]))
            != closed[seen.folder, seen.split, name[-6:]]
        ]
        text = "the question and the trace of the same number in its level"
        ledger.check("open book", seen.task.file, len(seen.ids), broken, text)
