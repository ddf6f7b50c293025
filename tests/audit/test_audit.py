"""The audit passes what the generator writes, and nothing that somebody has touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from broken_release import Copy, Rows, without

from bioreason_bench.audit.catalogue import LAWS
from bioreason_bench.audit.reading.conform import nonconforming
from bioreason_bench.audit.reading.questions import code_of, path_of
from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.draw import Draw
from bioreason_bench.release.read import Release
from bioreason_bench.schema import load_schema, validator

FEW = {
    f"{skill}.{level}": "12"
    for skill in ("mem", "ctx", "comp")
    for level in ("iid", "composition", "zeroshot", "entity", "depth")
}
FEW |= {
    "mem.train": "150",
    "ctx.train": "150",
    "comp.train": "220",
    "comp.rl": "30",
    "mem.paths": "60",
    "ctx.paths": "60",
    "comp.paths": "80",
}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with a dozen questions of each kind."""
    folder = tmp_path_factory.mktemp("audit") / "few"
    generate(load_preset("tiny").override(FEW), folder, workers=1)
    return folder


@pytest.fixture
def copy(few: Path, tmp_path: Path) -> Copy:
    return Copy(few, tmp_path / "copy")


# what holds ---------------------------------------------------------------------------------------------------------------


def test_a_release_as_it_was_written_breaks_no_law(tiny_release: Path) -> None:
    audit = verify(tiny_release, workers=2)
    assert audit.ok, audit.ledger.as_dict()
    checked = {law for law, entry in audit.ledger.as_dict().items() if entry["checked"]}
    assert set(LAWS) - checked == {"held-out starts"}, (
        "tiny holds no starts out; every other law has something to check"
    )


def test_a_release_in_symbols_breaks_no_law_either(nano_release: Path) -> None:
    audit = verify(nano_release, workers=2)
    assert audit.ok, [entry for entry in audit.ledger.as_dict().values() if entry["broken"]]
    assert audit.ledger.entries["held-out starts"].checked


def test_the_audit_is_the_same_with_any_number_of_processes(few: Path) -> None:
    assert verify(few, workers=1).as_dict() == verify(few, workers=2).as_dict()


def test_a_sample_solves_fewer_questions_and_checks_every_certificate(few: Path) -> None:
    whole, sample = verify(few, workers=1), verify(few, workers=1, sample=5)
    assert sample.ok
    assert sample.ledger.entries["solution"].checked < whole.ledger.entries["solution"].checked / 2
    assert sample.ledger.entries["people_in_train"] == whole.ledger.entries["people_in_train"]


def test_audit_json_fits_its_schema_and_holds_every_law_and_solver(few: Path) -> None:
    found = verify(few, workers=1).as_dict()
    jsonschema.validate(json.loads(json.dumps(found)), load_schema("audit"))
    assert list(found["laws"]) == list(LAWS)
    solvers = {
        "oracle",
        "context_only",
        "memory_only",
        "question_only",
        "last_relation",
        "linked",
        "nearest_train",
    }
    assert all(set(scores) == solvers for scores in found["solvers"].values())
    assert {
        name for name in Release(few).configs() if name.startswith(("mem_", "ctx_", "comp_"))
    } - {"comp_rl"} == set(found["solvers"])


def test_verify_reads_a_folder_and_leaves_it_as_it_was(copy: Copy, cli) -> None:
    before = {path: path.read_bytes() for path in copy.folder.rglob("*") if path.is_file()}
    result = cli("verify", copy.folder, "--workers", 1)
    assert result.exit_code == 0
    assert result.stdout.rstrip().endswith(" 0 broken")
    assert {path: path.read_bytes() for path in copy.folder.rglob("*") if path.is_file()} == before
    written = cli("verify", copy.folder, "--workers", 1, "--write", "--json", "-q")
    assert json.loads(written.stdout) == json.loads((copy.folder / "audit.json").read_text())
    assert {path for path in copy.folder.rglob("*") if path.is_file()} - set(before) == {
        copy.folder / "audit.json"
    }


def test_verify_says_on_one_line_what_is_broken_and_where(copy: Copy, cli) -> None:
    file, row = copy.edit(
        "comp/iid/test", lambda rows: rows[3].update(answer=rows[3]["answer"].upper()) or 3
    )
    result = cli("verify", copy.folder, "--workers", 1, "-q")
    assert result.exit_code == 1
    assert f"{file} row {row}: " in result.stdout
    assert "BROKEN  solution" in result.stdout


def test_verify_needs_a_folder(tmp_path: Path, cli) -> None:
    result = cli("verify", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr


def test_a_downloaded_folder_needs_no_more_than_data_manifest_and_card(
    few: Path, tmp_path: Path
) -> None:
    for name in ("data", "manifest.json", "README.md"):
        (shutil.copytree if (few / name).is_dir() else shutil.copy)(few / name, tmp_path / name)
    assert verify(tmp_path, workers=1).ok


def test_a_path_is_its_code(few: Path) -> None:
    for path in ((), (0,), (38, 0, 5), (1, 2, 3, 4, 5, 6, 7, 38)):
        assert path_of(code_of(path, 39), 39) == path


# what does not ------------------------------------------------------------------------------------------------------------
# Each corruption returns the place that must be named: (file, row), row None for a whole file.  Its name is its number and
# what it does; the law is the first word of MUTATIONS' entry, the rest stands in the message.


def _row(rows: Rows, **wanted: object) -> int:
    return next(
        number
        for number, row in enumerate(rows)
        if all(row[name] == value for name, value in wanted.items())
    )


def _set(place: str, row: int, **values: object):
    return lambda copy: copy.edit(place, lambda rows: rows[row].update(values) or row)


def _read_hop(row: dict) -> tuple[str, str]:
    """(subject, relation) of the last hop that is read."""
    hop = row["pattern"].rindex("C")
    return row["entities"][hop], row["path"][hop]


def drop_context_sentence(copy: Copy):
    def change(rows: Rows) -> int:
        row = rows[2]
        row["context"] = without(row["context"], copy.sentence(row["context"], *_read_hop(row)))
        return 2

    return copy.edit("comp/iid/test", change)


def drop_sentence_of_distractor(copy: Copy):
    def change(rows: Rows) -> int:
        row = rows[1]
        other = next(person for person in row["context_people"] if person not in row["entities"])
        row["context"] = without(
            row["context"], copy.sentence(row["context"], other, _read_hop(row)[1])
        )
        return 1

    return copy.edit("comp/iid/test", change)


def put_recalled_fact_into_context(copy: Copy):
    texts = {row["person"]: row["text"] for row in copy.rows("biographies/parametric")}

    def change(rows: Rows) -> int:
        number, hop = next(
            (k, row["pattern"].index("P"))
            for k, row in enumerate(rows)
            if "CP" in row["pattern"] or "P" in row["pattern"]
        )
        row = rows[number]
        sentence = copy.sentence(
            texts[row["entities"][hop]], row["entities"][hop], row["path"][hop]
        )
        row["context"] += "\n" + sentence
        row["context_people"] = [*row["context_people"], row["entities"][hop]]
        return number

    return copy.edit("comp/composition/test", change)


def give_recalled_hop_away(copy: Copy):
    """The mirror of a recalled hop is put back into the biography that it was left out of."""
    bios = {row["person"]: row["text"] for row in copy.rows("biographies/contextual")}
    inverse = {row.name: row.inverse for row in copy.table.relations}

    def change(rows: Rows) -> int:
        for number, row in enumerate(rows):
            for hop in range(len(row["path"]) - 1):
                person, mirror = row["entities"][hop + 1], inverse[row["path"][hop]]
                if (
                    row["pattern"][hop : hop + 2] == "PC"
                    and mirror
                    and copy.group(mirror) == "contextual"
                ):
                    lines = row["context"].split("\n")
                    place = row["context_people"].index(person)
                    lines[place] += " " + copy.sentence(bios[person], person, mirror)
                    row["context"] = "\n".join(lines)
                    return number
        raise AssertionError

    return copy.edit("comp/train", change)


def tell_a_lie_in_a_context(copy: Copy):
    def change(rows: Rows) -> int:
        row = rows[4]
        other = next(person for person in row["context_people"] if person not in row["entities"])
        person = next(name for name in row["context_people"] if name != other)
        sentences = [
            copy.reader.sentence(part)
            for line in row["context"].split("\n")
            for part in copy.reader.sentences(line)
        ]
        told = next(
            fact
            for fact in sentences
            if fact[0] == other and copy.table[copy.table.number(fact[1])].to_person
        )
        row["context"] = copy.restate(row["context"], other, told[1], told[2], person)
        return 4

    return copy.edit("ctx/iid/test", change)


def lengthen_a_biography_in_a_context(copy: Copy):
    bios = {row["person"]: row["text"] for row in copy.rows("biographies/contextual")}

    def change(rows: Rows) -> int:
        row = rows[0]
        row["context"] = "\n".join(
            [bios[row["context_people"][0]], *row["context"].split("\n")[1:]]
        )
        return 0

    return copy.edit("ctx/train", change)


def take_a_distractor_away(copy: Copy):
    def change(rows: Rows) -> int:
        row = rows[5]
        other = next(
            place
            for place, person in enumerate(row["context_people"])
            if person not in row["entities"]
        )
        row["context"] = "\n".join(
            line for place, line in enumerate(row["context"].split("\n")) if place != other
        )
        del row["context_people"][other]
        return 5

    return copy.edit("ctx/iid/test", change)


def move_composition_path_to_train(copy: Copy):
    moved = copy.rows("comp/composition/validation")[0]
    train = copy.rows("comp/train")
    copy.write(
        "comp/train",
        [*train, {**moved, "id": "comp-train-9999-000001", "level": "train", "portion": 1}],
    )
    tests = copy.rows("comp/composition/test")
    row = next((number for number, row in enumerate(tests) if row["path"] == moved["path"]), None)
    return (
        (copy.file("comp/composition/test"), row)
        if row is not None
        else (copy.file("comp/composition/validation"), 0)
    )


def train_on_somebody_of_the_entity_level(copy: Copy):
    moved = copy.rows("mem/entity/test")[0]
    copy.write(
        "mem/train",
        [
            *copy.rows("mem/train"),
            {**moved, "id": "mem-train-9999-000001", "level": "train", "portion": 1},
        ],
    )
    return copy.file("mem/entity/test"), 0


def ask_a_training_question_in_test(copy: Copy):
    train = copy.rows("mem/train")
    return copy.edit(
        "mem/iid/test",
        lambda rows: (
            rows[6].update({**train[0], "id": rows[6]["id"], "level": "iid", "portion": 0}) or 6
        ),
    )


def copy_a_test_question_into_validation(copy: Copy):
    test = copy.rows("ctx/iid/test")
    file, _ = copy.edit(
        "ctx/iid/validation", lambda rows: rows[0].update({**test[0], "id": rows[0]["id"]})
    )
    return max(file, copy.file("ctx/iid/test")), 0


def swap_two_files(copy: Copy, seal: bool = False):
    one, two = copy.file("comp/iid/test"), copy.file("comp/composition/test")
    between = copy.folder / "between"
    (copy.folder / one).rename(between)
    (copy.folder / two).rename(copy.folder / one)
    between.rename(copy.folder / two)
    if seal:
        copy.seal(one)
        copy.seal(two)
    return (two, 0) if seal else (two, None)


def rename_shard(copy: Copy):
    old = copy.file("mem/train")
    new = old.replace("00000-of-00001", "00000-of-00002")
    (copy.folder / old).rename(copy.folder / new)
    manifest = copy.manifest
    manifest["files"] = {
        new if file == old else file: entry for file, entry in manifest["files"].items()
    }
    manifest["configs"] = json.loads(json.dumps(manifest["configs"]).replace(old, new))
    copy.set_manifest(manifest)
    return "data/mem/train", None


def retype_a_column(copy: Copy):
    file = copy.file("ctx/train")
    schema = pq.read_schema(copy.folder / file)
    place = schema.get_field_index("portion")
    copy.write(
        "ctx/train",
        copy.rows("ctx/train"),
        schema.set(place, pa.field("portion", pa.int64())),
        seal=False,
    )
    return file, 0


def drop_a_column(copy: Copy):
    file = copy.file("comp/depth/test")
    schema = pq.read_schema(copy.folder / file)
    copy.write(
        "comp/depth/test",
        copy.rows("comp/depth/test"),
        schema.remove(schema.get_field_index("answer_kind")),
    )
    return file, 0


def add_a_column(copy: Copy):
    file = copy.file("comp/depth/test")
    schema = pq.read_schema(copy.folder / file).append(pa.field("prompt", pa.string()))
    copy.write(
        "comp/depth/test", [{**row, "prompt": ""} for row in copy.rows("comp/depth/test")], schema
    )
    return file, 0


def leave_a_cell_empty(copy: Copy):
    file = copy.file("mem/depth/test")
    copy.write(
        "mem/depth/test",
        [
            {**row, "chain": row["chain"] if k else None}
            for k, row in enumerate(copy.rows("mem/depth/test"))
        ],
        seal=False,
    )
    return file, 0


def truncate_a_file(copy: Copy):
    file = copy.file("comp/zeroshot/test")
    content = (copy.folder / file).read_bytes()
    (copy.folder / file).write_bytes(content[: len(content) // 2])
    return file, None


def remove_a_file(copy: Copy):
    file = copy.file("probes/test")
    (copy.folder / file).unlink()
    return file, None


def add_a_file(copy: Copy):
    file = "data/comp/iid/extra-00000-of-00001.parquet"
    shutil.copy(copy.folder / copy.file("comp/iid/test"), copy.folder / file)
    return file, None


def change_manifest(file: str, key: str, value: object):
    def change(copy: Copy):
        manifest = copy.manifest
        manifest["files"][copy.file(file)][key] = value
        copy.set_manifest(manifest)
        return copy.file(file), None

    return change


def break_the_manifest(copy: Copy):
    (copy.folder / "manifest.json").write_text((copy.folder / "manifest.json").read_text()[:-20])
    return "manifest.json", None


def list_a_file_under_another_config(copy: Copy):
    manifest = copy.manifest
    manifest["configs"]["comp_iid"]["test"] = manifest["configs"]["comp_composition"]["test"]
    copy.set_manifest(manifest)
    return "manifest.json", None


def promise_more_questions(copy: Copy):
    manifest = copy.manifest
    manifest["config"]["comp"]["depth"] += 1
    copy.set_manifest(manifest)
    return "data/comp/depth/test", None


def take_the_canary_off_the_card(copy: Copy):
    card = copy.folder / "README.md"
    card.write_text(
        card.read_text(encoding="utf-8").replace(copy.manifest["canary"], "nothing"),
        encoding="utf-8",
    )
    return "README.md", None


# the world


def swap_two_objects(copy: Copy):
    def change(rows: Rows) -> None:
        one, two = [row for row in rows if row["relation"] == "pet"][:2] if rows else (None, None)
        two = next(
            row for row in rows if row["relation"] == "pet" and row["object"] != one["object"]
        )
        one["object"], two["object"] = two["object"], one["object"]

    people = [row["subject"] for row in copy.rows("facts/train") if row["relation"] == "pet"]
    bios = copy.rows("biographies/parametric")
    copy.edit("facts/train", change)
    del people
    return bios and (copy.file("biographies/parametric"), ...)


def break_one_mirror(copy: Copy):
    """Somebody's spouse is another one, in data/facts and in the biography, and that one knows nothing of it."""
    spouses = copy.objects("spouse")
    one, *_, two = list(spouses)[:6]
    assert two not in (one, spouses[one])
    copy.tell(one, "spouse", two)
    return copy.file("biographies/contextual"), ...


def break_one_inverse(copy: Copy):
    """A parametric biography names another child than the one whose parent says so."""
    children = copy.objects("child")
    parents = copy.objects("parent")
    one = next(parent for parent, child in children.items() if child in parents)
    other = next(
        child for child in children.values() if child != children[one] and child in parents
    )
    return copy.tell(one, "child", other)[0], ...


def marry_oneself(copy: Copy):
    one = next(iter(copy.objects("spouse")))
    return copy.tell(one, "spouse", one)


def make_a_boss_of_a_stranger(copy: Copy):
    novel = next(row["name"] for row in copy.rows("people/train") if not row["known"])
    return copy.tell(next(iter(copy.objects("boss"))), "boss", novel)


def share_a_phone(copy: Copy):
    phones = list(copy.objects("phone").items())
    copy.tell(phones[0][0], "phone", phones[1][1])
    return copy.file("biographies/parametric"), ...


def die_before_birth(copy: Copy):
    one = next(iter(copy.objects("died_on")))
    return copy.tell(one, "died_on", "January 1, 1901")


def be_born_after_ones_children(copy: Copy):
    parent = next(iter(copy.objects("child")))
    copy.tell(parent, "birth_date", "January 1, 1985")
    return copy.file("biographies/parametric"), ...


def be_ones_own_grandfather(copy: Copy):
    """A line of parents that closes, in facts and biographies of both."""
    parents = copy.objects("parent")
    child = next(person for person, parent in parents.items() if parent in parents)
    return copy.tell(parents[child], "parent", child)[0], ...


def marry_ones_sibling(copy: Copy):
    siblings = copy.objects("sibling")
    one = next(iter(copy.objects("spouse")))
    copy.tell(one, "spouse", siblings[one])
    return copy.file("biographies/contextual"), ...


def die_on_a_day_that_is_none(copy: Copy):
    one = next(iter(copy.objects("died_on")))
    return copy.tell(one, "died_on", "February 30, 1999")


def live_with_a_dog(copy: Copy):
    """A relation to people leads to a value."""
    return copy.tell(next(iter(copy.objects("roommate"))), "roommate", "March 3, 1931")[0], ...


def drop_a_sentence_of_a_biography(copy: Copy):
    def change(rows: Rows) -> int:
        row = rows[7]
        row["text"] = without(row["text"], copy.reader.sentences(row["text"])[3])
        return 7

    return copy.edit("biographies/parametric", change)


def repeat_a_sentence_of_a_biography(copy: Copy):
    def change(rows: Rows) -> int:
        rows[9]["text"] += " " + copy.reader.sentences(rows[9]["text"])[0]
        return 9

    return copy.edit("biographies/parametric", change)


def write_about_somebody_else(copy: Copy):
    return copy.edit(
        "biographies/contextual", lambda rows: rows[3].update(text=rows[4]["text"]) or 3
    )


def lose_a_full_stop(copy: Copy):
    def change(rows: Rows) -> int:
        first = copy.reader.sentences(rows[5]["text"])[0]
        rows[5]["text"] = rows[5]["text"].replace(first, first.rstrip("."), 1)
        return 5

    return copy.edit("biographies/contextual", change)


def lose_a_biography(copy: Copy):
    copy.edit("biographies/parametric", lambda rows: rows.pop(4) and None)
    return "data/biographies/parametric", None


def give_two_people_one_name(copy: Copy):
    return copy.edit("people/train", lambda rows: rows[8].update(name=rows[7]["name"]) or 8)


def promote_to_doctor(copy: Copy):
    return copy.edit(
        "people/train", lambda rows: rows[2].update(name="Dr. " + rows[2]["name"]) or 2
    )


def forget_who_is_known(copy: Copy):
    copy.edit("people/train", lambda rows: rows[0].update(known=False))
    return "data/biographies/parametric", None


def have_two_pets(copy: Copy):
    def change(rows: Rows) -> int:
        one = _row(rows, relation="pet")
        other = next(
            row["object"]
            for row in rows
            if row["relation"] == "pet" and row["object"] != rows[one]["object"]
        )
        rows.append({**rows[one], "object": other})
        return len(rows) - 1

    return copy.edit("facts/train", change)


def forget_an_inverse(copy: Copy):
    return copy.edit(
        "relations/train",
        lambda rows: rows[_row(rows, name="boss")].update(inverse="") or _row(rows, name="boss"),
    )


# paths, splits, and what lies beyond


def call_a_path_zeroshot(copy: Copy):
    row = _row(copy.rows("paths/train"), level="iid")
    return _set("paths/train", row, level="zeroshot")(copy)


def walk_a_relation_twice(copy: Copy):
    def change(rows: Rows) -> int:
        row = _row(rows, skill="mem", hops=2)
        rows[row]["path"] = [rows[row]["path"][0]] * 2
        return row

    return copy.edit("paths/train", change)


def forget_a_path(copy: Copy):
    test = copy.rows("ctx/composition/test")[0]
    copy.edit(
        "paths/train", lambda rows: rows.pop(_row(rows, skill="ctx", path=test["path"])) and None
    )
    return copy.file("ctx/composition/test"), ...


def move_portions(copy: Copy):
    def change(rows: Rows) -> None:
        for row in rows:
            row["portion"] = 10 if row["portion"] == 1 else row["portion"]

    return copy.edit("ctx/train", change)[0], ...


def set_aside_an_untrained_question(copy: Copy):
    test = copy.rows("comp/iid/test")
    return copy.edit(
        "comp/rl", lambda rows: rows[2].update({**test[0], "level": "train", "portion": 3}) or 2
    )


def lose_a_probe(copy: Copy):
    probes = copy.rows("probes/test")
    gone = next(
        row
        for row in probes
        if any(question.startswith("comp-iid") for question in row["probe_of"])
    )
    copy.write("probes/test", [row for row in probes if row is not gone])
    question = next(name for name in gone["probe_of"] if name.startswith("comp-iid"))
    tests = copy.rows("comp/iid/test")
    asked = set(gone["probe_of"])
    return copy.file("comp/iid/test"), min(
        number for number, row in enumerate(tests) if row["id"] in asked or row["id"] == question
    )


def name_a_stranger_in_a_probe(copy: Copy):
    return copy.edit(
        "probes/test", lambda rows: rows[3]["probe_of"].append("comp-iid-9999-000000") or 3
    )


def change_a_twin_elsewhere(copy: Copy):
    def change(rows: Rows) -> int:
        row = rows[1]
        other = next(
            person
            for person in row["context_people"]
            if person not in row["entities"] + rows[0]["entities"]
        )
        mine = [
            part
            for line in row["context"].split("\n")
            for part in copy.reader.sentences(line)
            if copy.reader.sentence(part)[0] == other
        ]
        extra = next(part for part in mine if copy.reader.sentence(part)[1] not in row["path"])
        row["context"] = without(row["context"], extra)
        return 1

    return copy.edit("comp/counterfactual/test", change)


def lose_a_twin(copy: Copy):
    return copy.edit("comp/counterfactual/test", lambda rows: rows.pop(5) and 4)


def change_what_the_context_says(copy: Copy):
    return copy.edit(
        "comp/conflict/test", lambda rows: rows[2].update(answer_context=rows[2]["answer"]) or 2
    )


def take_the_conflict_back(copy: Copy):
    def change(rows: Rows) -> int:
        subject, relation, *_ = rows[1]["conflicting"]
        rows[1]["context"] = without(
            rows[1]["context"], copy.sentence(rows[1]["context"], subject, relation)
        )
        return 1

    return copy.edit("comp/conflict/test", change)


def turn_a_direction(copy: Copy):
    def change(rows: Rows) -> int:
        rows[2], rows[3] = rows[3], rows[2]
        return 3

    return copy.edit("mem/direction/test", change)


MUTATIONS = {
    "digests: rows of two files swapped": (swap_two_files, "the manifest says sha256:"),
    "digests: another digest": (
        change_manifest("comp/iid/test", "digest", "sha256:" + "0" * 64),
        "the rows have sha256:",
    ),
    "rows: another number of rows": (
        change_manifest("comp/iid/test", "rows", 11),
        "the manifest says 11 rows, found 12",
    ),
    "manifest: cut short": (break_the_manifest, "cannot be read"),
    "manifest: a file under another config": (
        list_a_file_under_another_config,
        "config comp_iid must list",
    ),
    "manifest: another schema": (
        change_manifest("comp/iid/test", "schema", "direction"),
        "its schema must be question",
    ),
    "files: one cut short": (truncate_a_file, "cannot be read"),
    "files: one missing": (remove_a_file, "is not there"),
    "files: one too many": (add_a_file, "does not name this file"),
    "shards: one missing by name": (rename_shard, "0 to 1 of 2"),
    "schema: a column of another type": (retype_a_column, "'portion' is int64"),
    "schema: a column missing": (drop_a_column, "'answer_kind' is missing"),
    "schema: a column too many": (add_a_column, "'prompt'"),
    "schema: an empty cell": (leave_a_cell_empty, "chain"),
    "schema: an unknown level": (_set("mem/iid/test", 2, level="easy"), "found 'easy'"),
    "canary: taken off the card": (take_the_canary_off_the_card, "canary"),
    "counts: fewer questions than the config says": (promise_more_questions, "the config says 13"),
    "placed: two files swapped and sealed": (
        lambda copy: swap_two_files(copy, seal=True),
        "found comp, iid, 0 and comp-iid-",
    ),
    "placed: a portion outside training": (
        _set("mem/iid/test", 0, portion=4),
        "must be mem, iid, 0",
    ),
    "placed: an id of somebody else": (
        _set("mem/iid/test", 2, id="mem-iid-0001-999999"),
        "must be mem, iid, 0",
    ),
    "unique ids: an id twice": (
        lambda copy: copy.edit("mem/iid/test", lambda rows: rows[5].update(id=rows[4]["id"]) or 5),
        "the same id stands in",
    ),
    "solution: the answer's case": (
        lambda copy: copy.edit(
            "comp/iid/test", lambda rows: rows[3].update(answer=rows[3]["answer"].swapcase()) or 3
        ),
        "the text leads to",
    ),
    "solution: two entities swapped": (
        lambda copy: copy.edit("mem/iid/test", lambda rows: rows[1]["entities"].reverse() or 1),
        "the text leads to",
    ),
    "solution: a sentence of the context dropped": (drop_context_sentence, "None"),
    "question: nonsense": (_set("mem/iid/test", 4, question="Who knows?"), "reads as nothing"),
    "question: another one's": (
        lambda copy: copy.edit(
            "mem/iid/test", lambda rows: rows[4].update(question=rows[5]["question"]) or 4
        ),
        "reads as",
    ),
    "columns: another pattern": (_set("comp/iid/test", 0, pattern="PPP"), "pattern must be"),
    "columns: another kind of answer": (
        _set("comp/iid/test", 0, answer_kind="planet"),
        "answer_kind must be",
    ),
    "chain: another's": (
        lambda copy: copy.edit(
            "comp/iid/test", lambda rows: rows[7].update(chain=rows[8]["chain"]) or 7
        ),
        "the chain must lead",
    ),
    "context: nonsense": (
        lambda copy: copy.edit(
            "ctx/iid/test",
            lambda rows: rows[2].update(context=rows[2]["context"] + " Hello there.") or 2,
        ),
        "'Hello there.'",
    ),
    "context people: another order": (
        lambda copy: copy.edit(
            "ctx/iid/test", lambda rows: rows[2]["context_people"].reverse() or 2
        ),
        "the lines are about",
    ),
    "context people: a context where none is needed": (
        lambda copy: copy.edit("mem/iid/test", lambda rows: rows[2].update(context="x") or 2),
        "exactly where",
    ),
    "context true: a lie": (tell_a_lie_in_a_context, "the biography states"),
    "context group: the recalled fact": (put_recalled_fact_into_context, "what is to be recalled"),
    "guard: the mirror of a recalled hop": (give_recalled_hop_away, "the mirror of a hop"),
    "alike: a distractor's sentence dropped": (
        drop_sentence_of_distractor,
        "does not state every contextual relation",
    ),
    "distractors: one taken away": (take_a_distractor_away, "people of the context could be meant"),
    "context length: a whole biography": (lengthen_a_biography_in_a_context, "at most 6 sentences"),
    "composition: its path moved to training": (
        move_composition_path_to_train,
        "path_in_train True",
    ),
    "entity: somebody trained on": (train_on_somebody_of_the_entity_level, "people_in_train"),
    "iid: a training question": (ask_a_training_question_in_test, "start_in_train True"),
    "once: a test question in validation": (
        copy_a_test_question_into_validation,
        "the same start and path",
    ),
    "path_in_train": (_set("comp/iid/test", 2, path_in_train=False), "path_in_train must be True"),
    "start_in_train": (
        _set("comp/iid/test", 3, start_in_train=True),
        "start_in_train must be False",
    ),
    "unseen_relations": (
        _set("comp/zeroshot/test", 2, unseen_relations=[]),
        "unseen_relations must be [",
    ),
    "hops_beyond_train": (_set("comp/depth/test", 1, hops_beyond_train=3), "found 3"),
    "people_in_train": (
        _set("mem/entity/test", 2, people_in_train=1),
        "people_in_train must be 0, found 1",
    ),
    "direction_seen": (
        lambda copy: copy.edit(
            "ctx/iid/test",
            lambda rows: rows[2].update(direction_seen=not rows[2]["direction_seen"]) or 2,
        ),
        "direction_seen must be",
    ),
    "in paths: a path forgotten": (forget_a_path, "no row"),
    "path levels: another level": (call_a_path_zeroshot, "level zeroshot"),
    "path shape: a relation twice": (walk_a_relation_twice, "a relation twice"),
    "portions: one emptied": (move_portions, "in the portions 1 to 10"),
    "rl: an untrained question": (
        set_aside_an_untrained_question,
        "does not stand in the training files",
    ),
    "probes: one missing": (lose_a_probe, "no probe asks for"),
    "probes: one of a question that is not there": (
        name_a_stranger_in_a_probe,
        "which is no test question",
    ),
    "twins: a difference elsewhere": (change_a_twin_elsewhere, "in one fact only"),
    "twins: one missing": (lose_a_twin, "missing"),
    "conflict: another answer": (change_what_the_context_says, "the context leads to"),
    "conflict: taken back": (take_the_conflict_back, "the context must state"),
    "direction: turned": (turn_a_direction, "direction_seen must be true for the end"),
    "whole biography: two objects swapped in data/facts": (swap_two_objects, "pet"),
    "whole biography: a sentence dropped": (
        drop_a_sentence_of_a_biography,
        "the biography states nothing",
    ),
    "readable: a fact twice": (repeat_a_sentence_of_a_biography, "a second time"),
    "readable: about somebody else": (write_about_somebody_else, "is not about"),
    "readable: a full stop lost": (lose_a_full_stop, "which stands nowhere in data/facts"),
    "readable: nonsense": (
        lambda copy: copy.edit(
            "biographies/contextual",
            lambda rows: rows[6].update(text=rows[6]["text"] + " Hello there.") or 6,
        ),
        "states no fact that can be read",
    ),
    "renderings: a biography lost": (
        lose_a_biography,
        "must have 2 parametric biographies, and has 1",
    ),
    "renderings: somebody known marked as not": (
        forget_who_is_known,
        "must have 0 parametric biographies",
    ),
    "unique names: one twice": (give_two_people_one_name, "a second time"),
    "plain names: a title": (promote_to_doctor, "a title"),
    "functional: two pets": (have_two_pets, "has a pet already"),
    "symmetry: a spouse who does not know": (break_one_mirror, "spouse must be"),
    "inverses: a child with another parent": (break_one_inverse, "must be"),
    "not oneself: married to oneself": (marry_oneself, "nobody is related to themselves"),
    "known circle: a stranger for a boss": (make_a_boss_of_a_stranger, "this one is novel"),
    "one to one: one spouse for two": (break_one_mirror, "one-to-one"),
    "objects: a day for a roommate": (live_with_a_dog, "nobody in data/people"),
    "unique values: a shared phone": (share_a_phone, "one person only"),
    "dates: February 30": (die_on_a_day_that_is_none, "is not a date"),
    "lives: dead before birth": (die_before_birth, "died less than 18 years"),
    "ages: younger than one's child": (be_born_after_ones_children, "years older"),
    "no cycles: one's own grandfather": (be_ones_own_grandfather, "circle"),
    "kin: married to one's sibling": (marry_ones_sibling, "as well"),
    "relations: an inverse forgotten": (forget_an_inverse, "boss"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_corruption_is_caught_by_the_law_and_at_the_place(name: str, copy: Copy) -> None:
    mutate, says = MUTATIONS[name]
    file, row = mutate(copy)
    audit = verify(copy.folder, workers=1)
    entry = audit.ledger.entries[name.partition(":")[0]]
    assert not audit.ok
    assert entry.broken, {
        law: str(entry.first) for law, entry in audit.ledger.entries.items() if entry.broken
    }
    assert entry.first.file == file, entry.first
    assert row is ... or entry.first.row == row, entry.first
    assert says in entry.first.expected, entry.first


def spoil(value: object, draw: Draw) -> object:
    """Another value of the same type, hardly different."""
    pick = int(draw.integers([0], 3)[0])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return (
            [*value, *value[:1]]
            if pick == 0 or not value
            else value[:-1]
            if pick == 1
            else [spoil(value[0], draw.at(0)), *value[1:]]
        )
    place = int(draw.at("place").integers([0], len(value))[0]) if value else 0
    return (f"{value}x", value[1:], f"{value[:place]}Q{value[place + 1 :]}")[pick] or "Q"


@pytest.mark.parametrize("number", range(16))
def test_no_cell_of_no_row_can_be_changed_unnoticed(number: int, copy: Copy) -> None:
    """Whatever a row says is held to something (numbers inside ids aside): one cell is changed, the file sealed, and a law is broken."""
    draw = Draw(7).at("fuzz", number)
    files = sorted(copy.manifest["files"])
    place = (
        files[int(draw.at("file").integers([0], len(files))[0])]
        .removeprefix("data/")
        .rsplit("-", 3)[0]
    )
    rows = copy.rows(place)
    row = rows[int(draw.at("row").integers([0], len(rows))[0])]
    names = [name for name in row if name != "id" and row[name] != []]
    name = names[int(draw.at("column").integers([0], len(names))[0])]
    before = row[name]
    row[name] = spoil(before, draw)
    copy.write(place, rows)
    assert not verify(copy.folder, workers=1).ok, (place, name, before, row[name])


def test_most_laws_have_been_seen_to_fail() -> None:
    """Each law is broken on purpose by some corruption, but for those that only follow from others."""
    follow = {
        "facts told",
        "long lists",
        "atomic",
        "different people",
        "train",
        "zeroshot",
        "depth",
        "held-out starts",
        "oracle",
        "shortcuts",
    }
    assert set(LAWS) - {name.partition(":")[0] for name in MUTATIONS} == follow


def test_columns_are_checked_as_a_row_by_row_validator_would(few: Path) -> None:
    """The fast check of columns and jsonschema agree on which rows of a corrupted table are wrong."""
    rows = pq.read_table(next((few / "data/comp/iid").glob("test-*"))).to_pylist()
    spoil = {
        1: {"id": "Comp 1"},
        2: {"hops": 0},
        3: {"path": []},
        4: {"entities": ["Ann"]},
        5: {"entities": ["Ann", ""]},
        6: {"answer": ""},
        7: {"skill": "both"},
        8: {"portion": 11},
        9: {"unseen_relations": ["Boss"]},
    }
    for row, values in spoil.items():
        rows[row].update(values)
    table = pa.Table.from_pylist(
        rows, schema=pq.read_schema(next((few / "data/comp/iid").glob("test-*")))
    )
    slow = [
        number
        for number, row in enumerate(table.to_pylist())
        if not validator("question").is_valid(row)
    ]
    assert nonconforming(table, "question")[0] == slow == sorted(spoil)
    assert nonconforming(table, "question")[1].startswith("id: ")
    assert np.all(np.diff(slow) > 0)
