"""Sentences and logical forms: the grammar, the 21 kinds, the laws of a release, its grader."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from grammar_copy import Breach, GrammarCopy, Rows

from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.families.cogs.audit.check import LAWS
from bioreason_bench.families.cogs.audit.parser import NotASentence, Parser, same_form
from bioreason_bench.families.cogs.grammar import FRAMES, logical_form, meaning
from bioreason_bench.families.cogs.kinds import KINDS, LEXICAL, STRUCTURAL
from bioreason_bench.families.cogs.lexicon import CLASSES, make_lexicon
from bioreason_bench.families.cogs.sample import Numbers, Sampler, make_pools, uses_of
from bioreason_bench.family import family_named, load_settings
from bioreason_bench.grading.rewards import REWARDS
from bioreason_bench.release.read import Release

REWARD_COLUMNS = ("question", "context", "chain", "answer", "entities", "path", "skill")
PUBLISHED = {  # sentences of COGS and their published forms (github.com/najoungkim/COGS, MIT)
    "A rose was helped by a dog .": "rose ( x _ 1 ) AND help . theme ( x _ 3 , x _ 1 ) AND "
    "help . agent ( x _ 3 , x _ 6 ) AND dog ( x _ 6 )",
    "Mila liked that the cake was offered to Emma .": "* cake ( x _ 4 ) ; "
    "like . agent ( x _ 1 , Mila ) AND like . ccomp ( x _ 1 , x _ 6 ) AND "
    "offer . theme ( x _ 6 , x _ 4 ) AND offer . recipient ( x _ 6 , Emma )",
    "The moose wanted to read .": "* moose ( x _ 1 ) ; want . agent ( x _ 2 , x _ 1 ) AND "
    "want . xcomp ( x _ 2 , x _ 4 ) AND read . agent ( x _ 4 , x _ 1 )",
    "The girl teleported Liam the cookie .": "* girl ( x _ 1 ) ; * cookie ( x _ 5 ) ; "
    "teleport . agent ( x _ 2 , x _ 1 ) AND teleport . recipient ( x _ 2 , Liam ) AND "
    "teleport . theme ( x _ 2 , x _ 5 )",
    "A hedgehog ate the cake on the bed .": "* cake ( x _ 4 ) ; * bed ( x _ 7 ) ; "
    "hedgehog ( x _ 1 ) AND eat . agent ( x _ 2 , x _ 1 ) AND eat . theme ( x _ 2 , x _ 4 ) AND "
    "cake . nmod . on ( x _ 4 , x _ 7 )",
    "Julian shattered .": "shatter . theme ( x _ 1 , Julian )",
    "stutter": "LAMBDA a . LAMBDA e . stutter . agent ( e , a )",
    "hold": "LAMBDA a . LAMBDA b . LAMBDA e . hold . agent ( e , b ) AND hold . theme ( e , a )",
    "Layla": "Layla",
    "moose": "LAMBDA a . moose ( a )",
}
WORDS_OF_COGS = {
    "names": ["Mila", "Emma", "Liam", "Julian", "Layla"],
    "animate": ["dog", "moose", "girl", "hedgehog"],
    "inanimate": ["rose", "cake", "cookie", "bed"],
    "unergative": ["stutter", "read"],
    "unaccusative": ["shatter"],
    "omissible": ["eat"],
    "transitive": ["help", "hold"],
    "dative": ["offer", "teleport"],
    "clausal": ["like"],
    "infinitival": ["want"],
    "past": {"help": "helped", "like": "liked", "offer": "offered", "want": "wanted",
             "teleport": "teleported", "eat": "ate", "shatter": "shattered"},
    "prepositions": ["in", "on", "beside"],
}  # fmt: skip


def rows_of(release: Path, split: str) -> Rows:
    (path,) = (release / "data").glob(f"{split}-*.parquet")
    return pq.read_table(path).to_pylist()


@pytest.mark.parametrize("text", PUBLISHED)
def test_forms_are_written_as_in_cogs(text):
    assert Parser(WORDS_OF_COGS).parse(text).form == PUBLISHED[text]


@pytest.mark.parametrize(
    "text",
    [
        "The dog .",
        "A dog helped .",
        "A dog stuttered a cake",
        "A dog was stuttered .",
        "The dog to read .",
        "A dog helped a cake a cake .",
        "A dog ate the cake on .",
        "nothing",
        "",
    ],
)
def test_what_is_no_sentence_is_refused(text):
    with pytest.raises(NotASentence):
        Parser(WORDS_OF_COGS).parse(text)


@pytest.mark.parametrize("vocabulary", ["english", "renamed"])
def test_a_parser_without_common_code_finds_the_same_forms_and_uses(vocabulary):
    lexicon = make_lexicon(vocabulary, Draw(5))
    sampler = Sampler(make_pools(lexicon, 3, Draw(5)), 2)
    parser = Parser(lexicon.as_dict())
    frames = set()
    for kind in ("general", *KINDS):
        for number in range(400 if kind == "general" else 15):
            numbers = Numbers(Draw(5).at(kind, number))
            lexical = kind in LEXICAL
            clause = sampler.lexical(numbers, kind) if lexical else getattr(sampler, kind)(numbers)
            found = meaning(clause, lexicon.past)
            parsed = parser.parse(" ".join(found.tokens))
            assert parsed.form == logical_form(found)
            assert {*parsed.uses, *(("nmod", side) for side in parsed.nmods)} == {*uses_of(clause)}
            frames |= {one.frame for one in clause.clauses()}
    assert frames == {*FRAMES}


def test_the_21_kinds_of_cogs_are_covered():
    """18 lexical and 3 structural ones, as in gen_cases_to_paper_sections.json."""
    assert (len(LEXICAL), len(STRUCTURAL)) == (18, 3)
    sections = [kind.section for kind in KINDS.values()]
    assert len(set(sections)) == 21
    levels = [kind.level for kind in KINDS.values()]
    assert {level: levels.count(level) for level in set(levels)} == {
        "composition": 14,
        "zeroshot": 5,
        "depth": 2,
    }


def test_renamed_words_are_new_and_told_apart():
    lexicon, other = (make_lexicon("renamed", Draw(seed)) for seed in (1, 2))
    words = [word for name in CLASSES for word in lexicon.classes[name]]
    assert len({word.lower() for word in words}) == len(words)
    english = make_lexicon("english", Draw(1))
    assert not {*words} & {word for name in CLASSES for word in english.classes[name]}
    assert lexicon.classes != other.classes


def test_the_audit_breaks_no_law(cogs_release):
    audit = verify(cogs_release, workers=1)
    assert audit.ok, {law: str(entry.first) for law, entry in audit.ledger.entries.items()}
    depth = audit.scores["cogs_depth"]
    assert depth["parser"]["score"] == 1.0
    assert depth["template"]["score"] == 0.0


def test_every_test_question_is_of_its_kind(cogs_release):
    held = Release(cogs_release).manifest["definitions"]["held"]
    for level in ("composition", "zeroshot", "depth"):
        for row in rows_of(cogs_release, f"cogs/{level}/test"):
            assert KINDS[row["generalisation"]].level == level
            own = {*held.get(row["generalisation"], ())} & {*row["path"]}
            assert len(own) == (row["generalisation"] in LEXICAL)
            unseen = len(row["unseen_primitives"]), row["pairs_unseen"]
            assert unseen == {"composition": (0, 1), "zeroshot": (1, 0), "depth": (0, 0)}[level]
            assert (row["nesting_beyond_train"] > 0) == (level == "depth")


def other_form(rows: Rows, _: GrammarCopy) -> None:
    row = next(row for row in rows if " . agent (" in row["answer"])
    row["answer"] = row["answer"].replace(" . agent (", " . theme (", 1)
    row["chain"] = row["chain"].rpartition("is: ")[0] + "is: " + row["answer"]
    row["entities"][-1] = row["answer"]


def drop_a_step(rows: Rows, _: GrammarCopy) -> None:
    row = rows[0]
    row["chain"] = row["chain"].partition(" ; ")[2]
    del row["entities"][1]


def set_cell(**values: object):
    return lambda rows, _: rows[0].update(values)


def repeat(rows: Rows, _: GrammarCopy) -> None:
    rows[1].update({name: rows[0][name] for name in rows[0] if name != "id"})


def move(source: str):
    """Put a question of another split into the first row."""

    def change(rows: Rows, copy: GrammarCopy) -> None:
        other = copy.rows(source)[0]
        keep = ("id", "skill", "level", "context", "portion")
        rows[0].update({name: other[name] for name in other if name not in keep})

    return change


def forget_an_exposure(rows: Rows, _: GrammarCopy) -> None:
    rows.remove(next(row for row in rows if row["generalisation"] == "active_to_passive"))


def leave_out_a_kind(rows: Rows, _: GrammarCopy) -> None:
    rows.remove(next(row for row in rows if row["generalisation"] == "cp_recursion"))


def drop_a_field(_: Rows, copy: GrammarCopy) -> None:
    copy.manifest(lambda manifest: manifest["config"].pop("rl"))


def answer_by_the_first_test(rows: Rows, copy: GrammarCopy) -> None:
    """Give every test the answer that the nearest training sentence has."""
    train = {row["question"]: row["answer"] for row in copy.rows("cogs/train")}
    from bioreason_bench.families.cogs.audit.solvers import nearest

    for row, answer in zip(rows, nearest(train, [r["question"] for r in rows]), strict=True):
        row["answer"] = answer


BREACHES = [
    Breach("config", "cogs/iid/test", drop_a_field),
    Breach("unique ids", "cogs/iid/test", lambda rows, _: rows[1].update(id=rows[0]["id"])),
    Breach("placed", "cogs/iid/test", set_cell(level="depth")),
    Breach("answer", "cogs/iid/test", set_cell(answer="X")),
    Breach("sentences", "cogs/iid/test", set_cell(question="Nothing at all .")),
    Breach("forms", "cogs/iid/test", other_form),
    Breach("steps", "cogs/depth/test", drop_a_step),
    Breach("read out", "cogs/iid/test", set_cell(nesting=9)),
    Breach("context", "cogs/iid_openbook/test", set_cell(context="a noun")),
    Breach("certificates", "cogs/composition/test", set_cell(pairs_unseen=0)),
    Breach("tested once", "cogs/iid/test", repeat),
    Breach("tested once", "cogs/train", move("cogs/iid/test")),
    Breach("open books", "cogs/iid_openbook/test", move("cogs/depth_openbook/test")),
    Breach("levels", "cogs/iid/test", move("cogs/depth/test")),
    Breach("levels", "cogs/zeroshot/test", move("cogs/iid/test")),
    Breach("kinds", "cogs/composition/test", set_cell(generalisation="passive_to_active")),
    Breach("kinds", "cogs/depth/test", leave_out_a_kind),
    Breach("exposures", "cogs/train", forget_an_exposure),
    Breach("support", "cogs_rl_disjoint/train", move("cogs_rl_nested/train")),
    Breach("portions", "cogs/train", lambda rows, _: [row.update(portion=1) for row in rows]),
    Breach("shortcuts", "cogs/iid/test", answer_by_the_first_test),
]


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_a_corruption_is_found_by_its_law(breach, cogs_release, tmp_path):
    ledger = breach.audited(cogs_release, tmp_path / "copy")
    assert ledger.broken_in(breach.law), {k: str(v.first) for k, v in ledger.entries.items()}


def test_every_law_has_been_seen_to_fail():
    assert {breach.law for breach in BREACHES} == set(LAWS)


def test_the_grader_takes_forms_as_they_stand(cogs_release):
    grader = Release(cogs_release).grader()
    for level in ("iid", "composition", "zeroshot", "depth"):
        for row in rows_of(cogs_release, f"cogs/{level}/test")[:10]:
            for text in (f"{row['chain']}\n", f"So, the answer is: {row['answer']}", row["answer"]):
                assert grader.grade(text, row).exact_match, text
            assert grader.grade(f"{row['chain']}\n", row).format_ok
            assert grader.grade_direct(f" {row['answer']}", row).exact_match
            wrong = (
                row["chain"].rpartition("is: ")[0] + "is: " + row["answer"].replace("_ 1", "_ 2")
            )
            assert not grader.grade(wrong, row).exact_match


def test_every_reward_of_the_gold_trace_is_one_and_of_the_prompt_is_nothing(cogs_release):
    grader = Release(cogs_release).grader()
    for folder in ("cogs/iid", "cogs/depth_openbook", "cogs/zeroshot_openbook"):
        for row in rows_of(cogs_release, f"{folder}/test")[:6]:
            columns = {name: [row[name]] for name in REWARD_COLUMNS}
            for reward in REWARDS.values():
                assert reward([row["chain"]], grader=grader, **columns) == [1.0]
                for copied in (
                    row["question"],
                    row["context"],
                    f"{row['context']}\n{row['question']}",
                ):
                    assert reward([copied], grader=grader, **columns) == [0.0]


def test_a_bag_of_right_parts_earns_no_more_than_the_limit(cogs_release):
    """All parts but in another order: at most 0.5 by the default weights, less structure."""
    grader = Release(cogs_release).grader()
    for row in rows_of(cogs_release, "cogs/depth/test"):
        parts = row["chain"].split(" ; So, ")[0].split(" ; ")
        bag = " ; ".join(reversed(parts)) + " ; So, the answer is: nothing"
        columns = {name: [row[name]] for name in REWARD_COLUMNS}
        assert REWARDS["composite"]([bag], grader=grader, **columns) == [0.25]


def test_forms_are_compared_without_regard_to_order():
    one = "* cake ( x _ 4 ) ; like . agent ( x _ 1 , Mila ) AND rose ( x _ 2 )"
    assert same_form(one, "* cake ( x _ 4 ) ; rose ( x _ 2 ) AND like . agent ( x _ 1 , Mila )")
    assert not same_form(one, one.replace("x _ 2", "x _ 3"))


def test_a_seed_decides_every_row(tmp_path):
    settings = load_settings("cogs_tiny", 9).override({"train": "600", "per_kind": "2", "rl": "5"})
    files = [
        generate(settings, tmp_path / name, workers=workers)["files"]
        for name, workers in (("one", 1), ("two", 2))
    ]
    assert files[0] == files[1]


def test_a_word_can_be_shown_a_hundred_times_as_in_the_second_training_set_of_cogs(tmp_path):
    changes = {"exposures": "100", "held_words": "1", "per_kind": "2", "rl": "0"}
    settings = load_settings("cogs_tiny").override(changes)
    generate(settings, tmp_path / "out", workers=1)
    assert verify(tmp_path / "out", workers=1).ok
    kinds = Counter(row["generalisation"] for row in rows_of(tmp_path / "out", "cogs/train"))
    assert {kinds[kind] for kind in LEXICAL} == {100}


def test_too_small_a_training_set_ends_in_one_sentence(tmp_path):
    settings = load_settings("cogs_tiny").override({"train": "100", "rl": "0"})
    with pytest.raises(UsageError, match="raise train"):
        generate(settings, tmp_path / "out", workers=1)
    assert not list(tmp_path.iterdir())


def test_the_family_reads_its_own_traces(cogs_release):
    family = family_named("cogs")
    row = rows_of(cogs_release, "cogs/depth/test")[0]
    assert [step.result for step in family.steps(row)] == row["entities"][1:-1]
