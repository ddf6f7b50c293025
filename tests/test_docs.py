"""The documentation says what is there: links, commands, names, columns, terms and examples."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
import yaml

import bioreason_bench
from bioreason_bench.audit.catalogue import LAWS
from bioreason_bench.audit.verify import verify
from bioreason_bench.commands.baseline import main as baseline
from bioreason_bench.commands.main import main as bioreason_main
from bioreason_bench.config import from_dict, load_preset
from bioreason_bench.evaluation.harness.names import all_names
from bioreason_bench.experiments.studies import load_study
from bioreason_bench.family import load_settings
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.schema import columns
from bioreason_bench.taxonomy import KIND_NAMES, LEVELS, SKILLS
from bioreason_bench.training.recipe import Recipe, join_parts, load_recipe, make_recipe, read_part

CHECKOUT = Path(__file__).resolve().parent.parent
DOCS = {
    path.relative_to(CHECKOUT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        *sorted((CHECKOUT / "docs").glob("*.md")),
        *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        CHECKOUT / "tasks" / "README.md",
    )
}
NEW = ("reordered", "instrument", "sums")  # what docs/extending.md adds; it is not there before
PROGRAMS = {"bioreason": bioreason_main, "bioreason-baseline": baseline}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
every_page = pytest.mark.parametrize("page", DOCS)


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return FENCE.sub("", text)


def blocks(text: str, *languages: str) -> list[str]:
    """The fenced blocks in one of the languages; "" is a block that names none."""
    return [body for language, body in FENCE.findall(text) if language in languages]


# links ----------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    slugs: list[str] = []
    for heading in re.findall(r"^#+ +(.+)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slugs.append(re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-"))
    return {
        slug if slug not in slugs[:number] else f"{slug}-{slugs[:number].count(slug)}"
        for number, slug in enumerate(slugs)
    }


@every_page
def test_every_relative_link_leads_to_a_file_and_a_heading(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(DOCS[page])):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (CHECKOUT / page).parent / name if name else CHECKOUT / page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@every_page
def test_every_file_of_the_repository_that_a_page_names_is_there(page):
    folders = "bioreason_bench|tests|schemas|scripts|benchmarks|cards|tasks|docs|audit"
    named = [
        text
        for text in INLINE.findall(prose(DOCS[page]))
        if re.fullmatch(rf"(?:{folders})/[\w./*-]*", text) and not any(new in text for new in NEW)
    ]
    roots = (CHECKOUT, CHECKOUT / "bioreason_bench")
    assert [
        text for text in named if not any(list(root.glob(text.rstrip("/"))) for root in roots)
    ] == []


# commands -------------------------------------------------------------------------------------


def commands(text: str) -> Iterator[list[str]]:
    """The words of every command of ours in sh blocks and in inline code; `list|install` is two."""
    lines = [
        line
        for block in blocks(text, "sh", "bash")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    for line in lines + [code for code in INLINE.findall(prose(text)) if " " in code.strip()]:
        nested = re.findall(r"\$\((.*?)\)", line)
        for part in (re.sub(r"\$\(.*?\)", "FOLDER", line), *nested):
            lexer = shlex.shlex(part, posix=True, punctuation_chars=";&")
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if set(word) <= {";", "&"}:
                    if words and words[0] in (*PROGRAMS, "make"):
                        yield from map(list, product(*(word.split("|") for word in words)))
                    words = []
                else:
                    words.append(word.replace("\\|", "|"))


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The click command that the words call, and the words after it."""
    command: click.Command = PROGRAMS[words[0]]
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        assert found, f"there is no command {' '.join(words)}"
        command, rest = found, rest[1:]
    return command, rest


def options_of(command: click.Command, rest: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The options with their values, and the arguments; fails if the command lacks an option."""
    known = {
        name: parameter
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    given: dict[str, list[str]] = {}
    arguments: list[str] = []
    words = iter(rest)
    for word in words:
        if not word.startswith("-"):
            arguments += [] if word == "..." else [word]
            continue
        name = word.strip("[]")
        assert name in (*known, "--help", "--version"), f"{command.name} has no option {name}"
        value = known[name] if name in known and not known[name].is_flag else None
        given.setdefault(name, []).append(next(words, "").rstrip("]") if value else "")
        if value is not None and isinstance(value.type, click.Choice):
            assert given[name][-1] in value.type.choices, word
    return given, arguments


@cache
def printed(name: str) -> str:
    """The fenced block that begins with a comment naming this file, such as `# probe.yaml`."""
    found = [
        body
        for text in DOCS.values()
        for body in blocks(text, "yaml", "toml")
        if body.startswith(f"# {name}\n")
    ]
    assert len(found) == 1, f"{name} is printed in {len(found)} pages"
    return found[0]


def recipe(name: str, settings: dict[str, str]) -> Recipe:
    """The shipped recipe, or the one that a page prints."""
    if name.endswith(".yaml"):
        own = {"name": "printed", **yaml.safe_load(printed(name))}
        before = [read_part("base")] if own.get("after") == "base" else []
        return make_recipe(join_parts("printed", [*before, own]), settings)
    return load_recipe(name, settings)


def check_values(command: click.Command, given: dict[str, list[str]], rest: list[str]) -> None:
    """Presets, recipes and the keys of --set must exist."""
    settings = dict(pair.split("=", 1) for pair in given.get("--set", []) if pair != "KEY=VALUE")
    presets = [name for name in given.get("--preset", []) if name.isidentifier()]
    if command.name == "generate":
        settings.pop("relations", None)  # a file that the reader has
        config = load_settings(presets[0] if presets else "v1")
        assert config.override(settings)
    elif command.name == "train" and rest:
        assert rest[0] == "mine.yaml" or recipe(rest[0], settings)  # "mine" is the reader's own
    elif command.name == "reproduce":
        assert all(load_preset(name) for name in presets)
        studies = [name for name in given.get("--study", []) if not name.endswith(".yaml")]
        arms = {name for study in ["main", *studies] for name, _, _ in load_study(study).arms}
        others = set(given.get("--arm", [])) - arms - {"RECIPE"}
        families = [f"{family}/" for family in given.get("--family", [])] or [""]
        assert all(load_recipe(family + name) for family in families for name in others)


@every_page
def test_every_command_and_option_exists(page):
    targets = re.findall(
        r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    for words in commands(DOCS[page]):
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= set(targets), words
            continue
        command, rest = resolve(words)
        if any(isinstance(parameter.type, type(click.UNPROCESSED)) for parameter in command.params):
            continue  # eval: the options are those of lm_eval
        given, arguments = options_of(command, rest)
        check_values(command, given, arguments)


@every_page
def test_every_task_exists(page):
    known = {*all_names(), "bioreason_bench"}
    named = set(re.findall(r"\bbioreason_[a-z]+(?:_[a-z]+)*\b", DOCS[page]))
    assert {name for name in named if not any(new in name for new in NEW)} <= known


def test_the_recipe_and_the_preset_that_are_printed_are_valid():
    assert len(recipe("probe.yaml", {}).stages) == 3
    values = tomllib.loads(printed("mine.toml"))
    below = load_preset(values.pop("like")).as_dict()
    merged = {
        key: {**below[key], **value} if isinstance(value, dict) else value
        for key, value in values.items()
    }
    assert from_dict({**below, **merged}).known == 400


# Python ---------------------------------------------------------------------------------------


def exists(dotted: str) -> bool:
    """Whether a module, or a name in a module, is there; no module with heavy imports is loaded."""
    try:
        if importlib.util.find_spec(dotted):
            return True
    except ModuleNotFoundError:
        pass
    module, _, name = dotted.rpartition(".")
    return hasattr(importlib.import_module(module), name)


@every_page
def test_every_module_and_name_of_the_package_exists(page):
    wanted = set(re.findall(r"\bbioreason_bench(?:\.\w+)+", DOCS[page]))
    for block in blocks(DOCS[page], "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("bioreason_bench"):
                wanted |= {f"{node.module}.{name.name}" for name in node.names}
            elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "bb":
                assert node.attr in bioreason_bench.__all__, node.attr
    assert [name for name in sorted(wanted) if not exists(name)] == []


# columns, terms, examples ---------------------------------------------------------------------

TABLES = {
    "Questions": "question",
    "Counterfactual pairs": "counterfactual",
    "Conflicts": "conflict",
    "Directions": "direction",
    "Probes": "probe",
    "Biographies": "biography",
    "Facts": "fact",
    "People": "person",
    "Relations": "relation",
    "Paths": "path",
}
TYPES = {"string": "string", "boolean": "boolean", "integer": "integer"}


def type_of(rule):
    """The type of a column in words."""
    if rule["type"] == "array":
        return f"list of {TYPES[rule['items']['type']]}s"
    return TYPES[rule["type"]]


@pytest.mark.parametrize(("heading", "schema"), TABLES.items())
def test_the_columns_of_each_table_are_those_of_its_schema(heading, schema):
    section = re.search(
        rf"^### {heading}\n(.*?)(?=^##)", DOCS["docs/data.md"], re.MULTILINE | re.DOTALL
    )[1]
    listed = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", section, re.MULTILINE)
    own = columns(schema)
    if schema not in ("question", "biography", "fact", "person", "relation", "path"):
        own = {name: rule for name, rule in own.items() if name not in columns("question")}
    assert listed == [(name, type_of(rule)) for name, rule in own.items()]


@pytest.mark.parametrize("term", [*SKILLS, *LEVELS, *KIND_NAMES])
def test_the_glossary_defines_every_word_of_the_taxonomy(term):
    assert re.search(rf"^\| `{term}`", DOCS["docs/glossary.md"], re.MULTILINE)


def test_the_numbers_of_tiny_in_the_glossary_are_those_of_its_audit(tiny_release):
    audit = verify(tiny_release, workers=1)
    checked = [entry.checked for entry in audit.ledger.entries.values() if entry.checked]
    files = read_manifest(tiny_release)["files"]
    rows = {file.split("/")[1]: entry["rows"] for file, entry in files.items()}
    for said in (
        f"{rows['people']:,} people, {rows['facts']:,} facts, {rows['paths']} paths",
        f"checks {len(checked)} of the {len(LAWS)} laws, {sum(checked):,} times",
        f"on all {audit.ledger.entries['oracle'].checked} test sets",
    ):
        assert said in DOCS["docs/glossary.md"]


@pytest.fixture(scope="module")
def questions(tiny_release: Path) -> dict[str, str]:
    """Id -> question (or text) of every row of the release that has an id."""
    found = {}
    for path in tiny_release.rglob("*.parquet"):
        names = pq.read_schema(path).names
        if "id" in names:
            table = pq.read_table(path, columns=["id", "text" if "text" in names else "question"])
            found |= dict(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return found


@every_page
def test_every_example_is_in_the_release(page, questions):
    """Ids exist, and a question quoted behind its id is that row's question."""
    pattern = r"`((?:mem|ctx|comp|probe|parametric|contextual)-[a-z_0-9-]*\d{6}(?:-\d)?)`"
    ids = [name for name in re.findall(pattern, DOCS[page]) if not any(new in name for new in NEW)]
    assert [name for name in ids if name not in questions] == []
    for name, quoted in re.findall(rf"{pattern}(?::| asks) “([^”]+)”", DOCS[page]):
        assert questions[name] == quoted


@every_page
def test_what_show_prints_is_what_a_page_prints(page, bioreason, tiny_release):
    for block in blocks(DOCS[page], ""):
        if re.match(r"(?:mem|ctx|comp)-\S+ {3}", block):
            wanted = ("show", tiny_release, "--id", block.split()[0])
            shown = bioreason(*wanted, env={"COLUMNS": "110"})
            assert block.strip("\n") == shown.stdout.strip("\n")


# README ---------------------------------------------------------------------------------------


def test_the_readme_is_short():
    """At most 1,500 words outside code blocks and tables."""
    text = re.sub(r"^\|.*$", "", prose(DOCS["README.md"]), flags=re.MULTILINE)
    assert len(re.findall(r"\w[\w’'-]*", text)) <= 1_500
