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

DATA = Path(__file__).parents[1] / "data"
FILES = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted(DATA.glob("completions*.toml"))
}
CASES = [case for file in FILES.values() for case in file["completion"]]
RECORDS = {name: row for file in FILES.values() for name, row in file.get("record", {}).items()}
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
GRADER = Grader(
    load_table(),
    known=PEOPLE
    | {"architect", "baker", "March 3, 1931", "May 1, 1940"}
    | {value for record in RECORDS.values() for value in record["entities"]},
)
SYMBOLS = {
    "path": ["child", "spouse"],
    "pattern": "PC",
    "entities": ["p17", "p3", "p9"],
    "question": "p17 child spouse ?",
    "context": "p3 spouse p9 . p3 rival p4 .",
    "chain": "p17 child p3 . p3 spouse p9 . So, the answer is: p9",
    "answer": "p9",
}


def text_of(case: dict) -> str:
    """The completion of a case."""
    if "text" in case:
        return case["text"]
    record = RECORDS[case["record"]]
    return record["chain"].removesuffix(record["answer"]) + case["answer"]


@pytest.mark.parametrize("name", FILES)
def test_each_completion_gets_the_verdict_of_a_careful_person(name):
    unlike = []
    for case in FILES[name]["completion"]:
        verdict = GRADER.grade(text_of(case), RECORDS[case["record"]])
        expected = {
            "exact_match": case["exact"],
            "process_verified": case.get("verified", case["exact"] if "answer" in case else None),
            "hops_right": case.get("right"),
            "error_kind": case.get("kind"),
        }
        if any(
            value is not None and getattr(verdict, field) != value
            for field, value in expected.items()
        ):
            unlike.append((case["why"], text_of(case), verdict))
    assert not unlike, "\n".join(map(str, unlike))


def test_the_tables_of_completions_are_large_and_have_both_verdicts():
    assert len(CASES) >= 300
    assert all(case["why"] for case in CASES)
    texts = [(case["record"], text_of(case)) for case in CASES]
    assert len(set(texts)) == len(texts), "no case stands twice"
    verdicts = [case["exact"] for case in CASES]
    assert min(verdicts.count(True), verdicts.count(False)) >= 150
    assert {case["kind"] for case in CASES if "kind" in case} == set(ERROR_KINDS)


def hops_to_state(record):
    """All hops but one that the context leaves out."""
    return len(record["path"]) - (record["answer"] == "unknown")


def test_the_gold_chain_of_every_record_is_perfect():
    for record in (*RECORDS.values(), SYMBOLS):
        for text in (record["chain"], " " + record["chain"], record["chain"] + "\n"):
            verdict = grade(text, record)
            hops = hops_to_state(record)
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
            assert 0 <= verdict.hops_right <= verdict.hops == hops_to_state(record)
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


# mutations ------------------------------------------------------------------------------------

ANSWERS = [record["answer"] for record in RECORDS.values()]
FORMATS = st.sampled_from(
    (
        *("{}", " {} ", "**{}**", "`{}`", "<answer>{}</answer>", "\\boxed{{{}}}", "{}."),
        *("{} \u2705", "\u200b{}", "{}</s>", '"{}"', "\u201c{}\u201d", "\n{}\n"),
        "{}\n\nI hope this helps!",
    )
)
NOISE = st.lists(
    st.sampled_from(
        (
            *("so", "the answer is:", "not", "or", "(", ")", ".", ",", "\n", "**", "<think>"),
            *("</think>", "Answer:", "####", "\\boxed{", "}", "~~", "No,", "wait", "Question:"),
            *("\u200b", "</s>", "Who", "was", "it is", "1.", "Mr.", "-", ":", ";", "[EOS]"),
        )
    ),
    max_size=12,
).map(" ".join)


@given(st.sampled_from(list(RECORDS)), FORMATS, FORMATS)
@settings(max_examples=400, deadline=None)
def test_a_right_completion_survives_formatting(name, outer, inner):
    record = RECORDS[name]
    chain = record["chain"].removesuffix(record["answer"])
    text = chain + outer.format(inner.format(record["answer"]))
    assert GRADER.grade(text, record).process_verified, text


@given(st.sampled_from(list(RECORDS)), st.sampled_from(ANSWERS), NOISE, NOISE, NOISE)
@settings(max_examples=300, deadline=None)
def test_a_wrong_answer_is_never_right_whatever_stands_around_it(name, other, begin, mid, end):
    record = RECORDS[name]
    if not same_answer(other, record["answer"]):
        text = f"{begin} {record['chain'].removesuffix(record['answer'])}{mid} {other} {end}"
        assert not GRADER.grade(text, record).exact_match, text


@given(st.sampled_from(list(RECORDS)), NOISE, NOISE, st.sampled_from(ANSWERS))
@settings(max_examples=300, deadline=None)
def test_two_answers_are_never_right(name, between, end, other):
    record = RECORDS[name]
    if not same_answer(other, record["answer"]):
        marker = "So, the answer is: "
        text = f"{record['chain']} {between} {marker}{other} {end}"
        verdict = GRADER.grade(text, record)
        ended = any(sign in text for sign in ("<think>", "</think>", "</s>", "[EOS]", "Question:"))
        if not ended and "~~" not in text:
            assert not verdict.exact_match, text


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_second_answer_of_the_same_kind_takes_the_first_one_back(answer):
    """ "X. Y.", "X or Y", "X (Y)" and so on, for all pairs of answers of one kind."""
    (record,) = (row for row in RECORDS.values() if row["answer"] == answer)
    kind = GRADER.relations[record["path"][-1]].object
    others = [
        row["answer"]
        for row in RECORDS.values()
        if GRADER.relations[row["path"][-1]].object == kind and row["answer"] != answer
    ]
    for other in others:
        for form in ("{}. {}.", "{} or {}", "{} ({})", "{}\n{}", "{}; {}", "{}, {}", "{} / {}"):
            text = "So, the answer is: " + form.format(answer, other)
            assert not GRADER.grade(text, record).exact_match, text


@given(st.sampled_from(CASES), st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_a_cut_completion_is_graded_and_no_cut_makes_a_wrong_chain_right(case, begin, length):
    record = RECORDS[case["record"]]
    text = text_of(case)
    verdict = GRADER.grade(text[begin : begin + length], record)
    assert not verdict.process_verified or verdict.exact_match
    assert verdict.error_kind is None or verdict.error_kind in ERROR_KINDS


def test_time_is_linear_up_to_five_megabytes():
    """Five times the text takes at most twelve times the time; quadratic work takes 25 times."""
    for name in ("sentences", "tags", "names"):
        seconds = []
        for times in (1, 5):
            text = HOSTILE[name] * times
            begin = time.process_time()
            grade(text, RECORDS["date"])
            grade(f"So, the answer is: March 3, 1931. {text}", RECORDS["date"])
            seconds.append(time.process_time() - begin)
        assert seconds[1] < 12 * max(seconds[0], 0.05), (name, seconds)


def test_ten_wrong_facts_before_filler_are_not_overlooked():
    record = RECORDS["person"]
    wrong = "Dan Vale's spouse was Gus Hale. " * 10
    verdict = GRADER.grade(f"{wrong}{'y. ' * 9000}{record['chain']}", record)
    assert (verdict.exact_match, verdict.process_verified, verdict.hops_right) == (True, False, 0)
    verdict = GRADER.grade(f"{'y. ' * 9000}{record['chain']}", record)
    assert (verdict.exact_match, verdict.process_verified) == (True, False)


def test_thoughts_are_cut_and_an_open_one_is_told():
    assert grading.strip_thoughts("a <think>b</think> c") == ("a  c", False)
    assert grading.strip_thoughts("b</think> c") == (" c", False)
    assert grading.strip_thoughts("a <think>b") == ("a ", True)
    assert grading.strip_thoughts("a") == ("a", False)
    verdict = GRADER.grade("<think>" + RECORDS["date"]["chain"], RECORDS["date"])
    assert verdict.truncated and verdict.answer is None and not verdict.exact_match


def test_an_empty_completion_is_wrong_even_where_the_chain_is_not_known():
    assert not GRADER.grade("", {**RECORDS["date"], "chain": ""}).exact_match
