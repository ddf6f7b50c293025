"""The laws of open books, whose contexts state the facts to be recalled as well.

Parametric biographies stand there for everybody about whom a fact is asked, and for enough others,
so that nobody is found by having one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bioreason_bench.audit.laws.contexts.closed import ContextRules
from bioreason_bench.audit.ledger import Ledger, RowViolations
from bioreason_bench.audit.reading.ages import TOLERANCE, age_difference, fits_window
from bioreason_bench.audit.reading.links import read_links
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import ParsedQuestion, QuestionTable

__all__ = ["OpenBookLaws", "check_open_books"]


@dataclass(frozen=True)
class OpenBookLaws:
    """The laws of one context of an open book.

    Attributes:
        release: The release.
        rules: What the config promises.
        question: A question that can be read, with a context.
        violations: Where checks are counted.
    """

    release: ParsedRelease
    rules: ContextRules
    question: ParsedQuestion
    violations: RowViolations

    def check(self) -> None:
        context, recall = self.question.context, self.release.recalled_mask
        stated = {
            person: bits
            for person, bits in zip(context.people, context.stated, strict=True)
            if bits & recall
        }
        problem = (
            self._problem_of_lines(stated)
            or self._problem_of_others(stated)
            or self._problem_of_names(stated)
        )
        self.violations.check("open alternatives", self.question.row, not problem, lambda: problem)

    def _problem_of_lines(self, stated: Mapping[int, int]) -> str:
        """Whose parametric biography states less than the others, "" if nobody's does.

        A fact may be left out where it would lead back to somebody from whom the text leads here.
        """
        release = self.release
        if self.rules.own_facts:  # two may be related by a relation that is asked, and back
            return ""
        asked = [
            number
            for number in self.question.path
            if release.parametric[number] and not release.table[number].symmetric
        ]
        for person, bits in stated.items():
            for number in asked:
                target = release.rows[number][person]
                states = target < 0 or bits >> number & 1
                if not states and not self._leads(target, person):
                    return (
                        f"the parametric biography of {release.text(person)} does not state "
                        f"{release.table[number].name}"
                    )
        return ""

    def _problem_of_others(self, stated: Mapping[int, int]) -> str:
        """The recalled hop that too few other people could have, "" if there is none."""
        question, release = self.question, self.release
        if self.rules.own_facts or not self._is_walked:
            return ""
        for hop in range(1, len(question.path)):
            relation = question.path[hop]
            if not release.parametric[relation]:
                continue
            others = self._others(hop)
            shown = {one for one in others if stated.get(one, 0) >> relation & 1}
            if len(shown) < min(self.rules.distractors, len(others)):
                return (
                    f"of {len(others)} people who could be meant before hop {hop + 1}, "
                    f"{len(shown)} have a parametric biography in the context"
                )
        return ""

    def _problem_of_names(self, stated: Mapping[int, int]) -> str:
        """Where parametric biographies name the person before, "" if nowhere.

        A relation that the question still asks for may lead there from somebody who is not meant,
        and somebody may be in the context for another reason as well.
        """
        question, release = self.question, self.release
        if self.rules.own_facts or not self._is_walked:
            return ""
        for hop in range(1, len(question.path)):
            if not release.parametric[question.path[hop]]:
                continue
            before, others = question.walk[hop - 1], self._others(hop)
            naming = {
                person
                for person in {question.walk[hop], *others}
                for number, target in release.recalled_links(person)
                if target == before and stated.get(person, 0) >> number & 1
                if number not in question.path[hop:]
            }
            shown = {one for one in others if one in stated}
            if question.walk[hop] in naming or 2 * len(shown & naming) > len(shown):
                return (
                    f"{len(naming)} parametric biographies name {release.text(before)}, from whom "
                    f"hop {hop + 1} leads on"
                )
        return ""

    def _leads(self, subject: int, person: int) -> bool:
        """Whether a biography of the subject, or one of theirs in the context, names the person."""
        if subject >= self.release.people:
            return False
        links = {*self.release.recalled_links(subject)}
        links |= {*read_links(self.release, self.question.context, subject)}
        return any(target == person for _, target in links)

    @property
    def _is_walked(self) -> bool:
        """Whether the text leads from person to person up to the last hop."""
        return all(0 <= one < self.release.people for one in self.question.walk[:-1])

    def _others(self, hop: int) -> set[int]:
        """Who else could be meant as the person from whom a recalled hop starts.

        People to whom the person before is related in other ways, and who have the next fact.
        """
        question, release = self.question, self.release
        subject, before, relation = (
            question.walk[hop - 1],
            question.path[hop - 1],
            question.path[hop],
        )
        if release.parametric[before]:
            links = release.recalled_links(subject)
        else:
            links = read_links(release, question.context, subject)
        older = release.table[before].older
        return {
            target
            for number, target in links
            if number != before
            and target not in question.walk
            and release.rows[relation][target] >= 0
            and fits_window(age_difference(release.births, subject, target), older, -TOLERANCE)
        }


def check_open_books(files: Sequence[QuestionTable], ledger: Ledger) -> None:
    """Each open book is the question of the closed one, with the same contextual biographies."""
    closed: dict[tuple[str, str], list[QuestionTable]] = {}
    for table in files:
        closed.setdefault((table.file.folder, table.file.split), []).append(table)
    for (folder, split), tables in closed.items():
        if not tables[0].file.open_book:
            continue
        skill, level = tables[0].file.skill, tables[0].file.row_level
        twins = closed.get((f"{skill}/{level}", split), [])
        ledger.check_whole("open book", f"data/{folder}/{split}", _difference(tables, twins))


def _difference(tables: Sequence[QuestionTable], twins: Sequence[QuestionTable]) -> str | None:
    """Where open books differ from closed ones in more than parametric biographies."""
    if sum(map(len, tables)) != sum(map(len, twins)):
        have, wanted = sum(map(len, tables)), sum(map(len, twins))
        return f"{have:,} questions, the level has {wanted:,}"
    texts = [np.concatenate([table.text for table in part]) for part in (tables, twins)]
    orders = [np.argsort(text, kind="stable") for text in texts]
    columns = {"question": texts}
    for name in ("start", "path", "walk", "read_lines"):
        columns[name] = [
            np.concatenate([getattr(table, name) for table in part]) for part in (tables, twins)
        ]
    for name in tables[0].recorded:
        columns[name] = [
            np.concatenate([table.recorded[name] for table in part]) for part in (tables, twins)
        ]
    for name, (one, two) in columns.items():
        different = one[orders[0]] != two[orders[1]]
        rows = different.any(axis=1) if different.ndim > 1 else different
        if rows.any():
            what = "contextual biographies" if name == "read_lines" else name
            return f"{int(rows.sum())} questions have another {what} than the level"
    return None
