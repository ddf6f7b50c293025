"""The world as a library: what can be read, what a call counts as, and what an answer earns."""

from __future__ import annotations

import re

import pytest

from bioreason_bench.environments.library import (
    CLOSED,
    NO_CALLS,
    OVER,
    SHELVES,
    Library,
    make_library,
)
from bioreason_bench.environments.questions import read_questions
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.questions.prompts import chat_prompt

LOOKED_UP = {"both": "PC", "contextual": "C", "parametric": "P"}


def statements(library: Library, text: str) -> set[tuple[str, str, str] | None]:
    """The facts that some biographies, one a line, state."""
    read = library.biographies.reader.biography
    return {fact for line in text.split("\n") for fact in read(line)}


@pytest.mark.parametrize("shelf", SHELVES)
def test_every_fact_to_be_looked_up_is_in_the_biography_of_its_subject(tiny_release, shelf):
    library = make_library("comp_depth", data=str(tiny_release), shelf=shelf)
    for row in library.questions.rows:
        episode = library.episode(row)
        hops = zip(row["entities"], row["path"], row["entities"][1:], row["pattern"], strict=False)
        for subject, relation, reached, letter in hops:
            if letter in LOOKED_UP[shelf]:
                shown = episode.read_biography(subject)
                assert (subject, relation, reached) in statements(library, shown), row["id"]
        assert (episode.useless_calls, episode.log()["found_share"]) == (0, 1.0)


def test_a_shelf_of_contextual_biographies_gives_no_recalled_hop_away(tiny_release):
    """Neither by reading the people on the chain nor by searching for them."""
    library = make_library("comp_iid", data=str(tiny_release), shelf="contextual", most_calls=50)
    whole = make_library("comp_iid", data=str(tiny_release), shelf="both")
    left_out = 0
    for row in library.questions.rows:
        entities, episode = row["entities"], library.episode(row)
        people = entities if row["answer_kind"] == "person" else entities[:-1]
        for hop, letter in enumerate(row["pattern"]):
            if letter == "P":
                ends = {entities[hop], entities[hop + 1]}
                for person in ends & set(people):
                    for text in (episode.read_biography(person), episode.search(person)):
                        facts = [
                            library.biographies.reader.sentence(re.sub("^[^:]*: ", "", line))
                            for line in text.split("\n")
                        ]
                        facts += statements(library, text)
                        assert not any(fact and ends == {fact[0], fact[2]} for fact in facts)
                    full = whole.episode(row).read_biography(person)
                    left_out += len(statements(library, full)) > 0 and any(
                        fact and ends == {fact[0], fact[2]} for fact in statements(library, full)
                    )
    assert left_out > 10, "with both shelves, such facts can be read"


def test_the_prompt_shows_what_is_not_on_the_shelf(tiny_release):
    data = str(tiny_release)
    row = read_questions("comp_iid", data=data).rows[0]
    shown = {
        ("context", "both"): True,
        ("closed", "both"): False,
        ("lookup", "both"): False,
        ("lookup", "contextual"): False,
        ("lookup", "parametric"): True,
    }
    prompts = set()
    for (mode, shelf), expected in shown.items():
        prompt = make_library("comp_iid", data=data, mode=mode, shelf=shelf).prompt(row)
        assert (row["context"] in prompt, row["question"] in prompt) == (expected, True)
        assert ("read_biography" in prompt) == (mode == "lookup")
        prompts.add(prompt)
    assert len(prompts) == len(shown)
    assert make_library("comp_iid", data=data, mode="context").prompt(row) == chat_prompt(row)


def test_calls_are_useful_only_if_they_read_somebody_on_the_chain_for_the_first_time(tiny_release):
    library = make_library("comp_rl", data=str(tiny_release), cost=0.1)
    row = library.questions.rows[0]
    start, answer = row["entities"][0], row["answer"]
    episode = library.episode(row)
    assert episode.read_biography(start.upper()).count("\n") == 1, "one line for each group"
    assert episode.read_biography(start)
    assert episode.read_biography("Nobody At All") == "The library has nothing about Nobody At All."
    assert start in episode.search(start.split()[0].lower())
    assert episode.search("") == "Nothing in the library contains ."
    log = episode.log()
    assert (log["calls"], log["useful_calls"], log["useless_calls"], log["searches"]) == (
        5,
        1,
        4,
        2,
    )
    assert episode.reward() == 0.0
    episode.answer(answer)
    assert episode.reward() == pytest.approx(0.6)
    assert episode.read_biography(start) == OVER and episode.log()["calls"] == 5


def test_only_the_first_answer_counts(tiny_release):
    library = make_library("comp_rl", data=str(tiny_release))
    row = library.questions.rows[0]
    episode = library.episode(row)
    episode.answer("nobody")
    assert episode.answer(row["chain"]) == OVER
    assert episode.reward() == 0.0


def test_after_the_last_call_nothing_is_looked_up(tiny_release):
    library = make_library("comp_rl", data=str(tiny_release), most_calls=3)
    episode = library.episode(library.questions.rows[0])
    people = [row["entities"][0] for row in library.questions.rows[1:]]
    assert [episode.read_biography(person) for person in people][3:] == [NO_CALLS] * 96
    assert episode.log()["calls"] == 3


def test_a_closed_library_answers_no_call(tiny_release):
    for mode in ("closed", "context"):
        library = make_library("comp_rl", data=str(tiny_release), mode=mode)
        row = library.questions.rows[0]
        episode = library.episode(row)
        assert episode.read_biography(row["entities"][0]) == episode.search("a") == CLOSED
        episode.answer(row["chain"])
        assert (episode.reward(), episode.log()["calls"]) == (1.0, 0)


def test_a_chain_is_graded_hop_by_hop_if_the_reward_asks_for_it(tiny_release):
    library = make_library("comp_rl", data=str(tiny_release), reward="process")
    row = next(row for row in library.questions.rows if row["hops"] == 2)
    first = row["chain"].partition(". ")[0]
    episode = library.episode(row)
    episode.answer(f"{first}. So, the answer is: nobody")
    assert episode.reward() == 0.5


def test_a_search_is_the_same_every_time_and_short(tiny_release):
    library = make_library("comp_rl", data=str(tiny_release))
    rows = library.questions.rows
    found = [library.episode(rows[number]).search("was") for number in (0, 1)]
    assert found[0] == found[1] and found[0].count("\n") == 4


def test_training_and_test_splits_are_those_of_the_release(tiny_release):
    data = str(tiny_release)
    assert {row["level"] for row in read_questions("comp_rl", data=data).rows} == {"train"}
    assert len(read_questions("comp_zeroshot", "train", data=data).rows) == 600
    assert len(read_questions("comp_zeroshot", data=data).rows) == 40
    assert len(read_questions("comp_zeroshot", "validation", data=data, first=3).rows) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "look"}, "there is no mode='look': did you mean 'lookup'?"),
        ({"shelf": "contxtual"}, "did you mean 'contextual'?"),
        ({"cost": -1.0}, "cost=-1.0 must be between 0 and 1"),
        ({"most_calls": 0}, "most_calls=0 must be at least 1"),
        ({"config": "comp_zeroshop"}, "did you mean 'comp_zeroshot'?"),
        ({"config": "comp_iid", "split": "dev"}, "comp_iid has no split='dev'"),
        ({"split": "test"}, "comp_rl has no split='test': choose one of train"),
        ({"config": "comp_conflict"}, "their contexts depart from the biographies"),
        ({"config": "comp_counterfactual"}, "choose mode='context'"),
        ({"config": "mem_iid", "shelf": "contextual"}, "holds nothing that these questions ask"),
        ({"prompt": "chatty"}, "did you mean 'chat'?"),
        ({"reward": "proces"}, "did you mean 'process'?"),
        ({"seed": 7}, "seed=7 names a world only together with a preset; add preset=v1, without"),
        ({"data": None, "seed": 7}, "seed=7 names a world only together with a preset"),
        ({"data": None, "revision": "v1.0.0"}, "revision='v1.0.0' needs data"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tiny_release, settings, message):
    with pytest.raises(UsageError) as caught:
        make_library(**{"config": "comp_rl", "data": str(tiny_release), **settings})
    assert message in str(caught.value)


def test_a_release_without_rl_questions_says_so(tiny_release):
    with pytest.raises(ReleaseError, match="has no file data/mem/rl"):
        make_library("mem_rl", data=str(tiny_release))
