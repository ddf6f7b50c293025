"""The laws that one question can break by itself (DESIGN sections 5 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.evidence import UNKNOWN, Evidence, Parser
from bioreason_bench.audit.reading.questions import File, Item

__all__ = ["Faults", "RowLaws", "candidates"]


class Faults:
    """Breaches of one file's rows by law, collected in one pass."""

    def __init__(self) -> None:
        self.checked: dict[str, int] = {}
        self.found: dict[str, list[int]] = {}
        self.first: dict[str, str] = {}

    def check(self, law: str, row: int, good: object, say: Callable[[], str]) -> None:
        self.checked[law] = self.checked.get(law, 0) + 1
        if not good:
            self.found.setdefault(law, []).append(row)
            if law not in self.first:
                self.first[law] = say()

    def enter(self, ledger: Ledger, file: str) -> None:
        for law, checked in self.checked.items():
            ledger.check(
                law, file, checked, self.found.get(law, []), lambda _, law=law: self.first[law]
            )


class RowLaws:
    """Checks the rows of one file; `config` is the manifest's."""

    def __init__(self, parser: Parser, file: File, config: Mapping[str, Any]) -> None:
        self.parser, self.file, self.faults = parser, file, Faults()
        self.leak_guards = config.get("leak_guards", False)
        self.distractors = config.get("distractors", 0)
        self.length = config.get("context_facts", 0)
        table = parser.evidence.table
        self.names = [relation.name for relation in table.relations]
        self.letters = [relation.letter for relation in table.relations]
        self.kinds = [relation.object for relation in table.relations]

    def check(self, item: Item) -> None:
        """Every law of a row that can be read; of others only that they cannot."""
        record, row, check = item.record, item.row, self.faults.check
        readable = item.path and item.start >= 0
        path = [self.names[relation] for relation in item.path]
        check(
            "question",
            row,
            readable
            and path == record["path"]
            and record["entities"][:1] == [self._text(item.start)],
            lambda: self._question(item),
        )
        self._placed(item)
        self._context(item)
        if not readable:
            return
        people = self.parser.evidence.people
        expected = [self._text(place) for place in item.walk]
        check(
            "solution",
            row,
            expected == record["entities"] and record["answer"] == expected[-1],
            lambda: (
                f"the text leads to {_arrows(expected)}, the row says {_arrows(record['entities'])} and answer {record['answer']!r}"
            ),
        )
        pattern = "".join(self.letters[relation] for relation in item.path)
        columns = {"pattern": pattern, "hops": len(path), "answer_kind": self.kinds[item.path[-1]]}
        check(
            "columns",
            row,
            all(record[name] == value for name, value in columns.items()),
            lambda: next(
                f"{name} must be {value!r}, found {record[name]!r}"
                for name, value in columns.items()
                if record[name] != value
            ),
        )
        check(
            "chain",
            row,
            self._chain(record["chain"])
            == (list(zip(expected, path, expected[1:], strict=False)), expected[-1]),
            lambda: self._say_chain(item),
        )
        on_chain = [place for place in item.walk if 0 <= place < people]
        check(
            "different people",
            row,
            len(set(on_chain)) == len(on_chain),
            lambda: f"somebody stands twice on the chain {_arrows(expected)}",
        )
        if item.context.people:
            self._choices(item, pattern)

    def _placed(self, item: Item) -> None:
        record, file = item.record, self.file
        skill = file.skill or ("mem" if item.path and self.letters[item.path[0]] == "P" else "ctx")
        begins, ends = (
            "probe-" if file.level == "probe" else f"{skill}-{file.level}-",
            f"-{item.start:06d}",
        )
        portion = record["portion"] if file.level == "train" and record["portion"] >= 1 else 0
        expected = skill, file.level, 1 if file.level == "train" and not portion else portion
        found = record["skill"], record["level"], record["portion"]
        self.faults.check(
            "placed",
            item.row,
            found == expected and record["id"].startswith(begins) and record["id"].endswith(ends),
            lambda: (
                f"must be {', '.join(map(str, expected))} (skill, level, portion) with an id {begins}...{ends}; "
                f"found {', '.join(map(str, found))} and {record['id']}"
            ),
        )

    def _context(self, item: Item) -> None:
        record, row, check, context = item.record, item.row, self.faults.check, item.context
        if record["skill"] == "mem" or not record["context"]:
            letters = {self.letters[relation] for relation in item.path}
            needless = (
                not record["context"]
                and not record["context_people"]
                and (record["skill"] == "mem" or "C" not in letters)
            )
            check(
                "context people",
                row,
                needless,
                lambda: "a question has a context exactly where something is to be read",
            )
            return
        people = [self._text(person) for person in context.people]
        check("context", row, not context.problem, lambda: context.problem)
        check(
            "context people",
            row,
            people == record["context_people"] and len(set(people)) == len(people),
            lambda: (
                f"the lines are about {', '.join(map(str, people))}; context_people says {', '.join(record['context_people'])}"
            ),
        )
        marked = self.marked(record)
        false = [fact for fact in context.false if fact != marked]
        check("context true", row, not false, lambda: self._false(false[0]))
        recalled = [
            key
            for key, target in context.facts.items()
            if self.parser.evidence.parametric[key // self.parser.evidence.people]
            and (key, target) != marked
        ]
        check(
            "context group",
            row,
            not recalled,
            lambda: (
                f"the context states what is to be recalled: {self._say(recalled[0], context.facts[recalled[0]])}"
            ),
        )

    def marked(self, record: Mapping[str, Any]) -> tuple[int, int] | None:
        """(key, object) of the one false sentence that a row beyond the levels says its context holds."""
        fact = record["changed"] if record.get("altered") else record.get("conflicting")
        if not fact:
            return None
        subject, relation, _, target = fact
        ids, people = self.parser.evidence.ids, self.parser.evidence.people
        number = self.parser.numbers.get(relation, UNKNOWN)
        return (
            (number * people + ids.get(subject, UNKNOWN), ids.get(target, UNKNOWN))
            if number >= 0
            else None
        )

    def _choices(self, item: Item, pattern: str) -> None:
        """Guards, distractors, and what could tell the person meant from the others."""
        evidence, context, check, row = (
            self.parser.evidence,
            item.context,
            self.faults.check,
            item.row,
        )
        asked = sum(
            1 << relation
            for relation, letter in zip(item.path, pattern, strict=True)
            if letter == "C"
        )
        if self.distractors or self.length:
            lacking = [line for line, told in enumerate(context.told) if told & asked != asked]
            check(
                "alike",
                row,
                not lacking,
                lambda: (
                    f"line {lacking[0] + 1} does not state every contextual relation of {' > '.join(item.record['path'])}"
                ),
            )
        if self.length:
            most = max(self.length, asked.bit_count()) + ("conflicting" in item.record)
            longest = max(context.sizes)
            check(
                "context length",
                row,
                longest <= most,
                lambda: f"at most {most} sentences a person, found {longest}",
            )
        if self.leak_guards and "P" in pattern:
            mirrors = {
                evidence.inverses[relation]
                for relation, letter in zip(item.path, pattern, strict=True)
                if letter == "P"
            }
            marked = (self.marked(item.record) or (None,))[0]
            given = [
                (line, mirror)
                for line, (person, told) in enumerate(
                    zip(context.people, context.told, strict=True)
                )
                for mirror in mirrors
                if mirror >= 0
                and told >> mirror & 1
                and mirror * evidence.people + person != marked
            ]
            check(
                "guard",
                row,
                not given,
                lambda: (
                    f"line {given[0][0] + 1} states {self.names[given[0][1]]}, the mirror of a hop to be recalled"
                ),
            )
        if self.distractors:
            least = self.distractors + 1
            found = candidates(evidence, item, pattern)
            check(
                "distractors",
                row,
                found >= least,
                lambda: f"{found} people of the context could be meant, {least} must",
            )

    def _chain(self, text: str) -> tuple[list, str | None]:
        hops, answer = self.parser.reader.chain(text)
        return [tuple(hop) if hop else None for hop in hops], answer

    def _text(self, number: int) -> str | None:
        return self.parser.evidence.texts[number] if number >= 0 else None

    def _say(self, key: int, target: int) -> str:
        relation, subject = divmod(key, self.parser.evidence.people)
        return f"{self._text(subject)} {self.names[relation]} {self._text(target)}"

    def _false(self, fact: tuple[int, int]) -> str:
        relation, subject = divmod(fact[0], self.parser.evidence.people)
        return f"it states {self._say(*fact)}; the biography states {self.parser.evidence.text(self.parser.evidence.facts[relation, subject])}"

    def _question(self, item: Item) -> str:
        record = item.record
        said = (
            f"{self._text(item.start)} and {' > '.join(self.names[relation] for relation in item.path)}"
            if item.path
            else "nothing"
        )
        return f"{record['question']!r} reads as {said}; the row says {' '.join(record['entities'][:1])} and {' > '.join(record['path'])}"

    def _say_chain(self, item: Item) -> str:
        expected = _arrows([self._text(place) for place in item.walk])
        return f"the chain must lead {expected} by {' > '.join(item.record['path'])}, found {item.record['chain'][:200]!r}"


def candidates(evidence: Evidence, item: Item, pattern: str) -> int:
    """How many people of the context could be meant by whoever recalls nothing: at the last recalled hop that is read on from, those
    whom the context leads on just as far; without such a hop, those not on the chain and the one that is read last.
    """
    context, people = item.context, evidence.people
    if "PC" not in pattern:
        return len(set(context.people) - set(item.walk)) + 1
    begin = pattern.rindex("PC") + 1
    run = item.path[begin : begin + len(pattern[begin:].split("P")[0])]
    before = set(item.walk[:begin])
    found = 0
    for person in context.people:
        here: int | None = person
        for relation in run:
            here = context.facts.get(relation * people + here) if here is not None else None
        found += here is not None and person not in before
    return found


def _arrows(entities: list) -> str:
    return " > ".join(map(str, entities))
