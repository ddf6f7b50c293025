"""The laws of a release of sentences, checked on its text alone.

Sentences are read by `parser.py`, which shares no code with the generator; what training shows is
collected from the training questions as they are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
from bioreason_bench.families.cogs.audit.parser import NotASentence, Parsed, Parser
from bioreason_bench.families.cogs.audit.solvers import BLIND, SHORTCUTS, solve

__all__ = ["LAWS", "check_cogs"]

LAWS = {
    **{law: text for law, text in COMMON_LAWS.items() if law != "once"},
    "sentences": "every question is a sentence of the grammar, or a word alone, in the words of "
    "the manifest",
    "forms": "a parser that shares no code with the generator finds the answer",
    "steps": "the steps of a trace are the parts of the answer, each with its words and its place; "
    "no step is missing, and none is a name",
    "read out": "path, hops, entities and nesting are those of the text",
    "context": "a context has the notation and one line for each word of the question, in open "
    "books and where definitions are read, and is else empty",
    "certificates": "path_in_train, unseen_primitives, pairs_unseen, hops_beyond_train and "
    "nesting_beyond_train are those of the training sentences",
    "tested once": "no sentence is twice in the tests, and none is trained; training repeats "
    "nothing but words alone",
    "open books": "an open book has the sentences of its level",
    "levels": "iid: nothing unseen; composition: one use unseen, every word seen; zeroshot: one "
    "word unseen, which training has alone; depth: nested deeper than training, all else seen",
    "kinds": "every test of a lexical kind has one of the kind's words in the use that it tests, "
    "and its use is the unseen one; each kind has as many questions as the config says",
    "exposures": "a word of a lexical kind is in training as often as the config says, in the use "
    "that its kind shows",
    "support": "questions for reinforcement learning are trained or not, as their folder says",
    "portions": "the portions of training are ten of one size, but for what shows held words and "
    "words alone, which is in the first",
    "shortcuts": "no blind shortcut answers more than a quarter of the questions of a config",
}
MOST_SHORTCUT = 0.25
SCORED = 1_000  # questions of a config that the solvers answer
SHOWN: Mapping[str, tuple[str, str]] = {  # lexical kind → use shown, use tested
    **dict.fromkeys(("subj_to_obj_common", "subj_to_obj_proper"), ("agent", "theme")),
    **dict.fromkeys(("obj_to_subj_common", "obj_to_subj_proper"), ("theme", "agent")),
    **dict.fromkeys(("prim_to_subj_common", "prim_to_subj_proper"), ("alone", "agent")),
    **dict.fromkeys(("prim_to_obj_common", "prim_to_obj_proper"), ("alone", "theme")),
    "prim_to_inf_arg": ("alone", "bare"),
    "active_to_passive": ("transitive", "passive"),
    "passive_to_active": ("passive", "transitive"),
    "obj_omitted_transitive_to_transitive": ("intransitive", "transitive"),
    "unacc_to_transitive": ("intransitive", "transitive"),
    "do_dative_to_pp_dative": ("dative_double", "dative_to"),
    "pp_dative_to_do_dative": ("dative_to", "dative_double"),
    "only_seen_as_transitive_subj_as_unacc_subj": ("agent", "theme"),
    "only_seen_as_unacc_subj_as_obj_omitted_transitive_subj": ("theme", "agent"),
    "only_seen_as_unacc_subj_as_unerg_subj": ("theme", "agent"),
}
STRUCTURAL = ("obj_pp_to_subj_pp", "cp_recursion", "pp_recursion")


@dataclass(frozen=True)
class Line:
    """One row, as it is sent between processes.

    Attributes:
        text: The question.
        answer: Its logical form.
        read: What the parser found; None if it is no sentence.
        stated: The certificate of the row.
        kind: Its generalisation.
        portion: Its portion.
    """

    text: str
    answer: str
    read: Parsed | None
    stated: tuple[Any, ...]
    kind: str
    portion: int


def check_cogs(run: AuditRun) -> Scores:
    """Check the laws; return the scores of the solvers by config."""
    check_settings(run)
    config, definitions = run.manifest["config"], run.manifest["definitions"]
    files = list(run.manifest["files"])
    check = partial(_check_file, definitions, config.get("definitions") == "read")
    seen = read_questions(run, "questions", files, run.ledger.laws, check)
    check_ids(run.ledger, seen)
    train = [line for one in seen if one.folder == "cogs" for line in one.found]
    if not train:
        run.ledger.check_whole("exposures", "manifest.json", "a release has training questions")
        return {}
    shown = _shown(train)
    _check_training(run.ledger, train, definitions["held"], int(config["exposures"]))
    for one in seen:
        if one.folder == "cogs" or one.folder.startswith("cogs/"):
            _check_certificates(run.ledger, one, shown)
    _check_tests(run.ledger, seen, shown, definitions["held"], int(config["per_kind"]))
    _check_support(run.ledger, seen, shown)
    return _scores(run.ledger, seen, shown, definitions)


# one file -----------------------------------------------------------------------------------------


def _check_file(
    definitions: Mapping[str, Any],
    always_read: bool,
    file: str,
    rows: Sequence[Mapping[str, Any]],
    ledger: Ledger,
) -> list[Line]:
    found = RowViolations()
    opened = always_read or file.rpartition("/")[0].endswith(OPEN)
    parser = Parser(definitions)
    lines = []
    for index, row in enumerate(rows):
        parsed = _parse(parser, row["question"])
        found.check("sentences", index, parsed, lambda row=row: repr(row["question"]))  # type: ignore[misc]
        if parsed is not None:
            _check_row(found, index, row, parsed)
            _check_context(found, index, row, parsed, opened, definitions["notation"])
        lines.append(
            Line(
                row["question"],
                row["answer"],
                parsed,
                (
                    row["path_in_train"],
                    tuple(row["unseen_primitives"]),
                    row["pairs_unseen"],
                    row["hops_beyond_train"],
                    row["nesting_beyond_train"],
                    row["pattern"],
                ),
                row["generalisation"],
                row["portion"],
            )
        )
    found.enter(ledger, file)
    return lines


def _parse(parser: Parser, text: str) -> Parsed | None:
    try:
        return parser.parse(text)
    except NotASentence:
        return None


def _check_row(found: RowViolations, index: int, row: Mapping[str, Any], parsed: Parsed) -> None:
    answer = row["answer"]
    found.check("forms", index, answer == parsed.form, lambda: f"{parsed.form}, not {answer}")
    steps = [step.split(" = ") for step in row["chain"].split(" ; So, ")[0].split(" ; ")]
    if row["chain"].startswith("So, "):
        steps = []
    found.check("steps", index, _right_steps(steps, row, parsed), lambda: "the parts of the answer")
    columns = (row["path"], row["hops"], row["entities"], row["nesting"])
    wanted = (
        parsed.words,
        len(parsed.words),
        [row["question"], *(step[-1] for step in steps), answer],
        max(parsed.clauses, parsed.prepositions),
    )
    found.check("read out", index, columns == wanted, lambda: f"{wanted}, not {columns}")


def _right_steps(steps: Sequence[Sequence[str]], row: Mapping[str, Any], parsed: Parsed) -> bool:
    """The steps hold the conjuncts of the answer, each beside its own words."""
    if any(len(step) != 2 for step in steps):
        return False
    tokens = row["question"].split()
    if len(tokens) == 1:
        return steps == ([[tokens[0], parsed.form]] if parsed.form != tokens[0] else [])
    given = [text for _, form in steps for text in form.split(" AND ")]
    parts = parsed.form.replace(" ; ", " AND ").split(" AND ")
    if sorted(given) != sorted(parts):
        return False
    return all(_beside(part.split(" "), form, tokens) for part, form in steps)


def _beside(part: Sequence[str], form: str, tokens: Sequence[str]) -> bool:
    """Whether the words of a step stand at its place, and its form begins with the place."""
    if len(part) < 4 or part[:2] != ["x", "_"] or not part[2].isdigit():
        return False
    place, words = int(part[2]), part[3:]
    if place >= len(tokens):
        return False
    small = [token.lower() if i == 0 else token for i, token in enumerate(tokens)]
    here = tokens[place] in (words[0], words[-1])
    near = all(
        word in (*small[max(place - 1, 0) : place + 1], *tokens[place + 1 : place + 2])
        for word in words
    )
    own = all(f"( x _ {place} " in conjunct for conjunct in form.split(" AND "))
    return here and near and own


def _check_context(
    found: RowViolations,
    index: int,
    row: Mapping[str, Any],
    parsed: Parsed,
    opened: bool,
    notation: Sequence[str],
) -> None:
    lines = row["context"].split("\n") if row["context"] else []
    if not opened:
        found.check("context", index, not lines, lambda: "no context")
        return
    given = {line.partition(" :")[0].partition(" ,")[0] for line in lines[len(notation) :]}
    holds = lines[: len(notation)] == list(notation) and given == {*parsed.words}
    found.check("context", index, holds, lambda: "the notation, and a line for each word")


# all files ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shown:
    """What training sentences show."""

    texts: frozenset[str]
    alone: frozenset[str]
    words: frozenset[str]
    uses: frozenset[tuple[str, str]]
    paths: frozenset[tuple[str, tuple[str, ...]]]
    most_words: int
    nesting: int


def _uses(parsed: Parsed) -> set[tuple[str, str]]:
    return {*parsed.uses, *(("nmod", side) for side in parsed.nmods)}


def _nesting(parsed: Parsed) -> int:
    return max(parsed.clauses, parsed.prepositions)


def _shown(train: Sequence[Line]) -> _Shown:
    whole = [line for line in train if line.read and " " in line.text]
    read = [line.read for line in whole if line.read]
    return _Shown(
        frozenset(line.text for line in train),
        frozenset(line.text for line in train if " " not in line.text),
        frozenset(word for parsed in read for word in parsed.words),
        frozenset(use for parsed in read for use in _uses(parsed)),
        frozenset((line.stated[-1], tuple(line.read.words)) for line in whole if line.read),
        max((len(parsed.words) for parsed in read), default=1),
        max((_nesting(parsed) for parsed in read), default=0),
    )


def _unseen(parsed: Parsed, shown: _Shown) -> tuple[list[str], set[tuple[str, str]]]:
    """Words that no sentence of training has, and new uses of the others."""
    words = [word for word in dict.fromkeys(parsed.words) if word not in shown.words]
    if len(parsed.words) == 1 and parsed.uses == [(parsed.words[0], "alone")]:
        return words, set()
    new = {use for use in _uses(parsed) - shown.uses if use[0] == "nmod" or use[0] in shown.words}
    return words, new


def _check_certificates(ledger: Ledger, one: Seen, shown: _Shown) -> None:
    level = one.folder.partition("/")[2].removesuffix(OPEN)
    wrong, misplaced = [], []
    for index, line in enumerate(one.found):
        if line.read is None:
            continue
        words, uses = _unseen(line.read, shown)
        deeper = max(_nesting(line.read) - shown.nesting, 0)
        right = (
            (line.stated[-1], tuple(line.read.words)) in shown.paths,
            tuple(words),
            len(uses),
            max(len(line.read.words) - shown.most_words, 0),
            deeper,
        )
        if line.stated[:-1] != right:
            wrong.append(index)
        if level and not LEVELS[level](words, uses, deeper, shown):
            misplaced.append(index)
    file, rows = one.task.file, len(one.found)
    ledger.check("certificates", file, rows, wrong, "the certificate that training gives")
    if level:
        ledger.check("levels", file, rows, misplaced, f"a question of level {level}")


LEVELS: Mapping[str, Callable[[Sequence[str], set[tuple[str, str]], int, _Shown], bool]] = {
    "iid": lambda words, uses, deeper, _: not words and not uses and not deeper,
    "composition": lambda words, uses, deeper, _: not words and len(uses) == 1 and not deeper,
    "zeroshot": lambda words, uses, deeper, shown: (
        len(words) == 1 and {*words} <= shown.alone and not uses and not deeper
    ),
    "depth": lambda words, uses, deeper, _: not words and not uses and deeper > 0,
}


def _check_training(
    ledger: Ledger, train: Sequence[Line], held: Mapping[str, Sequence[str]], exposures: int
) -> None:
    counts = Counter(line.text for line in train if " " in line.text)
    twice = [text for text, count in counts.items() if count > 1]
    problem = f"training repeats {twice[0]!r}" if twice else None
    ledger.check_whole("tested once", "data/cogs", problem)
    kinds = {word: kind for kind, words in held.items() for word in words}
    times: Counter[tuple[str, str]] = Counter()
    for line in train:
        for word, use in line.read.uses if line.read else ():
            if word in kinds:
                times[word, use] += 1
    for word, kind in kinds.items():
        wanted = {SHOWN[kind][0]: exposures}
        found = {use: count for (name, use), count in times.items() if name == word}
        found = {use: found[use] for use in found if not _other_class(word, use, kind)}
        problem = None if found == wanted else f"{word!r} is shown {found}, not {wanted}"
        ledger.check_whole("exposures", "data/cogs", problem)
    dealt = Counter(line.portion for line in train if line.kind == "in_distribution")
    sizes = [dealt[number] for number in range(1, 11)]
    first = all(line.portion == 1 for line in train if line.kind != "in_distribution")
    right = first and max(sizes) - min(sizes) <= 1 and {*dealt} <= {*range(1, 11)}
    problem = None if right else f"portions of {sizes} sentences"
    ledger.check_whole("portions", "data/cogs", problem)


def _other_class(word: str, use: str, kind: str) -> bool:
    """Whether a use is that of a verb where the kind is of nouns, or the other way round.

    In English a noun and a verb may be spelled alike, such as cook.
    """
    del word
    nominal = ("agent", "theme", "recipient", "nmod")
    return use != "alone" and (use in nominal) != (SHOWN[kind][1] in nominal)


def _check_tests(
    ledger: Ledger,
    seen: Sequence[Seen],
    shown: _Shown,
    held: Mapping[str, Sequence[str]],
    per_kind: int,
) -> None:
    tested: set[str] = set()
    closed: dict[tuple[str, str], set[str]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for one in _tests(seen, opened=False):
        lines: list[Line] = one.found
        bad = [i for i, line in enumerate(lines) if line.text in tested or line.text in shown.texts]
        bad = sorted({*bad, *repeated([line.text for line in lines])})
        ledger.check("tested once", one.task.file, len(lines), bad, "a sentence of its own")
        tested.update(line.text for line in lines)
        closed.setdefault((one.folder, one.split), set()).update(line.text for line in lines)
        wrong = [i for i, line in enumerate(lines) if not _is_of_kind(line, shown, held)]
        ledger.check("kinds", one.task.file, len(lines), wrong, "what the kind tests")
        counts.update((one.split, line.kind) for line in lines)
    for kind in (*SHOWN, *STRUCTURAL):
        right = counts["test", kind] == per_kind
        problem = f"{counts['test', kind]} questions of kind {kind}, not {per_kind}"
        ledger.check_whole("kinds", "data/cogs", None if right else problem)
    for one in _tests(seen, opened=True):
        wanted = closed.get((one.folder.removesuffix(OPEN), one.split), set())
        bad = [i for i, line in enumerate(one.found) if line.text not in wanted]
        ledger.check("open books", one.task.file, len(one.found), bad, "a sentence of its level")


def _tests(seen: Sequence[Seen], opened: bool) -> Iterator[Seen]:
    return (
        one
        for one in seen
        if one.folder.startswith("cogs/") and one.folder.endswith(OPEN) == opened
    )


def _is_of_kind(line: Line, shown: _Shown, held: Mapping[str, Sequence[str]]) -> bool:
    if line.read is None:
        return False
    words, uses = _unseen(line.read, shown)
    if line.kind == "in_distribution":
        return not words and not uses
    if line.kind == "obj_pp_to_subj_pp":
        return uses == {("nmod", "subject")}
    if line.kind == "cp_recursion":
        return line.read.clauses > shown.nesting and not line.read.prepositions
    if line.kind == "pp_recursion":
        return line.read.prepositions > shown.nesting and not line.read.clauses
    tested = {(word, SHOWN[line.kind][1]) for word in held[line.kind]}
    if words:
        return len({*_uses(line.read)} & tested) == 1 and {*words} <= {*held[line.kind]}
    return len(uses) == 1 and uses <= tested


def _check_support(ledger: Ledger, seen: Sequence[Seen], shown: _Shown) -> None:
    tested = {line.text for one in _tests(seen, opened=False) for line in one.found}
    for one in seen:
        support = one.folder.removeprefix("cogs_rl_")
        if support == one.folder:
            continue
        texts = [line.text for line in one.found]
        known = sum(text in shown.texts for text in texts)
        wanted = {"disjoint": 0, "overlapping": len(texts) // 2}.get(support, len(texts))
        problem = None if known == wanted else f"{known} of {len(texts)} are trained, not {wanted}"
        if len({*texts}) < len(texts) or tested & {*texts}:
            problem = "a sentence stands there twice, or is tested"
        if support == "atoms" and any(" " in text for text in texts):
            problem = "a question is more than a word"
        ledger.check_whole("support", one.task.file, problem)


def _scores(
    ledger: Ledger, seen: Sequence[Seen], shown: _Shown, definitions: Mapping[str, Any]
) -> Scores:
    del shown
    train = {line.text: line.answer for one in seen if one.folder == "cogs" for line in one.found}
    scores: Scores = {}
    for one in _tests(seen, opened=False):
        config = one.folder.replace("/", "_")
        if one.split != "test" or config in scores:
            continue
        some = one.found[:: max(len(one.found) // SCORED, 1)]
        texts, answers = [line.text for line in some], [line.answer for line in some]
        verdicts = solve(train, texts, answers, definitions)
        scores[config] = {
            name: score(right, 0.0, name in SHORTCUTS) for name, right in verdicts.items()
        }
        best = max(BLIND, key=lambda name: float(scores[config][name]["score"]))
        reached = float(scores[config][best]["score"])
        problem = None if reached <= MOST_SHORTCUT else f"{best} answers {reached:.1%}"
        ledger.check_whole("shortcuts", one.task.file, problem)
    return scores
