"""Command lines for every command and option, derived from click's own tree of commands.

A value is drawn by the type of the parameter; tables below name better ones for some names.  A new
option is therefore tried without any change here.  Commands that would take long get data that they
refuse.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from box import COLUMNS, PARQUETS, Box, Case
from hypothesis import strategies as st
from made_study import passk_line, write_run
from nasty import BYTES, VALUES, WORDS, Document, one_in, texts, to_toml

from bioreason_bench.commands.baseline import main as baseline
from bioreason_bench.commands.main import main as bioreason
from bioreason_bench.config import load_preset
from bioreason_bench.experiments.results import read_lines, without_path
from bioreason_bench.training.recipe import load_recipe
from bioreason_bench.world.table import load_table, table_as_dict

PROGRAMS: Mapping[str, click.Group] = {"bioreason": bioreason, "bioreason-baseline": baseline}

WEIGHTS = {  # how often a command is drawn; others have 4
    "generate": 12, "show": 8, "stats": 5, "plot": 4, "verify": 5, "tasks install": 2,
    "bioreason-baseline report": 1, "bioreason-baseline reproduce": 2,
}  # fmt: skip
KILLS = {"child"}  # options by which a program ends with its parent: this process
OUTPUTS = {"out", "to", "plot"}  # options that name what is written
ALWAYS = {  # options that are always given, so that a call is short
    "generate": ("--preset", "--workers"),
    "verify": ("--workers",),
    "bioreason-baseline train": ("--data",),
    "bioreason-baseline reproduce": ("--data",),
}
REFUSED_AT_ONCE = {"train", "reproduce", "verify"}  # a release that can be read takes them minutes
GOOD = {  # good words by the name of a parameter
    "preset": ["mini.toml"] * 9 + ["v2"],
    "workers": ["1"],
    "seed": ["0", "7"],
    "shard_rows": ["100"],
    "shards": ["0/1", "0-1/3", "2-1/3"],
    "config": ["comp_zeroshot", "people", "comp_iid", "biographies"],
    "configs": ["comp_zeroshot"],
    "split": ["test", "train"],
    "wanted": ["comp-iid-0000-000001"],
    "count": ["1", "1000000"],
    "questions": ["0", "20"],
    "person": ["p3", "p1000", "P3"],
    "repo": ["org/bioreason"],
    "tag": ["v1.0.0"],
    "recipe": ["sft_mem_ctx+grpo", "recipe.yaml"],
    "names": ["sft_mem_ctx"],
    "study": ["main", "rewards"],
    "model": ["no-such-model"],
    "models": ["no-such-model"],
    "level": ["iid"],
    "plot": ["chain.svg"],
    "out": ["out"],
    "to": ["out", "trl", "verl", "graphml"],
}
EVAL_WORDS = (
    "--model", "dummy", "--tasks", "bioreason_comp_idd", "bioreason_nothing", "--limit", "2",
    "--metadata", "--output_path", "run", "--no_such", '{"data": "release"}', '{"prest": "tiny"}',
    '{"preset": "tiny", "seed": -1}', '{"samples": 1000000000}', "{", "[]", DEEP := "[" * 3000,
)  # fmt: skip
MINI = {  # a preset that is made in a moment
    "like": "tiny",
    "known": 120,
    "novel": 60,
    "language": "symbols",
    "open_book": False,
    "levels": ["iid"],
    "hops": {"2": 1.0},
    "mem": {"paths": 20, "train": 20, "iid": 4, "rl": 0, "direction": 0},
    "ctx": {"paths": 20, "train": 20, "iid": 4, "rl": 0, "unanswerable": 0},
    "comp": {"paths": 20, "train": 20, "iid": 4, "rl": 0, "counterfactual": 0, "conflict": 0},
}  # fmt: skip


def leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command without commands below it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(below, (*path, name))


def title(program: str, path: tuple[str, ...]) -> str:
    """The name of a command in the tables above."""
    return " ".join(path if program == "bioreason" else (program, *path))


class Commands:
    """The strategy, with the documents that it breaks."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.commands = {
            title(program, path): (program, path, command)
            for program, main in PROGRAMS.items()
            for path, command in leaves(main)
        }
        self.names = [name for name in self.commands for _ in range(WEIGHTS.get(name, 4))]
        manifest = json.loads((box.release / "manifest.json").read_text(encoding="utf-8"))
        self.manifest = Document(manifest)
        self.audit = Document(json.loads((box.release / "audit.json").read_text(encoding="utf-8")))
        self.preset = Document(load_preset("tiny").as_dict() | {"like": "tiny"})
        self.mini = Document(MINI)
        self.table = Document(table_as_dict(load_table()))
        self.recipe = Document(load_recipe("sft_mem_ctx+grpo").as_dict())
        self.answer = Document(answer())
        self.results = result_documents()
        self.settings = [
            ".".join(map(str, place)) for place in self.preset.places if place != ("like",)
        ]
        self.fields = [
            ".".join(str(key + 1 if isinstance(key, int) else key) for key in place).removeprefix(
                "stages."
            )
            for place in self.recipe.places
        ]

    def lines(self) -> st.SearchStrategy[Case]:
        """Command lines with the files that they name."""
        return _case(self)


@st.composite
def _case(draw: st.DrawFn, commands: Commands) -> Case:
    name = draw(st.sampled_from(commands.names))
    program, path, command = commands.commands[name]
    files: dict[str, bytes] = {}
    releases: dict[str, Any] = {}
    words: list[str] = list(path)
    if name == "eval":
        words += draw(st.lists(st.sampled_from(EVAL_WORDS + WORDS), max_size=6))
        # The harness reads all of its own task files, for seconds, unless the task is ours.
        return Case(program, (*words, "--tasks", "bioreason_nothing"))
    always = ALWAYS.get(name, ())
    parameters = [
        p for p in command.params if not getattr(p, "is_eager", False) and p.name not in KILLS
    ]
    for parameter in parameters:
        if isinstance(parameter, click.Option):
            given = parameter.required or set(always) & set(parameter.opts)
            if not given and not draw(one_in(4)):
                continue
            words.append(draw(st.sampled_from(parameter.opts)))
            if parameter.is_flag:
                continue
        elif not parameter.required and draw(st.booleans()):
            continue
        words.append(draw(_word(commands, name, parameter, files, releases)))
    if draw(one_in(30)):
        words.append(draw(st.sampled_from([*WORDS, "--no-such-option", "--help"])))
    return Case(program, tuple(words), files, releases)


@st.composite
def _word(
    draw: st.DrawFn,
    commands: Commands,
    name: str,
    parameter: click.Parameter,
    files: dict[str, bytes],
    releases: dict[str, Any],
) -> str:
    """A value of a parameter: a good one, a file that is made for it, or a nasty word."""
    key = parameter.name or ""
    if draw(one_in(12)):
        return draw(st.sampled_from(WORDS))
    if key == "settings":
        values = draw(st.sampled_from([json.dumps(value) for value in VALUES] + list(WORDS)))
        fields = commands.settings if name == "generate" else commands.fields
        return f"{draw(st.sampled_from(fields))}={values}"
    if key in GOOD and not (key == "to" and name == "plot"):
        word = draw(st.sampled_from(GOOD[key]))
        if word == "mini.toml":
            good = draw(one_in(3))
            values = st.just(MINI) if good else commands.mini.broken()
            files[word] = draw(texts(values, to_toml))
        if word == "recipe.yaml":
            files[word] = draw(texts(commands.recipe.broken()))
        return word
    if key in OUTPUTS:
        return "out"
    if isinstance(parameter.type, click.Choice):
        return draw(st.sampled_from(list(map(str, parameter.type.choices))))
    if parameter.type.name.startswith(("integer", "float")):
        return draw(st.sampled_from(["0", "1", "2", "100"]))
    if parameter.type.name == "path":
        return draw(_path(commands, name, key, files, releases))
    return draw(st.sampled_from(WORDS))


@st.composite
def _path(
    draw: st.DrawFn,
    commands: Commands,
    name: str,
    key: str,
    files: dict[str, bytes],
    releases: dict[str, Any],
) -> str:
    """A path to read: of a file made for the parameter, or of something that is no file."""
    if draw(one_in(6)):
        return draw(st.sampled_from(commands.box.odd))
    match key:
        case "relations":
            files["relations.toml"] = draw(texts(commands.table.broken(), to_toml))
            return "relations.toml"
        case "facts" | "names":
            rows = draw(st.lists(st.sampled_from(["Ann Lee,boss,Bob Ray", "a,b", '"', "\0,,"])))
            head = "subject,relation,object" if key == "facts" else "id,name"
            files[f"{key}.csv"] = "\n".join([head, *rows]).encode()
            return f"{key}.csv"
        case "audit":
            files["audit.json"] = draw(texts(commands.audit.broken()))
            return "audit.json"
        case "runs":
            return draw(_run(commands, files))
        case "base":
            files["base/run.json"] = draw(texts(commands.results[0].broken()))
            return "base"
        case "results":
            return draw(_answers(commands, files))
        case "folder" if name == "stats" and draw(st.booleans()):
            return draw(_answers(commands, files))
    return draw(_release(commands, name, releases))


@st.composite
def _release(draw: st.DrawFn, commands: Commands, name: str, releases: dict[str, Any]) -> str:
    how = draw(st.sampled_from(["manifest", "manifest", "file", "file", "good"]))
    if name.split()[-1] in REFUSED_AT_ONCE:
        releases["release"] = (draw(st.sampled_from(BYTES)), None)
    elif how == "good":
        releases["release"] = (None, None)
    elif how == "file":
        file = draw(st.sampled_from(sorted(commands.box.files)))
        damage = draw(st.sampled_from(PARQUETS + COLUMNS))
        releases["release"] = (None, (file, damage))
    else:
        releases["release"] = (draw(texts(commands.manifest.broken())), None)
    return "release"


@st.composite
def _answers(draw: st.DrawFn, commands: Commands, files: dict[str, bytes]) -> str:
    """A folder of answers as the harness logs them, one of which is broken."""
    task = draw(st.sampled_from(["comp_iid", "comp_iid_passk", "comp_counterfactual", "mem_iid"]))
    good = json.dumps(commands.answer.value).encode()
    content = b"\n".join([good, draw(texts(commands.answer.broken())), good])
    files[f"answers/samples_bioreason_{task}_2026-01-01T00-00-00.jsonl"] = content
    return "answers"


@st.composite
def _run(draw: st.DrawFn, commands: Commands, files: dict[str, bytes]) -> str:
    """A file of results, or the folder of a run, with a broken line."""
    run, result, *_ = commands.results
    good = [json.dumps(line.value).encode() for line in (run, result)]
    broken = draw(texts(draw(st.sampled_from(commands.results)).broken()))
    if draw(st.booleans()):
        files["results.jsonl"] = b"\n".join([*good, broken])
        return "results.jsonl"
    files["arm/run.json"] = draw(st.sampled_from([good[0], broken]))
    files["arm/results.jsonl"] = draw(st.sampled_from([good[1], broken]))
    return "arm"


def result_documents() -> list[Document]:
    """A line of each type that a file of results may hold: run, result, passk, study."""
    with TemporaryDirectory() as folder:
        run, *results = read_lines(
            [write_run(Path(folder), "sft_mem_ctx+grpo", 1, (0.9, 0.8, 0.7))]
        )
    claim = {"first": "sft_mem_ctx", "second": "sft_mem_ctx+grpo", "text": "GRPO"}
    study = {"type": "study", "name": "main", "arms": ["sft_mem_ctx"], "claims": [claim]}
    passk = passk_line("sft_mem_ctx+grpo", 1, 0.5, 0.5)
    return [Document(line) for line in (run, without_path(results[0]), passk, study)]


def answer() -> dict[str, Any]:
    """A line of the harness's log of answers."""
    return {
        "doc": {
            "id": "comp-iid-0000-000001", "skill": "comp", "level": "iid", "hops": 2,
            "pattern": "PC", "path": ["boss", "hobby"], "unseen_relations": [],
            "unseen_group": "none", "entities": ["Ann Lee", "Bob Ray", "chess"],
            "direction_seen": True, "source": "release", "pair": "", "probe_of": [],
            "grade": {"first_error": 0, "error_kind": "wrong value", "failed_group": "parametric",
                      "samples": 4, "right": 2, "process_right": 1},
        },
        "exact_match": 0.0, "process_verified": 0.0, "hop_accuracy": 0.5, "format_rate": 1.0,
    }  # fmt: skip
