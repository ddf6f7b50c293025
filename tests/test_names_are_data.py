"""Names are data: what stands in a user's files, or in results, is shown and never obeyed.

One hostile graph goes through generate, verify, show, stats, every export, the card and its files.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result
from few import SETTINGS

from bioreason_bench.audit.report import read_audit
from bioreason_bench.commands.main import main
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.escaping import (
    json_text,
    markdown,
    markdown_code,
    plot_text,
    visible,
    without_token,
    xml_text,
)
from bioreason_bench.export.formats import FORMATS
from bioreason_bench.hub import card_text
from bioreason_bench.hub.card import card_files
from bioreason_bench.hub.card_results import results
from bioreason_bench.hub.chain_svg import chain_svg
from bioreason_bench.language.reader import Reader
from bioreason_bench.release.hops import find_hops
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.release.read import Release
from bioreason_bench.taxonomy import LEVELS, SKILLS
from bioreason_bench.world.table import load_open_table, load_table, read_table, table_as_dict
from bioreason_bench.world.triples import read_rows

COUNTRIES = Path(__file__).parents[1] / "examples" / "countries"
HOSTILE = (  # printable texts: taken as they are, and escaped wherever they are shown
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![p](https://evil.example/p.png)",
    "`code` ``two`` \\` ```",
    "a|b \\| c",
    "$x^2$ $preset ${repo} $$",
    "</text></svg> ]]> -->",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "--- yaml: [1, {a: b}",
    "_em_ **strong** ~~gone~~",
    "=1+1 {object} %s \\n",
    "https://evil.example/ www.evil.example evil@evil.example",
    """<a href="javascript:alert(1)">'it'</a>""",
    "# head > quote",
)
UNSEEN = {  # refused in files: what they are called in the message
    "\x1b[31m": "U+001B (a control character)",
    "\x00": "U+0000 (a control character)",
    "\x9b": "U+009B (a control character)",
    "\n": "U+000A (a control character)",
    "\u2028": "U+2028 LINE SEPARATOR",
    "\u202e": "U+202E RIGHT-TO-LEFT OVERRIDE",
    "\u2066": "U+2066 LEFT-TO-RIGHT ISOLATE",
    "\u200f": "U+200F RIGHT-TO-LEFT MARK",
    "\u200b": "U+200B ZERO WIDTH SPACE",
    "\ufeff": "U+FEFF ZERO WIDTH NO-BREAK SPACE",
    "\u3164": "U+3164 HANGUL FILLER",
    "\ufe0f": "U+FE0F VARIATION SELECTOR-16",
    "\U000e0041": "U+E0041 TAG LATIN CAPITAL LETTER A",
}
WORDING = "is *really* <i>_so_</i> "
PRESET = """`p` <b>|$x "q"""
FEW = {"mem.train": 300, "ctx.train": 300, "comp.train": 300}
FEW |= {"mem.paths": 60, "ctx.paths": 60, "comp.paths": 60, "comp.rl": 20}
FEW |= {"mem.direction": 5, "comp.counterfactual": 5, "comp.conflict": 5}
FEW |= {f"{skill}.{level}": 10 for skill in SKILLS for level in LEVELS}


def run(*words: object) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the countries whose values, wordings and preset are all hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    table = (COUNTRIES / "relations.toml").read_text(encoding="utf-8")
    kinds = {row["name"]: row["object"] for row in tomllib.loads(table)["relation"]}
    with (COUNTRIES / "facts.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    values: dict[tuple[str, str], str] = {}
    prefixes = cycle(HOSTILE)
    for row in rows:
        if (kind := kinds[row[1]]) != "person":
            if (kind, row[2]) not in values:
                values[kind, row[2]] = f"{next(prefixes)} {row[2]}"
            row[2] = values[kind, row[2]]
    with (folder / "facts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    (folder / "relations.toml").write_text(
        re.sub(r" is (?=\{object)", f" {WORDING}", table), encoding="utf-8"
    )
    preset = folder / f"{PRESET}.toml"
    preset.write_text('like = "graph"\n', encoding="utf-8")
    files = [f"--{name}={folder / name}.csv" for name in ("facts",)]
    files += [f"--names={COUNTRIES / 'names.csv'}", f"--relations={folder / 'relations.toml'}"]
    few = [f"--set={key}={value}" for key, value in FEW.items()]
    out = folder / "release"
    made = run("generate", "--preset", preset, *files, *few, "--out", out, "--workers", 1, "-q")
    assert made.exit_code == 0, made.output
    return out


@pytest.fixture(scope="module")
def rows(hostile: Path) -> list[dict[str, Any]]:
    """Test questions whose answers are hostile values, one for each hostile text."""
    release = Release(hostile)
    found: dict[str, dict[str, Any]] = {}
    for config in release.question_configs():
        if "test" in release.splits(config):
            for row in release.rows(config, "test"):
                for text in HOSTILE:
                    if row["answer"].startswith(text):
                        found.setdefault(text, row)
    assert len(found) == len(HOSTILE)
    return list(found.values())


def assert_visible(text: str) -> None:
    assert all(line == visible(line) for line in text.split("\n")), text


class Page(HTMLParser):
    """Tags, links and text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data


def rendered(text: str) -> Page:
    """Markdown as a renderer shows it that takes raw HTML and makes links of addresses."""
    markdown_it = pytest.importorskip("markdown_it")
    renderer = markdown_it.MarkdownIt("commonmark", {"html": True})
    return Page(renderer.enable(["table", "strikethrough"]).render(text))


# at the door --------------------------------------------------------------------------------------


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_a_text_that_cannot_be_seen_as_it_is_is_refused_with_its_place(tmp_path, unseen):
    name = UNSEEN[unseen].replace("\\", "")
    facts = tmp_path / "facts.csv"
    with facts.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("subject", "relation", "object"), ("Ann", "pet", "cat"), ("Bo", "pet", f"a{unseen}b")]
        )
    with pytest.raises(UsageError) as error:
        read_rows(facts, ("subject", "relation", "object"))
    message = str(error.value)
    line = 4 if unseen == "\n" else 3
    assert message.startswith(f"facts.csv, line {line}: the object 'a") and name in message
    assert "at character 2" in message and message == visible(message)

    values = tomllib.loads((COUNTRIES / "relations.toml").read_text(encoding="utf-8"))
    for field, index in (("statements", 1), ("nouns", 0), ("asks", 0)):
        changed = json.loads(json.dumps(values))
        changed["relation"][0][field][index] += unseen
        with pytest.raises(ReleaseError, match=f"relation 'largest_neighbor', {field}.{index}"):
            read_table(changed, "manifest.json")


def test_a_relation_table_is_refused_in_one_line_that_names_the_place(tmp_path):
    text = (Path(__file__).parent / "data" / "tables" / "good" / "workshop.toml").read_text()
    path = tmp_path / "own.toml"
    for before, after, place in (
        ('"adze"', '"ad\\u202eze"', "own.toml: pools.implement.0: 'ad\\u202eze' holds U+202E"),
        ('"adze"', f'"{"a" * 10_000}"', "own.toml: pools.implement.0: 'aaa"),
        (
            'name = "tool"',
            'name = "tool\\n"',
            "own.toml: relation 'tool\\n', name: 'tool\\n' holds U+000A",
        ),
    ):
        path.write_text(text.replace(before, after), encoding="utf-8")
        result = run("generate", "--relations", path, "--out", tmp_path / "out", "-q")
        assert result.exit_code == 2 and result.stderr.count("\n") == 1
        assert place in result.stderr and len(result.stderr) < 300


def test_long_texts_are_refused_and_quoted_in_part(tmp_path):
    names = tmp_path / "names.csv"
    names.write_text(f"id,name\na,{'B' * 10_000}\n", encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"names.csv, line 2: the name 'BBB\S+ has 10,000"
    ) as error:
        read_rows(names, ("id", "name"))
    assert len(str(error.value)) < 200


def test_a_preset_has_a_name_that_can_be_seen(tmp_path):
    result = run(
        "generate", "--set", "preset=a\u202eb", "--preset", "tiny", "--out", tmp_path / "o"
    )
    assert result.exit_code == 2 and "U+202E" in result.stderr and "\u202e" not in result.stderr


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("preset",), "tiny\x1b[2J", "preset"),
        (("versions", "numpy"), "1\n---", "versions/numpy"),
        (("relations", "relation", 0, "nouns"), ["boss\u200b"], "relations/relation/0/nouns/0"),
        (
            ("configs", "comp_iid\n"),
            {"test": ["data/comp/iid/test-00000-of-00001.parquet"]},
            "conf",
        ),
        (("configs", "`x`"), {}, "configs"),
    ],
)
def test_a_manifest_with_such_texts_is_broken(hostile, tmp_path, path, value, place):
    manifest = json.loads((hostile / "manifest.json").read_text(encoding="utf-8"))
    *parents, last = path
    part = manifest
    for key in parents:
        part = part[key]
    part[last] = value
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ReleaseError, match=f"broken at {place}"):
        read_manifest(tmp_path)
    result = run("show", tmp_path)
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert_visible(result.stderr)


def test_our_own_tables_pass_the_door():
    read_table(json.loads(json.dumps(table_as_dict(load_table()))))
    load_open_table(COUNTRIES / "relations.toml")


# the ways out -------------------------------------------------------------------------------------


def test_the_hostile_release_is_right_and_every_command_shows_its_texts(hostile):
    verified = run("verify", hostile, "--write", "--workers", 1)
    assert verified.exit_code == 0, verified.output
    for words in (["show", hostile], ["stats", hostile], ["show", hostile, "facts", "-n", 40]):
        result = run(*words)
        assert result.exit_code == 0
        assert_visible(result.stdout)
    shown = run("show", hostile, "facts", "-n", 300, "--json").stdout
    objects = {json.loads(line)["object"] for line in shown.splitlines()}
    assert any(text.startswith(HOSTILE[0]) for text in objects)


def test_the_card_shows_hostile_texts_and_takes_none_of_them_for_markup(hostile, rows):
    release = Release(hostile)
    files = card_files(hostile, release.manifest, read_audit(hostile))
    _, head, text = files["README.md"].split("---\n", 2)
    front = yaml.safe_load(head)
    assert [entry["config_name"] for entry in front["configs"]] == release.configs()
    assert f"--preset '{PRESET}' --seed" in text
    page = rendered(text)
    assert page.tags.isdisjoint({"script", "i", "b", "s"})
    assert not [link for link in page.links if "evil" in link or "javascript" in link]
    assert f"preset {PRESET}, seed" in page.text
    reader = Reader(release.relations, release.config.language)
    for row in rows:
        part = card_text.one_question(row, find_hops(row, reader))
        assert not re.search(r"<(?!br)", part), "every < is escaped"
        page = rendered(part)
        plain = {"blockquote", "p", "table", "thead", "tbody", "tr", "th", "td", "img"}
        assert page.tags <= plain and page.links == ["chain.svg"]
        assert row["answer"] in page.text and row["chain"] in page.text


def test_a_cards_audit_and_results_are_data_too(tmp_path):
    """Both come from files next to the release, which anybody may have written."""
    counts = {"checked": 1, "broken": 0}
    laws = {text: {"text": text, **counts} for text in HOSTILE}
    score = {"value": 0.5, "low": 0.4, "high": 0.6}
    record = {"skill": "comp", "level": HOSTILE[0], "variant": HOSTILE[1], "questions": 3}
    record |= {"exact_match": score, "process_verified": score}
    model = {"model": HOSTILE[2], "release": HOSTILE[4], "command": HOSTILE[5]}
    (tmp_path / "model.json").write_text(json.dumps(model | {"results": [record]}))
    shown = card_text.audit_table({"sample": 0, "laws": laws})
    for text in (shown.split("</summary>")[1].split("</details>")[0], results(tmp_path)):
        page = rendered(text)
        assert page.tags <= {*("p", "table", "thead", "tbody", "tr", "th", "td", "code")}
        assert not page.links and HOSTILE[0] in page.text and HOSTILE[5] in page.text


def test_a_tables_cells_stay_in_their_columns(rows):
    for row in rows:
        page = rendered(card_text.table(["a", "b"], [[markdown(row["answer"]), "`x|y`"]]))
        assert row["answer"] in page.text and "x|y" in page.text


def test_the_pictures_of_chains_are_well_formed_and_hold_the_texts(hostile, rows):
    release = Release(hostile)
    reader = Reader(release.relations, release.config.language)
    for row in rows:
        svg = ET.fromstring(chain_svg(row, find_hops(row, reader)))
        assert {element.tag.partition("}")[2] for element in svg.iter()} <= {
            *("svg", "title", "rect", "text", "line", "path")
        }
        assert row["answer"] in [element.text for element in svg.iter()]
        assert svg[0].text == row["question"]


def test_croissant_is_json_with_the_preset_as_it_is(hostile):
    croissant = json.loads(card_files(hostile, read_manifest(hostile))["croissant.json"])
    assert f"preset {PRESET}, seed 42" in croissant["rai:dataCollection"]


@pytest.mark.parametrize("to", FORMATS)
def test_exports_hold_the_texts_unchanged(hostile, tmp_path, to):
    assert run("export", hostile, "--to", to, "--out", tmp_path / to).exit_code == 0
    answers = {row["answer"] for row in Release(hostile).rows("comp_iid", "test")}
    if to == "graphml":
        graph = nx.read_graphml(tmp_path / to / "world.graphml")
        assert answers <= {values["label"] for _, values in graph.nodes(data=True)}
    else:
        read = (pq.read_table, lambda path: [json.loads(line) for line in path.open()])
        files = [
            path for path in (tmp_path / to).rglob("*") if path.suffix in (".jsonl", ".parquet")
        ]
        text = "".join(
            json.dumps(read[0](path).to_pylist() if path.suffix == ".parquet" else read[1](path))
            for path in files
        )
        assert all(json.dumps(answer)[1:-1] in text for answer in answers)
    page = rendered((tmp_path / to / "README.md").read_text(encoding="utf-8"))
    assert "b" not in page.tags and f"preset {PRESET}, seed" in page.text


def test_the_figure_of_a_chain_draws_formulas_as_text(hostile, rows, tmp_path):
    pytest.importorskip("matplotlib")
    row = next(row for row in rows if row["answer"].startswith("$x^2$"))
    out = tmp_path / "chain.svg"
    assert run("show", hostile, "--id", row["id"], "--plot", out).exit_code == 0
    ET.parse(out)
    text = plot_text("$\\frac{$ $x^2$")
    from matplotlib.cbook import is_math_text

    assert not is_math_text(text)


# a release of somebody else -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def foreign(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release with characters in its rows that no generator would write there."""
    folder = Path(shutil.copytree(hostile, tmp_path_factory.mktemp("foreign") / "release"))
    unseen = "".join(UNSEEN)
    for file in (*folder.glob("data/*/*/test-*.parquet"), *folder.glob("data/facts/*.parquet")):
        table = pq.read_table(file)
        for name in {"question", "answer", "object"} & set(table.column_names):
            texts = [f"{text}{unseen}" for text in table[name].to_pylist()]
            table = table.set_column(table.column_names.index(name), name, pa.array(texts))
        pq.write_table(table, file)
    return folder


def test_no_command_prints_what_commands_a_terminal(foreign):
    few = ["--workers", 1, "--sample", 2]
    for words in (
        *(["show", foreign], ["show", foreign, "--json"], ["show", foreign, "facts"]),
        *(["show", foreign, "--context"], ["stats", foreign], ["stats", foreign, "--json"]),
        *(["verify", foreign, *few], ["verify", foreign, *few, "--json"]),
    ):
        result = run(*words)
        assert result.exit_code == (words[0] == "verify"), result.output
        assert_visible(result.stdout)
        assert_visible(result.stderr.replace("\r", ""))
    line = run("show", foreign, "-n", 1, "--json").stdout
    assert json.loads(line)["question"].endswith("".join(UNSEEN))


def test_the_card_of_such_a_release_shows_escapes(foreign):
    files = card_files(foreign, read_manifest(foreign))
    for name in ("README.md", "croissant.json", "chain.svg"):
        assert_visible(files[name])
    ET.fromstring(files["chain.svg"])
    assert "\\u202e" in ET.fromstring(files["chain.svg"])[0].text


def test_graphml_refuses_what_xml_cannot_hold(foreign, tmp_path):
    result = run("export", foreign, "--to", "graphml", "--out", tmp_path / "out", "-q")
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "U+001B" in result.stderr and not (tmp_path / "out").exists()


# results ------------------------------------------------------------------------------------------


def test_a_report_shows_hostile_names_of_models_and_runs(tmp_path):
    pytest.importorskip("matplotlib")
    from bioreason_bench.experiments.report import make_report

    names = [*HOSTILE, "_hidden\x1b[31m", "few_shot=abc", "few_shot=8", "n" * 200]
    names = [re.sub(r"[/\\]", "\u2044", name) for name in names]  # an arm is a folder's name
    lines: list[dict[str, Any]] = []
    for arm in names:
        curve = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}]
        world = {"preset": HOSTILE[0], "seed": 42}
        lines.append(
            {"type": "run", "arm": arm, "seed": 1, "recipe": {"name": arm, "stages": [{}]}}
            | {"command": f"train {arm}", "world": world, "curve": curve, "minutes": 1}
            | {"versions": {"torch": HOSTILE[1]}, "machine": {"processor": HOSTILE[2]}}
            | {"stages": [{"kind": HOSTILE[3], "seconds": 1.0, "steps": 1}]}
        )
        samples = {"config": "comp_zeroshot", "questions": 2, "samples": 4, "starts": [arm, "b"]}
        lines.append(
            {"type": "passk", "arm": arm, "seed": 1, "answers": {"1": 0.5}, "chains": {"1": 0.5}}
            | {"gold_chain_log_likelihood": -1.0, "right_answers": [1, 2], "right_chains": [0, 2]}
            | samples
        )
        scores = {
            "exact_match": 0.9,
            "process_verified": 0.2,
            "exact_match_interval": [0.8, 1.0],
            "process_verified_interval": [0.1, 0.3],
        }
        lines += [
            {"type": "result", "arm": arm, "seed": 1, "stage": 1, "config": config, **scores}
            | {"questions": 60, "error_kinds": {HOSTILE[4]: 2}, "first_error": {"0/3": 2}}
            for config in ("comp_iid", "comp_zeroshot")
        ]
    claim = {"first": names[0], "second": names[1], "text": names[2]}
    study = {"name": names[0], "about": names[1], "question": names[2], "claims": [claim]}
    lines.append({"type": "study", "arms": names, **study})
    path = tmp_path / "results.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    page = make_report([path], tmp_path / "report", log=lambda _: None).read_text(encoding="utf-8")
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    for made in (page, text):
        assert_visible(made)
    html, shown = Page(page), rendered(text)
    for part in (html, shown):
        assert part.tags.isdisjoint({"script", "a", "i", "b", "s", "em", "strong"})
        assert not [link for link in part.links if "evil" in link or "javascript" in link]
        for name in names[: len(HOSTILE)]:
            assert name in part.text
    assert html.text.count("alert(1)</script>") == shown.text.count("alert(1)</script>")
    for picture in (tmp_path / "report").glob("*.svg"):
        ET.parse(picture)


def test_stats_of_answers_show_hostile_names_of_models(tmp_path, rows):
    pytest.importorskip("matplotlib")
    from bioreason_bench.evaluation.answers import METRICS

    sample = {"doc": rows[0], **dict.fromkeys(METRICS, 1.0)}
    for number, model in enumerate(["$x^2$ _m_", "\x1b[2J\u202e", "_hidden", "m" * 10_000]):
        folder = tmp_path / "out" / str(number)
        folder.mkdir(parents=True)
        date = "2026-01-01T00-00-00.0"
        (folder / f"results_{date}.json").write_text(json.dumps({"model_name": model}))
        log = folder / f"samples_bioreason_comp_iid_{date}.jsonl"
        log.write_text(json.dumps(sample) + "\n", encoding="utf-8")
    for words in (["stats", tmp_path / "out"], ["stats", tmp_path / "out", "--json"]):
        result = run(*words)
        assert result.exit_code == 0
        assert_visible(result.stdout)
    assert run("plot", tmp_path / "out", "--to", tmp_path / "plots").exit_code == 0
    for picture in (tmp_path / "plots").glob("*.svg"):
        ET.parse(picture)


# the functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [*HOSTILE, "1. item", "- item", "---", "===", "+ x", "## x", "a_b"]
)
def test_each_format_gives_the_text_back(text):
    for source in (markdown(text), f"- {markdown(text)}", f"## {markdown(text)}"):
        page = rendered(source)
        assert page.text.strip() == text and not page.links
    assert rendered(f"x {markdown_code(text)} y").text.strip() == f"x {text} y"
    assert ET.fromstring(f"<a b='{xml_text(text)}'>{xml_text(text)}</a>").text == text
    assert json.loads(json_text([text, {text: 1}], indent=1)) == [text, {text: 1}]
    assert visible(text) == text


@pytest.mark.parametrize("unseen", [*UNSEEN, "\ud800", "\uffff", "\x85"], ids=ascii)
def test_no_format_holds_what_cannot_be_seen(unseen):
    formats: tuple[Callable[[str], str], ...] = (
        *(visible, markdown, markdown_code, xml_text, json_text, plot_text),
    )
    for escape in formats:
        for text in (unseen, f"a{unseen}b"):
            if not (escape is plot_text and unseen == "\n"):  # a label may have two lines
                assert_visible(escape(text))
                assert unseen not in escape(text)
    assert json.loads(json_text(f"a{unseen}b")) == f"a{unseen}b"
    ET.fromstring(f"<a>{xml_text(unseen)}</a>")


# tokens and asserts -------------------------------------------------------------------------------


def test_messages_hold_no_token_and_words_stay_whole(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_" + "a1" * 17)
    message = f"cannot reach http://user:hf_{'a1' * 17}@127.0.0.1:9, Authorization: Bearer xyz"
    shown = without_token(message)
    assert "a1a1" not in shown and "xyz" not in shown and "127.0.0.1:9" in shown
    monkeypatch.setenv("HF_TOKEN", "1 a secret-of-mine")
    assert without_token("1 a 127.0.0.1 secret-of-mine") == "1 a 127.0.0.1 (token)"


def test_an_address_with_a_token_is_not_repeated(monkeypatch):
    from huggingface_hub import constants

    from bioreason_bench.evaluation.open_source import open_source

    token = "hf_" + "Zz9" * 11
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://user:{token}@127.0.0.1:9")
    with pytest.raises(ReleaseError) as error:
        open_source(data="org/release")
    assert token not in str(error.value)


def test_the_harness_neither_logs_nor_stores_a_token_and_reads_no_pickle(monkeypatch, capsys):
    pytest.importorskip("lm_eval")
    import logging

    from lm_eval._cli import HarnessCLI
    from lm_eval.utils import setup_logging

    from bioreason_bench.evaluation.harness import run as harness

    token = "hf_" + "Yy8" * 11
    monkeypatch.setenv("HF_TOKEN", "")
    words = ["lm_eval", "run", "--model", "hf", "--tasks", "x", "--model_args"]
    monkeypatch.setattr(sys, "argv", [*words, f"pretrained=a,token={token}"])
    options = HarnessCLI().parse_args()
    harness._secure_model(options)
    assert options.model_args == {"pretrained": "a", "use_safetensors": True}
    assert os.environ["HF_TOKEN"] == token

    setup_logging()
    harness._hide_tokens_in_logs()
    stream = io.StringIO()
    for handler in logging.getLogger("lm_eval").handlers:
        monkeypatch.setattr(handler, "stream", stream)
    logging.getLogger("lm_eval.evaluator").warning("arguments: %s", {"token": token})
    assert "arguments" in stream.getvalue() and token not in stream.getvalue()


QUICK = """
import json, sys
from click.testing import CliRunner
from bioreason_bench.commands.main import main
assert False, "python -O leaves this out"
out, settings = sys.argv[1], json.loads(sys.argv[2])
for words in (
    ["generate", "--preset", "tiny", *settings, "--out", f"{out}/tiny", "--workers", "1", "-q"],
    ["verify", f"{out}/tiny", "--workers", "1", "--sample", "20", "-q"],
    ["show", f"{out}/tiny"],
    ["export", f"{out}/tiny", "--to", "trl", "--out", f"{out}/trl"],
):
    result = CliRunner().invoke(main, words)
    print(words[0], result.exit_code, result.stdout if words[0] == "show" else "")
"""


def test_nothing_depends_on_assert(few_release, tmp_path):
    """The same rows, verdict and output with python -O."""
    words = [sys.executable, "-O", "-c", QUICK, tmp_path, json.dumps(SETTINGS)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    shown = run("show", few_release).stdout
    assert done.stdout == f"generate 0 \nverify 0 \nshow 0 {shown}\nexport 0 \n"
    assert read_manifest(tmp_path / "tiny")["files"] == read_manifest(few_release)["files"]
    run("export", few_release, "--to", "trl", "--out", tmp_path / "plain")
    for path in (tmp_path / "plain").rglob("*.jsonl"):
        optimized = tmp_path / "trl" / path.relative_to(tmp_path / "plain")
        assert optimized.read_bytes() == path.read_bytes()
