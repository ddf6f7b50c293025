"""The laws of single questions (see docs/design.md, Paths and levels, and Context)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bioreason_bench.audit.laws.contexts.closed import ContextLaws, ContextRules
from bioreason_bench.audit.laws.contexts.long import lengths_in
from bioreason_bench.audit.laws.contexts.open_book import OpenBookLaws
from bioreason_bench.audit.laws.pairs import KindLaw
from bioreason_bench.audit.ledger import RowViolations
from bioreason_bench.audit.reading.parser import NOT_STATED, Parser
from bioreason_bench.audit.reading.questions import File, ParsedQuestion
from bioreason_bench.audit.reading.wordings import first_wording
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.taxonomy import LEVELS

__all__ = ["RowLaws"]

NUMBERED = {*LEVELS, "train"}  # levels whose ids hold the number of the path


class RowLaws:
    """The laws of the rows of one file.

    Args:
        parser: The parser of this process.
        file: The file.
        config: The config in the manifest.
        kind: The law of the kind of question, None for the levels and probes.
    """

    def __init__(
        self, parser: Parser, file: File, config: Mapping[str, Any], kind: KindLaw | None = None
    ) -> None:
        self.parser, self.release = parser, parser.release
        self.file, self.kind = file, kind
        self.open_book = file.open_book or (kind is not None and kind.open_book)
        self.missing = kind.missing if kind is not None else None
        self.violations = RowViolations()
        self.rules = replace(ContextRules.of(config), filled=bool(lengths_in(file, config)))
        self.names = [relation.name for relation in self.release.table.relations]
        self.letters = [relation.letter for relation in self.release.table.relations]
        self.write = first_wording(self.release)
        self.path_numbers: dict[tuple[int, ...], str] = {}  # path → its number in ids
        self.numbered_paths: dict[str, tuple[int, ...]] = {}
        self.guardable = [0, 0]  # without leak guards, lines that could give a hop away; that do
        self.kinds = [relation.object for relation in self.release.table.relations]

    def check(self, question: ParsedQuestion) -> None:
        """Check a row; one that cannot be read breaks the law that says so, and few others."""
        self._check_question(question)
        self._check_place(question)
        self._check_context(question)
        if question.readable:
            self._check_solution(question)
            self._check_columns(question)
            self._check_support(question)
            if question.context.people and not (self.kind and self.kind.checks_contexts):
                self._check_form(question)

    def _check_form(self, question: ParsedQuestion) -> None:
        """Nothing in the form of the context tells more than it must."""
        if self.open_book:
            OpenBookLaws(self.release, self.rules, question, self.violations).check()
            return
        contradicted = self._contradicted(question.record)
        laws = ContextLaws(self.release, self.rules, question, self.violations, contradicted)
        laws.check()
        if not self.rules.leak_guards:
            self._look_for_leaks(question, laws.mirrors(self.pattern(question)))

    def false_key(self, record: Mapping[str, Any]) -> tuple[int, int] | None:
        """(key, object) of the sentence that may contradict the biographies, None if none may."""
        fact = self.kind.false_fact(record) if self.kind else None
        if not fact:
            return None
        subject, relation, _, target = fact
        key = self.parser.key(subject, relation)
        return (key, self.release.number(target)) if key >= 0 else None

    def _contradicted(self, record: Mapping[str, Any]) -> int:
        """The recalled relation that the context may state, NOT_STATED if none may."""
        name = self.kind.contradicted(record) if self.kind else None
        return self.parser.numbers.get(name, NOT_STATED) if name else NOT_STATED

    def _text(self, number: int) -> str | None:
        return self.release.texts[number] if number >= 0 else None

    def _names(self, question: ParsedQuestion) -> list[str]:
        return [self.names[relation] for relation in question.path]

    def pattern(self, question: ParsedQuestion) -> str:
        return "".join([self.letters[relation] for relation in question.path])

    def _check_question(self, question: ParsedQuestion) -> None:
        record, names = question.record, self._names(question)
        entities = [self._text(question.start)]

        def describe() -> str:
            reading = f"{entities[0]} and {' > '.join(names)}" if names else "nothing"
            row = f"{' '.join(record['entities'][:1])} and {' > '.join(record['path'])}"
            return f"{record['question']!r} reads as {reading}; the row says {row}"

        same = names == record["path"] and record["entities"][:1] == entities
        self.violations.check("question", question.row, question.readable and same, describe)

    def _check_place(self, question: ParsedQuestion) -> None:
        """Skill, level, portion and id are those of the file."""
        record, level = question.record, self.file.level
        skill = self.file.skill
        if not skill:  # a probe: its one hop decides
            parametric = question.path and self.letters[question.path[0]] == "P"
            skill = "mem" if parametric else "ctx"
        prefix = "probe-" if level == "probe" else f"{skill}-{level}-"
        suffix = f"-{question.start:06d}"
        # training rows have a portion of at least 1, others have 0
        portion = max(1, record["portion"]) if level == "train" else 0
        expected = skill, self.file.row_level, portion
        recorded = record["skill"], record["level"], record["portion"]
        id_fits = record["id"].startswith(prefix) and record["id"].endswith(suffix)
        if level == "probe":
            id_fits &= record["id"] == f"{prefix}{'-'.join(record['path'])}{suffix}"
        elif id_fits and self.file.row_level in NUMBERED:
            number = record["id"].removeprefix(prefix).removesuffix(suffix)
            id_fits = (
                number.isdecimal()
                and self.path_numbers.setdefault(question.path, number) == number
                and self.numbered_paths.setdefault(number, question.path) == question.path
            )
        self.violations.check(
            "placed",
            question.row,
            recorded == expected and id_fits,
            lambda: (
                f"must be {', '.join(map(str, expected))} (skill, level, portion) with an id "
                f"{prefix}...{suffix}, one number for each path; "
                f"found {', '.join(map(str, recorded))} and {record['id']}"
            ),
        )

    def _check_context(self, question: ParsedQuestion) -> None:
        """A context is there if it is needed, can be read, and agrees with the biographies."""
        record, row, check = question.record, question.row, self.violations.check
        letters = {self.letters[relation] for relation in question.path}
        needed = self.open_book or (record["skill"] != "mem" and "C" in letters)
        if not needed or not record["context"]:
            given = record["context"] or record["context_people"]
            problem = "a question has a context if and only if it has a hop to read"
            check("context people", row, not given and not needed, lambda: problem)
            return
        context = question.context
        people = [self._text(person) for person in context.people]
        recall = self.release.recalled_mask
        lines = {
            (person, bool(stated & recall))
            for person, stated in zip(people, context.stated, strict=True)
        }
        check("context", row, not context.problem, lambda: context.problem)
        check(
            "context people",
            row,
            people == record["context_people"] and len(lines) == len(people),
            lambda: (
                f"the lines are about {', '.join(map(str, people))}; "
                f"context_people says {', '.join(record['context_people'])}"
            ),
        )
        check("lines", row, not context.retold, lambda: context.retold)
        allowed = self.false_key(record)
        false = [fact for fact in context.false if fact != allowed]
        check("context true", row, not false, lambda: self._describe_false(*false[0]))
        if self.open_book:
            mixed = [
                n for n, stated in enumerate(context.stated, 1) if 0 < stated & recall < stated
            ]
            problem = f"line {mixed[0]} states facts of both groups" if mixed else ""
            check("context group", row, not mixed, lambda: problem)
            return
        contradicted = self._contradicted(record)
        recalled = [
            fact
            for fact in context.facts.items()
            if self.release.parametric[relation := fact[0] // self.release.people]
            and relation != contradicted
        ]
        check(
            "context group",
            row,
            not recalled,
            lambda: f"the context states what is to be recalled: {self._fact(*recalled[0])}",
        )

    def _fact(self, key: int, target: int) -> str:
        relation, subject = divmod(key, self.release.people)
        return f"{self._text(subject)} {self.names[relation]} {self._text(target)}"

    def _describe_false(self, key: int, target: int) -> str:
        relation, subject = divmod(key, self.release.people)
        true = self.release.text(self.release.facts[relation, subject])
        return f"it states {self._fact(key, target)}; the biography states {true}"

    def _check_solution(self, question: ParsedQuestion) -> None:
        """Entities, answer and chain are those that the text leads to."""
        record, row, check = question.record, question.row, self.violations.check
        entities = [self._text(number) for number in question.walk]
        if entities[-1] is None:
            entities[-1] = self.missing
        check(
            "solution",
            row,
            entities == record["entities"] and record["answer"] == entities[-1],
            lambda: (
                f"the text leads to {_arrows(entities)}, "
                f"the row says {_arrows(record['entities'])} and answer {record['answer']!r}"
            ),
        )
        check(
            "chain",
            row,
            record["chain"] == self._chain(question, entities),
            lambda: (
                f"the chain must lead {_arrows(entities)} by {_arrows(record['path'])} in the "
                f"first wording of each, found {record['chain'][:200]!r}"
            ),
        )
        people = [number for number in question.walk if 0 <= number < self.release.people]
        check(
            "different people",
            row,
            len(set(people)) == len(people),
            lambda: f"a person occurs twice on the chain {_arrows(entities)}",
        )

    def _check_support(self, question: ParsedQuestion) -> None:
        """`support` says which line states the fact of each hop."""
        context, record = question.context, question.record
        lines = {
            (person, relation): line
            for line, (person, stated) in enumerate(
                zip(context.people, context.stated, strict=True)
            )
            for relation in question.path
            if stated >> relation & 1
        }
        expected = [
            lines.get((person, relation), -1)
            if self.open_book or not self.release.parametric[relation]
            else -1
            for person, relation in zip(question.walk, question.path, strict=False)
        ]
        self.violations.check(
            "support",
            question.row,
            record["support"] == expected,
            lambda: f"the hops are stated in the lines {expected}, found {record['support']}",
        )

    def _chain(self, question: ParsedQuestion, entities: Sequence[str | None]) -> str:
        """Each hop in the first wording of its relation, then the answer."""
        stated = len(question.path) - (question.walk[-1] == NOT_STATED)
        sentences = [
            self.write(relation, str(subject), str(target))
            for relation, subject, target in zip(
                question.path[:stated], entities, entities[1:], strict=False
            )
        ]
        return f"{' '.join(sentences)} {ANSWER}{entities[-1]}"

    def _look_for_leaks(self, question: ParsedQuestion, mirrors: set[int]) -> None:
        """Count the lines that could state the mirror of a recalled hop, and those that do."""
        bits = sum(1 << relation for relation in mirrors)
        context = question.context
        for person, stated in zip(context.people, context.stated, strict=True):
            if person >= 0 and self.release.contextual[person] & bits:
                self.guardable[0] += 1
                self.guardable[1] += bool(stated & bits)

    def finish(self) -> None:
        """Check what only all rows of the file together show."""
        least, lines = 200, self.guardable[0]
        if lines >= least and not self.guardable[1]:
            problem = (
                "leak_guards is false, and no context states the mirror of a recalled hop, "
                f"in {lines:,} lines that could"
            )
            self.violations.check("config", 0, False, lambda: problem)

    def _check_columns(self, question: ParsedQuestion) -> None:
        """Pattern, hops and kind of answer follow from the path."""
        record, path = question.record, question.path
        expected = {
            "pattern": self.pattern(question),
            "hops": len(path),
            "answer_kind": self.kinds[path[-1]],
        }
        wrong = [name for name, value in expected.items() if record[name] != value]
        self.violations.check(
            "columns",
            question.row,
            not wrong,
            lambda: f"{wrong[0]} must be {expected[wrong[0]]!r}, found {record[wrong[0]]!r}",
        )


def _arrows(texts: Sequence[str | None]) -> str:
    return " > ".join(map(str, texts))
