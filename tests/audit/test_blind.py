"""Blind solvers, and those that choose by a cue, on a context of four people."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from bioreason_bench.audit.reading.links import alternatives, branches
from bioreason_bench.audit.reading.parser import EMPTY, Context, ParsedRelease
from bioreason_bench.audit.reading.questions import File, ParsedQuestion, TableBuilder
from bioreason_bench.audit.reading.training import TrainingExposure
from bioreason_bench.audit.solvers.blind import BLIND_AT, Walks, answer_blindly
from bioreason_bench.audit.solvers.choices import (
    CHOOSERS,
    ChoiceSample,
    choose,
    fit_choices,
)
from bioreason_bench.audit.solvers.knowledge import Knowledge
from bioreason_bench.audit.solvers.popularity import Popularity
from bioreason_bench.texts import NumberedTexts
from bioreason_bench.world.table import load_table

TABLE = load_table()
BOSS, CLASSMATE, MENTORING, BORN = map(
    TABLE.number, ("boss", "classmate", "mentoring", "birth_date")
)
BIRTH_PLACE, RIVAL = map(TABLE.number, ("birth_place", "rival"))
ANN, BO, CY, DI, ED = range(5)
PEOPLE = ["Ann Lee", "Bo Ray", "Cy Fox", "Di Orr", "Ed Kim"]
CITIES = ["Lagos", "Lima", "Pune", "Rome"]
YEARS = [1950, 1920, 1952, 1931, 1944]


def release() -> ParsedRelease:
    """Ann's boss was Bo, her classmate Cy, and she mentored Di; all were born somewhere."""
    texts = NumberedTexts([[*PEOPLE, *CITIES, *(f"March 3, {year}" for year in YEARS)]])
    facts = np.full((len(TABLE), len(PEOPLE)), -1, np.int32)
    facts[BOSS, ANN], facts[CLASSMATE, ANN], facts[MENTORING, ANN] = BO, CY, DI
    facts[BIRTH_PLACE, BO : ED + 1] = range(5, 9)
    facts[BORN] = range(9, 14)
    everyone = np.ones(len(PEOPLE), bool)
    return ParsedRelease(TABLE, "english", texts, len(PEOPLE), everyone, everyone, ~everyone, facts)


def question(people: list[int], path: tuple[int, ...] = (BOSS, BIRTH_PLACE)) -> ParsedQuestion:
    """Where was Ann's boss born?  The context says where these people were."""
    parsed = release()
    facts = {
        BIRTH_PLACE * len(PEOPLE) + person: int(parsed.facts[BIRTH_PLACE, person])
        for person in people
    }
    context = Context(people, [1 << BIRTH_PLACE] * len(people), [1] * len(people), facts, [])
    walk = [ANN, BO, int(parsed.facts[BIRTH_PLACE, BO])]
    return ParsedQuestion(0, ANN, path, context, walk, {"skill": "comp"})


def knowledge(**more: object) -> Knowledge:
    parsed = release()
    questions = TableBuilder(File("data/comp/train-00000-of-00001.parquet"), parsed)
    questions.add(ParsedQuestion(0, ANN, (BIRTH_PLACE,), EMPTY, [ANN, 5], {}))
    exposure = {"comp": TrainingExposure(parsed, [questions.build()])}
    return Knowledge(parsed, exposure, distractors=2, **more)


@pytest.mark.parametrize(
    ("pattern", "hops"),
    [
        ("PC", [0]),
        ("CP", [0]),
        ("PCP", [0, 1]),
        ("CPP", [0]),
        ("PPC", [0, 1]),
        ("CPC", [0, 1]),
        ("CCC", [1]),
        ("C", []),
        ("PP", []),
    ],
)
def test_branches_are_the_hops_that_a_context_gives_alternatives_for(
    pattern: str, hops: list[int]
) -> None:
    assert branches(pattern) == hops


def test_alternatives_are_named_by_the_same_biography_and_lead_to_an_answer() -> None:
    assert alternatives(release(), question([BO, CY, DI, ED]), "PC", 0) == {CY, DI}
    assert alternatives(release(), question([BO, CY, ED]), "PC", 0) == {CY}


@pytest.mark.parametrize(("classmate", "fits"), [(CY, True), (DI, False)])
def test_an_alternative_has_an_age_that_the_relation_allows(classmate: int, fits: bool) -> None:
    """A child is 18 years younger at least; Cy is 32 years younger than Bo, and Di 11."""
    parsed, child = release(), TABLE.number("child")
    parsed.facts[child, BO], parsed.facts[CLASSMATE, BO] = ANN, classmate
    asked = question([ANN, CY, DI], (child, BIRTH_PLACE))
    asked.walk[:2] = BO, ANN
    assert alternatives(parsed, asked, "PC", 0) == ({classmate} if fits else set())


def test_a_blind_hop_goes_on_to_everyone_whom_the_biography_names() -> None:
    walks = Walks(question([BO, CY, DI, ED]), knowledge())
    assert set(walks.reach([0])) == {5, 6, 7}  # not where Ed was born
    assert set(walks.reach([])) == {5}
    assert walks.chance(0) == pytest.approx(1 / 3)


def test_someone_who_is_not_read_about_cannot_be_meant() -> None:
    walks = Walks(question([BO, ED]), knowledge())
    guess = answer_blindly(walks, BLIND_AT["associate"](walks))
    assert guess is not None
    assert guess.answer == 5
    assert guess.chance == pytest.approx(1 / 3)  # of the three that the config promises


@pytest.mark.parametrize(
    ("solver", "choice"),
    [("associate", True), ("last_hop", True), ("any_unseen", True), ("skim", False)],
)
def test_a_question_counts_only_where_a_solver_is_blind_at_a_branch(
    solver: str, choice: bool
) -> None:
    """The birth place is read at the last hop, and training uses it; it never uses the boss."""
    walks = Walks(question([BO, CY, DI]), knowledge())
    assert (answer_blindly(walks, BLIND_AT[solver](walks)) is not None) == choice


def test_lawful_takes_the_age_in_the_middle_of_the_window() -> None:
    """The window of boss is even on both sides, so that it is Cy, who is as old as Ann."""
    walks = Walks(question([BO, CY, DI, ED]), knowledge())
    guess = choose(walks, CHOOSERS["lawful"])
    assert guess is not None
    assert guess.answer == 6


def test_popular_takes_who_was_meant_in_training() -> None:
    popularity = Popularity.empty(len(PEOPLE))
    popularity.count(question([BO, CY, DI, ED]))
    guess = choose(
        Walks(question([DI, CY, BO]), knowledge(popularity=popularity)), CHOOSERS["popular"]
    )
    assert guess is not None
    assert guess.answer == 5


def test_learned_finds_the_cue_that_tells_who_is_meant() -> None:
    """Whoever is meant, they are in the first line of every training context."""
    sample, nobody = ChoiceSample(), Popularity.empty(len(PEOPLE))
    popularity = Popularity.empty(len(PEOPLE))
    for boss, *others in permutations([BO, CY, DI]):
        training = knowledge()
        training.release.facts[[BOSS, CLASSMATE, MENTORING], ANN] = boss, *others
        one = question([boss, *others])
        one.walk[1] = boss
        sample.add(one, training)
        popularity.count(one)
    weights = fit_choices([sample.build()], popularity)
    walks = Walks(question([CY, BO, DI]), knowledge(popularity=nobody, weights=weights))
    guess = choose(walks, CHOOSERS["learned"])
    assert guess is not None
    assert guess.answer == 6
