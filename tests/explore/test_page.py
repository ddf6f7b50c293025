"""bioreason explore: one file that holds the world as it is, and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path

import pytest
from explore_pages import HOSTILE, data_of, make_hostile, write_answers, write_small_audit

from bioreason_bench.audit.report import read_audit
from bioreason_bench.escaping import hidden_at, visible
from bioreason_bench.explore import page as page_module
from bioreason_bench.explore import write_page
from bioreason_bench.explore.questions import choose_indices
from bioreason_bench.release.hops import find_hops, recalled_biographies
from bioreason_bench.release.read import Release

ASSETS = Path(page_module.__file__).parent
COUNTRIES = Path(__file__).parents[2] / "examples" / "countries"


@pytest.fixture(scope="module", params=["english", "symbols", "own facts"])
def release(request, tmp_path_factory) -> Path:
    if request.param == "english":
        return request.getfixturevalue("tiny_release")
    if request.param == "symbols":
        return request.getfixturevalue("nano_release")
    from bioreason_bench.build import generate
    from bioreason_bench.config import load_preset

    skills, levels = ("mem", "ctx", "comp"), ("iid", "composition", "zeroshot", "entity", "depth")
    few = {f"{skill}.{level}": "20" for skill in skills for level in levels}
    few |= {f"{skill}.train": "300" for skill in skills}
    few |= {f"{skill}.paths": "80" for skill in skills} | {"comp.paths": "160"}
    few |= {"mem.direction": "20", "comp.rl": "50", "comp.counterfactual": "20"}
    few |= {"comp.conflict": "20"}
    files = {
        "facts": COUNTRIES / "facts.csv",
        "names": COUNTRIES / "names.csv",
        "relations": COUNTRIES / "relations.toml",
    }
    config = load_preset("graph").override(few | {name: str(file) for name, file in files.items()})
    folder = tmp_path_factory.mktemp("releases") / "countries"
    generate(config, folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def page(release, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("pages") / "world.html"
    write_page(Release(release), out, questions=200)
    return out


def test_the_page_holds_every_person_every_fact_and_the_first_biographies(release, page):
    data, source = data_of(page), Release(release)
    assert data["people"] == source.table("people")["name"].to_pylist()
    facts = set()
    for relation, (distances, objects) in zip(data["relations"], data["facts"], strict=True):
        names = data["people"] if relation["person"] else data["values"]
        for subject, reached in zip(accumulate(distances), objects, strict=True):
            facts.add((data["people"][subject], relation["name"], names[reached]))
    rows = source.table("facts", columns=["subject", "relation", "object"]).to_pylist()
    assert facts == {tuple(row.values()) for row in rows}
    for group in ("parametric", "contextual"):
        first = {
            row["person"]: row["text"]
            for row in source.rows("biographies", group)
            if row["rendering"] == 0
        }
        texts = zip(data["people"], data["biographies"][group], strict=True)
        assert {name: text for name, text in texts if text} == first


def test_every_hop_has_its_sentence_and_the_context_prints_it(release, page):
    """Of every config that has test questions, and with the pronouns that the context has."""
    source, questions = Release(release), data_of(page)["questions"]
    configs = {config for config in source.configs() if "test" in source.splits(config)}
    assert {question["config"] for question in questions} == configs
    assert 100 < len(questions) <= 200
    from bioreason_bench.language.reader import Reader

    reader = Reader(source.relations, source.config.language)
    for question in questions[::7]:
        row = next(
            row for row in source.rows(question["config"], "test") if row["id"] == question["id"]
        )
        expected = find_hops(row, reader, recalled_biographies(source, [row]))
        assert [hop["text"] for hop in question["hops"]] == [hop.text for hop in expected]
        for hop in question["hops"]:
            if hop["biography"]:
                biography = question["context"][hop["biography"] - 1]
                assert question["people"][hop["biography"] - 1] == hop["subject"]
                assert hop["printed"] in biography
                assert hop["object"] in hop["printed"]


class Tags(HTMLParser):
    """The elements of a page, and addresses that its attributes name."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.addresses: list[str] = []
        self.events: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in ("meta", "input"):
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action")]
        self.events += [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_names_no_address_but_its_own(page):
    text = re.sub(r"base64\">[\w+/=]+<", 'base64"><', page.read_text(encoding="utf-8"))
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.count["script"] == 2
    assert all(address.startswith("#") for address in tags.addresses)
    assert tags.events == []
    assert set(re.findall(r"\b(?:https?:)?//[a-z][^\s\"')]*", text)) <= {
        "http://www.w3.org/2000/svg"
    }
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in text


def test_the_policy_of_the_page_allows_its_own_script_and_style_only(page):
    text = page.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none';")
    for kind, body in (
        ("script", re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]),
        ("style", re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]),
    ):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_the_script_of_the_page_is_valid():
    if not shutil.which("node"):
        pytest.skip("no node to parse it with")
    done = subprocess.run(
        ["node", "--check", ASSETS / "page.js"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_same_release_gives_the_same_bytes(tiny_release, tmp_path):
    pages = [tmp_path / "a.html", tmp_path / "b.html"]
    for out in pages:
        write_page(Release(tiny_release), out, questions=50)
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert pages[0].stat().st_size < 400_000


def test_names_and_values_are_data(tiny_release, tmp_path):
    """Whatever a release is called and holds, the frame of the page stays as it is."""
    hostile = Path(shutil.copytree(tiny_release, tmp_path / "hostile"))
    person, value, _ = make_hostile(hostile)
    write_page(Release(hostile), tmp_path / "hostile.html")
    write_page(Release(tiny_release), tmp_path / "plain.html")
    pages = [tmp_path / "plain.html", tmp_path / "hostile.html"]
    counts = []
    for page in pages:
        tags = Tags()
        tags.feed(page.read_text(encoding="utf-8"))
        counts.append((tags.count, tags.addresses, tags.events))
    assert counts[0] == counts[1]
    data = data_of(pages[1])
    assert person in data["people"]
    assert visible(value) in data["values"]
    assert HOSTILE["preset"] in data["title"]
    assert all(hidden_at(text) < 0 for text in data["values"])


def test_the_audit_is_shown_with_whether_it_is_of_this_release(tiny_release, tmp_path):
    folder = Path(shutil.copytree(tiny_release, tmp_path / "tiny"))
    out = tmp_path / "tiny.html"
    write_page(Release(folder), out, questions=30)
    assert data_of(out)["audit"] is None
    write_small_audit(folder)
    write_page(Release(folder), out, questions=30, force=True)
    audit, written = data_of(out)["audit"], read_audit(folder)
    assert audit == {
        "current": True,
        **{name: written[name] for name in ("ok", "laws", "solvers")},
    }
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    write_page(Release(folder), out, questions=30, force=True)
    assert data_of(out)["audit"]["current"] is False


def test_a_models_answers_stand_beside_their_questions(tiny_release, tmp_path):
    """Questions with answers come first, whatever the number of questions that is asked for."""
    lines = write_answers(tiny_release, tmp_path / "run", "comp_zeroshot", 10)
    write_page(Release(tiny_release), tmp_path / "out.html", tmp_path / "run", questions=30)
    data = data_of(tmp_path / "out.html")
    shown = {question["id"] for question in data["questions"]}
    assert shown >= {line["doc"]["id"] for line in lines}
    for line in lines:
        (answer,) = data["answers"][line["doc"]["id"]]
        assert answer["exact_match"] == line["exact_match"]
        assert "\n".join(answer["completion"]) == line["resps"][0][0]
        assert answer["model"] == "a <model>"
    (score,) = data["scores"]
    assert (score["questions"], score["value"]) == (10, 0.6)


def test_answers_to_another_release_are_refused(tiny_release, nano_release, tmp_path, cli):
    write_answers(tiny_release, tmp_path / "run", "comp_zeroshot", 3)
    log = next((tmp_path / "run").glob("samples*"))
    log.write_text(log.read_text(encoding="utf-8").replace('"comp-', '"other-'), encoding="utf-8")
    out = tmp_path / "out.html"
    result = cli("explore", tiny_release, "--results", tmp_path / "run", "--out", out)
    assert result.exit_code == 2
    assert "no answer in" in result.stderr
    assert not list(tmp_path.glob("*.html*"))


def test_an_existing_file_stays_unless_it_is_forced(tiny_release, tmp_path, cli):
    out = tmp_path / "mine.html"
    out.write_text("mine")
    result = cli("explore", tiny_release, "--out", out)
    assert result.exit_code == 2
    assert "already exists" in result.stderr
    assert out.read_text() == "mine"
    result = cli("explore", tiny_release, "--out", out, "--force", "--questions", "20")
    assert result.stdout.strip() == str(out)
    assert "MB; open it in a browser" in result.stderr
    assert len(data_of(out)["people"]) == 180
    assert [path.name for path in tmp_path.iterdir()] == ["mine.html"]


def test_a_folder_is_no_page_and_a_broken_release_leaves_nothing(tiny_release, tmp_path, cli):
    assert "is a folder" in cli("explore", tiny_release, "--out", tmp_path).stderr
    broken = Path(shutil.copytree(tiny_release, tmp_path / "broken"))
    next((broken / "data" / "facts").iterdir()).write_bytes(b"PAR1")
    result = cli("explore", broken)
    assert result.exit_code == 1
    assert "facts" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_a_fact_about_nobody_is_told_in_a_sentence(tiny_release, tmp_path, cli):
    import pyarrow as pa
    import pyarrow.parquet as pq

    broken = Path(shutil.copytree(tiny_release, tmp_path / "broken"))
    file = next((broken / "data" / "facts").iterdir())
    table = pq.read_table(file)
    rows = table.to_pylist()
    rows[5]["subject"] = "Nobody At All"
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
    result = cli("explore", broken)
    assert result.exit_code == 1
    assert "'Nobody At All', which is none of its people" in result.stderr


@pytest.mark.parametrize(
    ("total", "asked", "share", "most", "expected"),
    [
        (100, [], 4, 50, [0, 25, 50, 75]),
        (100, [7, 9], 4, 50, [0, 7, 9, 25]),
        (100, list(range(20)), 4, 10, list(range(10))),
        (3, [], 10, 50, [0, 1, 2]),
        (0, [], 10, 50, []),
        (10, [0], 0, 0, []),
    ],
)
def test_questions_are_chosen_at_equal_distances_after_those_with_answers(
    total, asked, share, most, expected
):
    assert choose_indices(total, asked, share, most) == expected


def test_a_long_completion_keeps_its_beginning_and_end(tiny_release, tmp_path):
    write_answers(tiny_release, tmp_path / "run", "comp_zeroshot", 1)
    log = next((tmp_path / "run").glob("samples*"))
    line = json.loads(log.read_text(encoding="utf-8"))
    line["resps"] = [["begin\n" + "x" * 100_000 + "end"]]
    log.write_text(json.dumps(line), encoding="utf-8")
    write_page(Release(tiny_release), tmp_path / "out.html", tmp_path / "run", questions=5)
    ((answer,),) = data_of(tmp_path / "out.html")["answers"].values()
    text = "\n".join(answer["completion"])
    assert text.startswith("begin\nxxx")
    assert text.endswith("xxxend")
    assert "[96,009 characters]" in text
