"""A release of SCAN commands: its laws, its grader and rewards, its certificates."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from grammar_copy import Breach, GrammarCopy, Rows

from bioreason_bench.audit.catalogue import FILE_LAWS
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.run import AuditRun, FileTask
from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.families.checks import COMMON_LAWS, Seen
from bioreason_bench.families.scan.audit.check import LAWS, Columns, SeenRelease, check_splits
from bioreason_bench.families.scan.audit.solvers import solve
from bioreason_bench.families.scan.grammar import WORDS, all_commands
from bioreason_bench.families.scan.mcd import divergences, parts_of
from bioreason_bench.families.scan.read import read_steps
from bioreason_bench.families.scan.settings import LEVEL_OF, LEVELS
from bioreason_bench.families.scan.splits import Split, make_split
from bioreason_bench.families.scan.vocabulary import make_vocabulary
from bioreason_bench.family import family_named, load_settings
from bioreason_bench.grading.rewards import REWARDS
from bioreason_bench.release.files import Files
from bioreason_bench.release.read import Release

COMMANDS = list(all_commands())
REWARD_COLUMNS = ("question", "context", "chain", "answer", "entities", "path", "skill")


def rows_of(release: Path, split: str) -> Rows:
    (path,) = (release / "data").glob(f"{split}-*.parquet")
    return pq.read_table(path).to_pylist()


def rewards(release: Path, row: dict, text: str) -> dict[str, float]:
    grader = Release(release).grader()
    columns = {name: [row[name]] for name in REWARD_COLUMNS}
    return {name: reward([text], grader=grader, **columns)[0] for name, reward in REWARDS.items()}


def test_the_audit_breaks_no_law(scan_release):
    audit = verify(scan_release, workers=1)
    assert audit.ok, {law: str(entry.first) for law, entry in audit.ledger.entries.items()}
    assert set(audit.scores) == {f"scan_{level}" for level in LEVELS}
    jump = audit.scores["scan_zeroshot"]
    assert jump["interpreter"]["score"] == 1.0
    assert jump["swap"]["score"] > 0.1  # of few training commands, some differ in verbs only
    assert audit.scores["scan_composition"]["swap"]["score"] == 0.0
    assert all(jump[name]["score"] < 0.1 for name in ("nearest", "prefix", "bag", "last_part"))


def rename(rows: Rows, _: GrammarCopy) -> None:
    rows[0]["question"] = "walk " + rows[0]["question"]


def other_answer(rows: Rows, _: GrammarCopy) -> None:
    row = next(row for row in rows if row["answer"].split()[0] != row["answer"].split()[-1])
    first, _, rest = row["answer"].partition(" ")
    row["answer"] = f"{rest} {first}"
    row["chain"] = row["chain"].rpartition("is: ")[0] + "is: " + row["answer"]
    row["entities"][-1] = row["answer"]


def drop_a_step(rows: Rows, _: GrammarCopy) -> None:
    row = next(row for row in rows if len(row["entities"]) > 2)
    row["chain"] = row["chain"].partition(" . ")[2]
    del row["entities"][1]


def set_cell(index: int, **values: object):
    return lambda rows, _: rows[index].update(values)


def repeat(rows: Rows, _: GrammarCopy) -> None:
    rows[1].update({name: rows[0][name] for name in rows[0] if name != "id"})


def train_a_test(rows: Rows, copy: GrammarCopy) -> None:
    test = copy.rows("scan/iid/test")[0]
    rows[0].update({name: test[name] for name in test if name not in ("id", "level", "portion")})


def move(source: str):
    """Put a question of another level into the first row."""

    def change(rows: Rows, copy: GrammarCopy) -> None:
        other = copy.rows(source)[0]
        keep = ("id", "skill", "level", "context")
        rows[0].update({name: other[name] for name in other if name not in keep})

    return change


def set_field(rows: Rows, copy: GrammarCopy) -> None:
    copy.manifest(lambda manifest: manifest["config"].pop("rl"))


def answer_by_its_last_part(rows: Rows, copy: GrammarCopy) -> None:
    """Give many tests the answer of their last part, which a shortcut then finds."""
    new = {old: word for word, old in copy.manifest()["definitions"]["words"].items()}
    for row in rows:
        words = [new[word] for word in row["question"].split()]
        joint = next((i for i, word in enumerate(words) if word in ("and", "after")), -1)
        parts = {step.inputs[0]: step.result for step in read_steps(row["chain"]) if step}
        last = " ".join(row["question"].split()[joint + 1 :])
        row["answer"] = parts.get(last, row["answer"])


BREACHES = [
    Breach("config", "scan/iid/test", set_field),
    Breach("unique ids", "scan/iid/test", lambda rows, _: rows[1].update(id=rows[0]["id"])),
    Breach("placed", "scan/iid/test", set_cell(0, level="depth")),
    Breach("answer", "scan/iid/test", set_cell(0, answer="X")),
    Breach("commands", "scan/iid/test", rename),
    Breach("actions", "scan/iid/test", other_answer),
    Breach("steps", "scan/iid/test", drop_a_step),
    Breach("read out", "scan/iid/test", set_cell(0, length=1)),
    Breach("context", "scan/iid_openbook/test", set_cell(0, context="walk = I_WALK")),
    Breach("certificates", "scan/composition/test", set_cell(0, pairs_unseen=0)),
    Breach("certificates", "scan/train", set_cell(0, path_in_train=False)),
    Breach("tested once", "scan/iid/test", repeat),
    Breach("tested once", "scan/train", train_a_test),
    Breach("open books", "scan/iid_openbook/test", move("scan/depth_openbook/test")),
    Breach("levels", "scan/iid/test", move("scan/depth/test")),
    Breach("levels", "scan/depth/test", move("scan/iid/test")),
    Breach("levels", "scan/zeroshot/test", move("scan/composition/test")),
    Breach("levels", "scan/composition/test", move("scan/zeroshot/test")),
    Breach("support", "scan_rl_disjoint/train", move("scan_rl_nested/train")),
    Breach("portions", "scan/train", lambda rows, _: [row.update(portion=1) for row in rows]),
    Breach("shortcuts", "scan/iid/test", answer_by_its_last_part),
]


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_a_corruption_is_found_by_its_law(breach, scan_release, tmp_path):
    ledger = breach.audited(scan_release, tmp_path / "copy")
    assert ledger.broken_in(breach.law), {k: str(v.first) for k, v in ledger.entries.items()}


def of_split(name: str, split: Split, level: str) -> list[Seen]:
    """What an audit reads of a published split, without its files."""
    seen = []
    for folder, file, places in (
        (f"scan_{name}", "train", split.train),
        (f"scan_{name}/{level}", "test", split.test),
    ):
        commands = [COMMANDS[place] for place in places]
        texts: list[str | None] = [" ".join(command.words()) for command in commands]
        answers = [" ".join(command.actions()) for command in commands]
        task = FileTask(0, f"data/{folder}/{file}-00000-of-00001.parquet", {})
        found = Columns(texts, answers, [], [])
        seen.append(Seen(task, Ledger(LAWS), True, found=found))
    return seen


def broken_splits(seen: list[Seen], **manifest: object) -> Ledger:
    run = AuditRun(Files(Path()), manifest, Ledger(LAWS), 0, 1, lambda *_: None)
    check_splits(run, SeenRelease(seen))
    return run.ledger


@pytest.mark.parametrize("name", ["length", "addprim_jump", "addprim_turn_left", "around_right"])
def test_a_published_split_with_a_command_too_few_or_misplaced_is_found(name):
    split = make_split(name, COMMANDS, Draw(0))
    assert not broken_splits(of_split(name, split, LEVEL_OF[name])).broken
    fewer = Split(split.train, split.test[1:])
    assert broken_splits(of_split(name, fewer, LEVEL_OF[name])).broken_in("splits")
    moved = Split([*split.train[1:], split.test[0]], [*split.test[1:], split.train[0]])
    assert broken_splits(of_split(name, moved, LEVEL_OF[name])).broken_in("splits")


def test_a_release_of_a_split_of_maximum_divergence_passes_its_audit(tmp_path):
    few = {"mcd": "1", "longest": "12", "rl": "30", "iid": "30", "train": "500"}
    manifest = generate(load_settings("scan_mcd", 5).override(few), tmp_path / "out", workers=1)
    assert "scan_mcd1_composition" in manifest["configs"]
    assert manifest["divergences"]["mcd1"]["compound"] > 0.5
    audit = verify(tmp_path / "out", workers=1)
    assert audit.ok, {law: str(entry.first) for law, entry in audit.ledger.entries.items()}
    assert audit.ledger.entries["divergences"].checked == 1


def test_the_divergence_of_atoms_is_measured_from_the_text():
    order = Draw(1).permutation(len(COMMANDS)).tolist()
    split = Split(order[:8365], order[8365:9410])
    atom = divergences(
        parts_of([COMMANDS[place] for place in order[:9410]]), Split(range(8365), range(8365, 9410))
    ).atom
    seen = of_split("mcd1", split, "composition")
    assert not broken_splits(seen, divergences={"mcd1": {"atom": atom}}).broken
    assert broken_splits(seen, divergences={"mcd1": {"atom": atom + 0.01}}).broken_in("divergences")
    assert broken_splits(seen).broken_in("divergences")


def test_every_law_has_been_seen_to_fail():
    seen = {breach.law for breach in BREACHES} | {"divergences", "splits"}
    assert seen == set(LAWS)
    assert not set(LAWS) & set(FILE_LAWS)
    assert {*COMMON_LAWS} - {*LAWS} == {"once"}


def test_every_reward_of_the_gold_trace_is_one_and_of_the_prompt_is_nothing(scan_release):
    for level in LEVELS:
        for folder in (f"scan/{level}", f"scan/{level}_openbook"):
            for row in rows_of(scan_release, f"{folder}/test")[:10]:
                assert set(rewards(scan_release, row, row["chain"]).values()) == {1.0}
                for copied in (
                    row["question"],
                    row["context"],
                    f"{row['context']}\n{row['question']}",
                ):
                    assert set(rewards(scan_release, row, copied).values()) == {0.0}
                definitions = row["context"].replace("\n", " . ")
                found = rewards(scan_release, row, f"{definitions} . So, the answer is: nothing")
                assert found["outcome"] == found["process"] == found["composite"] == 0.0


def test_no_step_of_a_test_question_is_a_definition(scan_release):
    for level in LEVELS:
        for row in rows_of(scan_release, f"scan/{level}_openbook/test"):
            lines = set(row["context"].split("\n"))
            for step in row["chain"].split(" . ")[:-1]:
                assert step not in lines


def test_a_bag_of_right_steps_earns_no_more_than_the_limit(scan_release):
    """Right parts in any order, without the whole: below 0.25 by the default weights."""
    for row in rows_of(scan_release, "scan/iid/test"):
        steps = row["chain"].split(" . ")[:-1]
        bag = " . ".join(sorted(steps[:-1], reverse=True))
        found = rewards(scan_release, row, f"{bag} . So, the answer is: {steps[0].split(' = ')[1]}")
        assert found["outcome"] == 0.0
        assert found["composite"] < 0.5
        assert found["composite"] <= 0.25 + 0.25 * found["process"]


def test_a_wrong_step_is_found_at_its_place(scan_release):
    grader = Release(scan_release).grader()
    row = next(r for r in rows_of(scan_release, "scan/iid/test") if len(r["entities"]) > 3)
    steps = row["chain"].split(" . ")
    steps[1] = f"{steps[1]} {row['answer'].split()[0]}"
    verdict = grader.grade(" . ".join(steps), row)
    assert (verdict.exact_match, verdict.process_verified) == (True, False)
    assert (verdict.first_error, verdict.error_kind) == (1, "wrong result")


def test_the_vocabulary_is_fresh_for_each_seed():
    names = [make_vocabulary("renamed", Draw(seed)) for seed in (1, 2)]
    words = [{*one.words.values(), *one.actions.values()} for one in names]
    assert all(len(found) == len(WORDS) + 6 for found in words)
    assert not words[0] & words[1]
    assert not words[0] & {*WORDS}
    published = make_vocabulary("published", Draw(1))
    assert "X twice = X X" in published.definitions
    assert "X opposite left = I_TURN_LEFT I_TURN_LEFT X" in published.definitions


def test_a_seed_decides_every_row(tmp_path):
    few = {"longest": "12", "rl": "30", "iid": "30", "train": "500"}
    settings, others = (load_settings("scan_tiny", seed).override(few) for seed in (9, 10))
    first, second = (
        generate(settings, tmp_path / name, workers=workers)["files"]
        for name, workers in (("one", 1), ("two", 2))
    )
    assert first == second
    other = generate(others, tmp_path / "other", workers=1)["files"]
    assert first != other


def test_solvers_find_what_they_can():
    commands = [" ".join(command.words()) for command in list(all_commands())[:400]]
    answers = {t: " ".join(c.actions()) for t, c in zip(commands, all_commands(), strict=False)}
    found = solve(answers, commands[:100], [answers[text] for text in commands[:100]])
    assert all(found["nearest"])  # the command itself is nearest
    assert all(found["prefix"])
    assert all(found["swap"])
    assert all(found["interpreter"])
    assert not all(found["bag"])


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("composition", "20000", "commands are asked for and this world has 2,2"),
        ("iid", "9000", "ask for at most"),
        ("longest", "5", "longest"),
        ("new_primitive", "hop", "new_primitive"),
        ("splits", '["simpel"]', "splits"),
    ],
)
def test_settings_that_cannot_be_met_end_in_one_sentence(field, value, says, tmp_path):
    with pytest.raises(UsageError, match=says):
        generate(load_settings("scan_tiny").override({field: value}), tmp_path / "out", workers=1)
    assert not list(tmp_path.iterdir())


def test_the_family_reads_its_own_traces(scan_release):
    family = family_named("scan")
    row = rows_of(scan_release, "scan/depth/test")[0]
    steps = family.steps(row)
    assert [step.result for step in steps] == row["entities"][1:]
    assert read_steps("walk is I_WALK . jump = I_JUMP") == [
        None,
        steps[0].__class__("means", ("jump",), "I_JUMP"),
    ]
