"""The one grader: answers, chains, and the kinds of errors."""

from __future__ import annotations

import dataclasses
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioreason_bench import grading
from bioreason_bench.grading import (
    ERROR_KINDS,
    Grade,
    Grader,
    final_answer,
    grade,
    grader_for,
    grader_for_record,
    normalise,
    same_answer,
)
from bioreason_bench.world.table import load_table

CASES = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "completions.toml").read_text(encoding="utf-8")
)
RECORDS = CASES["record"]
PEOPLE = {
    "Ada Quill",
    "Bo Ray",
    "Cara Stone",
    "Dan Vale",
    "Eve Moss",
    "Finn Ode",
    "Gus Hale",
    "Ivy Lane",
}
GRADER = Grader(load_table(), known=PEOPLE | {"architect", "baker", "March 3, 1931", "May 1, 1940"})
SYMBOLS = {
    "path": ["child", "spouse"],
    "pattern": "PC",
    "entities": ["p17", "p3", "p9"],
    "question": "p17 child spouse ?",
    "context": "p3 spouse p9 . p3 rival p4 .",
    "chain": "p17 child p3 . p3 spouse p9 . So, the answer is: p9",
    "answer": "p9",
}


@pytest.mark.parametrize("case", CASES["completion"], ids=lambda case: case["why"])
def test_each_completion_gets_the_verdict_of_a_careful_person(case):
    verdict = GRADER.grade(case["text"], RECORDS[case["record"]])
    assert verdict.exact_match == case["exact"]
    for name, key in (
        ("process_verified", "verified"),
        ("hops_right", "right"),
        ("error_kind", "kind"),
    ):
        if key in case:
            assert getattr(verdict, name) == case[key], verdict


def test_the_table_of_completions_is_large_and_has_both_verdicts():
    verdicts = [case["exact"] for case in CASES["completion"]]
    assert len(verdicts) >= 40
    assert min(verdicts.count(True), verdicts.count(False)) >= 15
    assert {case["kind"] for case in CASES["completion"] if "kind" in case} == set(ERROR_KINDS)


def test_the_gold_chain_of_every_record_is_perfect():
    for record in (*RECORDS.values(), SYMBOLS):
        for text in (record["chain"], " " + record["chain"], record["chain"] + "\n"):
            verdict = grade(text, record)
            hops = len(record["path"])
            assert verdict == Grade(True, True, hops, hops, True, answer=record["answer"])
            assert set(verdict.metrics().values()) == {1.0}


def test_a_failed_hop_says_which_it_was_and_from_which_group():
    verdict = GRADER.grade(
        "Ada Quill's boss was Bo Ray. Bo Ray's sibling was Eve Moss. So, the answer is: Eve Moss",
        RECORDS["date"],
    )
    assert (verdict.first_error, verdict.failed_group, verdict.hops_right, verdict.hops) == (
        1,
        "contextual",
        1,
        3,
    )
    verdict = GRADER.grade("Ada Quill's boss was Cara Stone.", RECORDS["date"])
    assert (verdict.first_error, verdict.failed_group) == (0, "parametric")
    assert GRADER.grade(RECORDS["date"]["chain"] + "!", RECORDS["date"]).failed_group is None


def test_symbols_are_graded_by_the_same_rules():
    assert grade(
        "p17 child p3 . p9 spouse p3 . So, the answer is: p9 <eos>", SYMBOLS
    ).process_verified
    wrong = grade("p17 child p4 . p4 spouse p9 . So, the answer is: p9", SYMBOLS)
    assert (wrong.exact_match, wrong.process_verified, wrong.first_error) == (True, False, 0)
    assert grade("p17 child p3 . p3 spouse p9 . So, the answer is: p99", SYMBOLS).hops_right == 2


def test_the_format_is_facts_then_one_answer_that_ends_the_text():
    record = RECORDS["person"]
    chain = record["chain"]
    assert grade(chain.replace("Finn Ode", "Gus Hale"), record).format_ok, (
        "a wrong chain may have the right form"
    )
    for text in (
        "",
        "Finn Ode",
        "So, the answer is: Finn Ode",
        "Well now. " + chain,
        chain + "\nI hope this helps!",
        f"{chain} {chain}",
    ):
        assert not grade(text, record).format_ok, text


def test_a_direct_answer_is_graded_without_the_marker_that_ended_the_prompt():
    record = RECORDS["person"]
    grader = grader_for()
    for text in (
        " Finn Ode",
        "Finn Ode.\n\nQuestion: Who",
        "**Finn Ode**",
        "So, the answer is: Finn Ode",
        "It was Finn Ode",
        "Answer: Finn Ode",
        "<think>It was Eve Moss.</think> Finn Ode",
    ):
        assert grader.grade_direct(text, record).exact_match, text
    for text in ("", "Eve Moss", "Finn Ode or Eve Moss", "It was not Finn Ode", "<think>Finn Ode"):
        assert not grader.grade_direct(text, record).exact_match, text


def test_a_name_counts_as_invented_only_if_the_world_is_known():
    record = RECORDS["date"]
    text = "Ada Quill's boss was Zoe Nobody. So, the answer is: March 3, 1931"
    assert GRADER.grade(text, record).error_kind == "invented entity"
    assert Grader(load_table()).grade(text, record).error_kind == "wrong person"


def test_facts_are_what_each_sentence_of_a_chain_states():
    chain = "Ada Quill's boss was Bo Ray. Now then. Bo Ray's sibling was Cara Stone."
    boss, sibling = ("Ada Quill", "boss", "Bo Ray"), ("Bo Ray", "sibling", "Cara Stone")
    assert GRADER.facts(chain) == ([boss, None, sibling], False)
    assert GRADER.facts("Ada Quill's boss was Bo Ray. So,") == ([boss], True)


def test_without_a_grader_the_language_follows_from_the_question():
    assert grader_for_record(SYMBOLS).language == "symbols"
    for record in RECORDS.values():
        assert grader_for_record(record) is grader_for("english")


def test_the_package_offers_its_names_without_importing_them_first():
    for name in grading.__all__:
        assert getattr(grading, name) is not None
    with pytest.raises(AttributeError):
        grading.judge  # noqa: B018


def test_grades_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        grade("", RECORDS["date"]).exact_match = True


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_text_gets_a_grade(text):
    for record in (*RECORDS.values(), SYMBOLS):
        for whole in (
            text,
            f"So, the answer is: {text}",
            f"{text} the answer is: {record['answer']}",
        ):
            verdict = grade(whole, record)
            assert 0 <= verdict.hops_right <= verdict.hops == len(record["path"])
            assert verdict.error_kind is None or verdict.error_kind in ERROR_KINDS
            assert not verdict.process_verified or verdict.exact_match
            assert (verdict.first_error is None) == (verdict.hops_right == verdict.hops)


@given(
    st.sampled_from(["Finn Ode", "March 3, 1931", "architect"]),
    st.text(alphabet="abc .,\n*\"'", max_size=20),
)
@settings(max_examples=200, deadline=None)
def test_an_answer_with_words_before_it_is_never_right(answer, noise):
    words = [word for word in noise.split() if word.strip("*.,\"'") not in ("", "a")]
    if words:
        assert not same_answer(f"{' '.join(words)} {answer}", answer)


def test_no_answer_is_no_answer():
    assert final_answer("Finn Ode") is None
    assert final_answer("the answer is:   ** \n ") is None
    assert final_answer("so the answer is: X") == "X"
    assert not same_answer("", "Finn Ode")


MEGABYTE = 1_000_000
HOSTILE = {
    "letters": "a" * MEGABYTE,
    "spaces": " " * MEGABYTE + "x",
    "markers": "the answer is: " * (MEGABYTE // 15),
    "unfinished markers": "the answer is" * (MEGABYTE // 13),
    "quotes": "So, the answer is: " + "\"'" * (MEGABYTE // 2) + "x",
    "nested brackets": "So, the answer is: " + "(" * MEGABYTE + ")" * 5,
    "articles": "So, the answer is: " + 'the "a "' * (MEGABYTE // 8),
    "boxes": "So, the answer is: " + "\\boxed{" * (MEGABYTE // 7),
    "control characters": "\x00\x07\x1b\u202e\ufeff" * (MEGABYTE // 5),
    "lone surrogates": "\ud800" * (MEGABYTE // 2) + " the answer is: \ud800",
    "newlines": "\n" * MEGABYTE + "the answer is:" + "\n" * MEGABYTE,
    "stars": "*" * MEGABYTE + " the answer is: " + "*" * MEGABYTE,
    "bullets": "- - - " * (MEGABYTE // 6),
    "sentences": "Ada Quill's boss was Bo Ray. " * (MEGABYTE // 29),
    "possessives": "Ada Quill's " * (MEGABYTE // 12) + ".",
    "stops": ". " * (MEGABYTE // 2),
    "names": "Ada Quill " * (MEGABYTE // 10),
    "questions": "Question: the answer is: Question: " * (MEGABYTE // 35),
    "tags": "<" * MEGABYTE + "<think>" * 1000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_anything_is_graded_at_once(text):
    grader_for().grade("", RECORDS["date"])
    grader_for("symbols").grade("", SYMBOLS)
    begin = time.process_time()
    for record in (RECORDS["date"], SYMBOLS):
        assert not grade(text, record).process_verified
    assert time.process_time() - begin < 2.0, (
        "seconds; linear work on a megabyte takes a tenth of that"
    )
