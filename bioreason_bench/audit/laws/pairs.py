"""The laws of the configs beyond the levels: counterfactual twins, conflicts, and facts asked from both ends."""

from __future__ import annotations

from typing import Any

from bioreason_bench.audit.laws.rows import Faults
from bioreason_bench.audit.reading.evidence import NOBODY, UNKNOWN, Context, Parser
from bioreason_bench.audit.reading.questions import Item

__all__ = ["BEYOND", "Conflicts", "Directions", "Twins"]


class _Pairs:
    """Rows that belong together by their column `pair`; `compare` says what is wrong with two of them, "" if nothing."""

    law: str

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.waiting: dict[str, Item] = {}

    def add(self, item: Item, faults: Faults) -> None:
        first = self.waiting.pop(item.record["pair"], None)
        if first is None:
            self.waiting[item.record["pair"]] = item
            return
        problem = (
            self.compare(first, item) if first.path and item.path else "a question cannot be read"
        )
        faults.check(self.law, item.row, not problem, lambda: problem)

    def end(self, faults: Faults) -> None:
        for item in self.waiting.values():
            faults.check(
                self.law,
                item.row,
                False,
                lambda item=item: f"the other half of the pair {item.record['pair']} is missing",
            )

    def compare(self, one: Item, two: Item) -> str:
        raise NotImplementedError


class Twins(_Pairs):
    law = "twins"

    def compare(self, one: Item, two: Item) -> str:
        first, second = one.record, two.record
        if (first["altered"], second["altered"]) != (False, True):
            return "the first twin must be as the biographies say, the second altered"
        for name in ("question", "path", "context_people", "changed"):
            if first[name] != second[name]:
                return f"twins must have the same {name}: {first[name]!r} and {second[name]!r}"
        if one.answer == two.answer:
            return f"twins must have different answers, both have {first['answer']!r}"
        key, true, false = _fact(self.parser, first["changed"])
        hop = _hop(one, key, self.parser)
        if hop is None or self.parser.evidence.parametric[one.path[hop]]:
            return f"the changed fact {first['changed']} is no contextual hop of the chain"
        if (one.context.facts.get(key), two.context.facts.get(key)) != (
            true,
            false,
        ) or true == false:
            return f"the contexts must state the changed fact {first['changed']}, each in its way"
        return _beside(self.parser, one.context, two.context, key)


class Directions(_Pairs):
    law = "direction"

    def compare(self, one: Item, two: Item) -> str:
        evidence = self.parser.evidence
        if len(one.path) != 1 or len(two.path) != 1:
            return "both ends are questions of one hop"
        if (one.record["direction_seen"], two.record["direction_seen"]) != (True, False):
            return "direction_seen must be true for the end that training states, which comes first, and false for the other"
        if evidence.inverses[one.path[0]] != two.path[0] or not evidence.parametric[one.path[0]]:
            return f"{two.record['path'][0]} must be the inverse of {one.record['path'][0]}, which is recalled"
        if one.walk != two.walk[::-1]:
            return f"the ends must ask for each other: {one.record['entities']} and {two.record['entities']}"
        return ""


class Conflicts:
    """Each row by itself."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser

    def add(self, item: Item, faults: Faults) -> None:
        problem = self._problem(item) if item.path else "the question cannot be read"
        faults.check("conflict", item.row, not problem, lambda: problem)

    def end(self, faults: Faults) -> None:
        """Nothing is left over."""

    def _problem(self, item: Item) -> str:
        record, evidence, context = item.record, self.parser.evidence, item.context
        key, true, false = _fact(self.parser, record["conflicting"])
        hop = _hop(item, key, self.parser)
        if hop is None or not evidence.parametric[item.path[hop]]:
            return f"the conflicting fact {record['conflicting']} is no recalled hop of the chain"
        if item.walk[hop + 1] != true or true == false:
            return f"the biographies state {evidence.text(item.walk[hop + 1])}, and conflicting says {record['conflicting'][2:]}"
        if context.facts.get(key) != false:
            return f"the context must state that {' '.join(record['conflicting'][:2])} is {record['conflicting'][3]!r}"
        walk = [*item.walk[: hop + 1], *self.parser.solve(false, item.path[hop + 1 :], context)]
        texts = [evidence.texts[place] if place >= 0 else None for place in walk]
        if record["entities_context"] != texts or record["answer_context"] != texts[-1]:
            return f"the context leads to {texts}, the row says {record['entities_context']} and {record['answer_context']!r}"
        if (
            record["answer_memory"] != record["answer"]
            or record["answer_context"] == record["answer"]
        ):
            return "answer_memory must be the answer, and answer_context another one"
        return ""


BEYOND: dict[str, Any] = {"counterfactual": Twins, "conflict": Conflicts, "direction": Directions}


def _fact(parser: Parser, fact: list[str]) -> tuple[int, int, int]:
    """(relation * people + subject, true object, false object) of [subject, relation, true object, false object]."""
    subject, relation, true, false = fact
    ids, number = parser.evidence.ids, parser.numbers.get(relation, UNKNOWN)
    key = (
        number * parser.evidence.people + ids.get(subject, UNKNOWN)
        if number >= 0 and ids.get(subject, UNKNOWN) >= 0
        else NOBODY
    )
    return key, ids.get(true, UNKNOWN), ids.get(false, UNKNOWN)


def _hop(item: Item, key: int, parser: Parser) -> int | None:
    """The hop of the chain that asks for the fact with this key."""
    people = parser.evidence.people
    return next(
        (
            hop
            for hop, relation in enumerate(item.path)
            if relation * people + item.walk[hop] == key
        ),
        None,
    )


def _beside(parser: Parser, one: Context, two: Context, key: int) -> str:
    """Whether two contexts say the same but for one fact."""
    differ = sorted(
        other
        for other in {*one.facts, *two.facts}
        if other != key and one.facts.get(other) != two.facts.get(other)
    )
    if differ or one.sizes != two.sizes:
        relation, subject = divmod(differ[0], parser.evidence.people) if differ else (0, 0)
        what = (
            f"{parser.evidence.text(subject)} {parser.evidence.table[relation].name}"
            if differ
            else "how much they say"
        )
        return f"the contexts of twins may differ in one fact only, and differ in {what} as well"
    return ""
