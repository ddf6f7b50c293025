"""The kinds of questions beyond the levels: counterfactual pairs, conflicts, directions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.errors import UsageError
from bioreason_bench.grading.grader import Grader
from bioreason_bench.language.reader import Reader
from bioreason_bench.release.read import Release

Rows = list[dict[str, Any]]


@pytest.fixture(params=["tiny_release", "nano_release"])
def release(request: pytest.FixtureRequest) -> Release:
    return Release(request.getfixturevalue(request.param))


@pytest.fixture
def read(release: Release) -> Callable[[str], list[tuple[str, str, str]]]:
    """The facts of a context, in order."""
    reader = Reader(release.relations, release.config.language)
    return lambda context: [
        reader.sentence(part)
        for line in context.split("\n")
        for part in reader.biography_sentences(line)
    ]


def pairs(release: Release, config: str) -> list[tuple[dict, dict]]:
    rows = list(release.rows(config, "test"))
    return list(zip(rows[::2], rows[1::2], strict=True))


def test_twins_stand_side_by_side_and_ask_the_same(release: Release) -> None:
    twins = pairs(release, "comp_counterfactual")
    assert len(twins) == release.config.comp.counterfactual > 0
    for one, two in twins:
        assert (one["altered"], two["altered"]) == (False, True)
        assert all(
            one[name] == two[name]
            for name in ("pair", "question", "path", "context_people", "changed")
        )
        assert one["answer"] != two["answer"]


def test_the_contexts_of_twins_differ_in_the_changed_fact_alone(release: Release, read) -> None:
    for one, two in pairs(release, "comp_counterfactual"):
        subject, relation, true, false = one["changed"]
        differ = [
            (a, b)
            for a, b in zip(read(one["context"]), read(two["context"]), strict=True)
            if a != b
        ]
        assert differ == [((subject, relation, true), (subject, relation, false))]


def test_whoever_answers_one_twin_by_the_other_fails(release: Release) -> None:
    """The grader accepts each version's own chain and refuses the other's."""
    grader = Grader(release.relations, release.config.language)
    for one, two in pairs(release, "comp_counterfactual"):
        assert grader.grade(one["chain"], one).process_verified
        assert grader.grade(two["chain"], two).process_verified
        assert not grader.grade(one["chain"], two).exact_match
        assert not grader.grade(two["chain"], one).exact_match


def test_the_changed_fact_is_read_and_what_comes_before_and_after_it_is_not(
    release: Release,
) -> None:
    """No other sentence of the contexts speaks of the changed object."""
    for one, two in pairs(release, "comp_counterfactual"):
        subject, relation, true, false = one["changed"]
        hop = one["path"].index(relation)
        assert (one["entities"][hop], one["entities"][hop + 1], two["entities"][hop + 1]) == (
            subject,
            true,
            false,
        )
        assert one["pattern"][hop : hop + 2] in ("C", "CP")
        assert one["entities"][: hop + 1] == two["entities"][: hop + 1]


def test_a_conflict_contradicts_one_recalled_fact_and_records_both_answers(
    release: Release, read
) -> None:
    rows = list(release.rows("comp_conflict", "test"))
    assert len(rows) == release.config.comp.conflict > 0
    facts = {
        (row["subject"], row["relation"]): row["object"]
        for row in release.table("facts").to_pylist()
    }
    for row in rows:
        subject, relation, true, false = row["conflicting"]
        hop = row["path"].index(relation)
        assert row["pattern"][hop] == "P"
        assert facts[subject, relation] == true == row["entities"][hop + 1]
        lies = [fact for fact in read(row["context"]) if facts.get(fact[:2]) != fact[2]]
        assert lies == [(subject, relation, false)]
        assert (
            row["answer"]
            == row["answer_memory"]
            != row["answer_context"]
            == row["entities_context"][-1]
        )
        assert row["entities_context"][: hop + 2] == [*row["entities"][: hop + 1], false]


def test_no_twin_or_conflict_begins_where_another_question_of_its_path_does(
    release: Release,
) -> None:
    asked = [(row["entities"][0], tuple(row["path"])) for row in release.rows("comp_iid", "train")]
    asked += [(row["entities"][0], tuple(row["path"])) for row in release.rows("comp_iid", "test")]
    asked += [
        (one["entities"][0], tuple(one["path"])) for one, _ in pairs(release, "comp_counterfactual")
    ]
    asked += [
        (row["entities"][0], tuple(row["path"])) for row in release.rows("comp_conflict", "test")
    ]
    assert len(set(asked)) == len(asked)


def test_a_fact_is_asked_from_both_ends_and_only_one_end_is_trained_on(tiny_release: Path) -> None:
    """A biography to train on states one direction of the fact; none states the other."""
    release = Release(tiny_release)
    reader = Reader(release.relations)
    trained = {
        fact
        for row in release.rows("biographies", "parametric")
        for fact in reader.biography(row["text"])
    }
    ends = pairs(release, "mem_direction")
    assert len(ends) == release.config.mem.direction
    for one, two in ends:
        assert one["entities"] == two["entities"][::-1]
        assert release.relations[release.relations.number(one["path"][0])].inverse == two["path"][0]
        assert (*one["entities"][:1], *one["path"], one["answer"]) in trained
        assert (*two["entities"][:1], *two["path"], two["answer"]) not in trained
        assert (one["direction_seen"], two["direction_seen"]) == (True, False)
        assert one["context"] == two["context"] == ""


def test_direction_seen_is_false_where_memory_states_the_mirror_of_what_is_read(
    release: Release,
) -> None:
    facts = {
        (row["subject"], row["relation"]): row["object"]
        for row in release.table("facts").to_pylist()
        if row["group"] == "parametric"
    }
    inverse = {row.name: row.inverse for row in release.relations.relations}
    for config in ("ctx_iid", "comp_iid"):
        for row in release.rows(config, "train"):
            hops = zip(row["path"], row["entities"], row["entities"][1:], strict=False)
            turned = any(
                (s, r) not in facts and facts.get((o, inverse[r])) == s
                for r, s, o in hops
                if inverse[r] != r
            )
            assert row["direction_seen"] != turned


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"comp.counterfactual": "100000"}, "comp.counterfactual: 100,000 questions are asked for"),
        ({"comp.conflict": "100000"}, "comp.conflict: 100,000 questions are asked for"),
        (
            {"mem.direction": "100000"},
            "mem.direction: 100,000 facts of inverse pairs are asked for",
        ),
        ({"ctx.conflict": "5"}, "ctx.conflict is 5; only comp has such questions"),
    ],
)
def test_more_than_there_is_gets_one_sentence(setting: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make_dataset(load_preset("tiny").override(setting))
