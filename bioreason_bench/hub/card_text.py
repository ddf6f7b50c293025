"""The tables and sentences of a card, from the numbers in manifest and audit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bioreason_bench.escaping import markdown, markdown_code
from bioreason_bench.lengths import CHARACTERS_PER_TOKEN
from bioreason_bench.release.hops import Hop, source_in_words
from bioreason_bench.schema import columns
from bioreason_bench.taxonomy import LEVELS, OPEN_BOOK, OPEN_BOOK_SKILLS, QUESTION_KINDS, SKILLS

__all__ = [
    "audit_table",
    "columns_table",
    "contexts",
    "counts",
    "hops",
    "kinds",
    "levels_table",
    "one_question",
    "other_configs_table",
    "question_configs_table",
    "shortcuts_table",
    "table",
]

SPLITS = ("train", "validation", "test")


def counts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The numbers of people, facts, questions and the like, as they are written in a sentence."""

    def rows(schema: str, part: str = "") -> str:
        files = manifest["files"].items()
        return f"{sum(e['rows'] for file, e in files if e['schema'] == schema and part in file):,}"

    return {
        "known": f"{manifest['config']['known']:,}",
        "people": rows("person"),
        "facts": rows("fact"),
        "relations": rows("relation"),
        "biographies": rows("biography"),
        "train": rows("question", "/train-"),
        "test": f"{_closed_tests(manifest):,}",
    }


def _closed_tests(manifest: Mapping[str, Any]) -> int:
    """Test questions of the levels; their open books ask the same ones again."""
    return sum(
        entry["rows"]
        for file, entry in manifest["files"].items()
        if entry["schema"] == "question" and "/test-" in file and f"_{OPEN_BOOK}/" not in file
    )


def question_configs_table(manifest: Mapping[str, Any]) -> str:
    """Rows of every config of test questions, by split."""
    configs = manifest["configs"]
    rows = (
        [f"`{config}`", *(_rows(manifest, configs[config].get(split)) for split in SPLITS)]
        for config in _question_configs(manifest)
    )
    return table(["questions", *SPLITS], rows)


def other_configs_table(manifest: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """The other configs; `words` say what each holds."""
    questions = _question_configs(manifest)
    rows = (
        [f"`{config}`", words.get(config, ""), split, _rows(manifest, files)]
        for config, splits in manifest["configs"].items()
        if config not in questions
        for split, files in splits.items()
    )
    return table(["config", "what it holds", "split", "rows"], rows)


def _question_configs(manifest: Mapping[str, Any]) -> list[str]:
    known = {f"{skill}_{level}" for skill in SKILLS for level in LEVELS}
    known |= {f"{skill}_{level}_{OPEN_BOOK}" for skill in OPEN_BOOK_SKILLS for level in LEVELS}
    known |= {kind.config for kind in QUESTION_KINDS}
    return [config for config in manifest["configs"] if config in known]


def _rows(manifest: Mapping[str, Any], files: Iterable[str] | None) -> str:
    return f"{sum(manifest['files'][file]['rows'] for file in files):,}" if files else ""


def levels_table(manifest: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """What each level of this release asks; `words` describe all levels."""
    tested = {f"{skill}_{level}": level for skill in SKILLS for level in LEVELS}
    held = {tested.get(config) for config in manifest["configs"]}
    rows = (
        [f"`{level}`", words[level]] for level in ("train", *LEVELS) if level in {"train", *held}
    )
    return table(["level", "its questions follow"], rows)


def kinds(manifest: Mapping[str, Any]) -> str:
    """The kinds of questions beyond the levels that this release has, as a list."""
    lines = [
        f"- `{kind.config}`: {kind.summary}"
        for kind in QUESTION_KINDS
        if kind.config in manifest["configs"]
    ]
    return "\n".join(lines) or "None in this release."


def columns_table() -> str:
    """What each column of a question holds."""
    rows = ([f"`{name}`", rule["description"]] for name, rule in columns("question").items())
    return table(["column", "what it holds"], rows)


def one_question(record: Mapping[str, Any] | None, steps: Sequence[Hop]) -> str:
    """A question, its chain, the picture of it, and where the fact of each hop is stated."""
    if record is None:
        return "This release holds no test questions."
    biographies = len(record["context_people"])
    rows = (
        [
            k,
            *map(markdown, (hop.relation, hop.subject, hop.object)),
            markdown(source_in_words(hop, biographies)),
        ]
        for k, hop in enumerate(steps, 1)
    )
    parts = [
        f"> {markdown(record['question'])}",
        "Its gold chain, which training teaches a model to write:",
        f"> {markdown(record['chain'])}",
        "![the chain of this question, hop by hop, and where each fact is stated](chain.svg)",
        table(["hop", "relation", "from", "to", "its fact is"], rows),
    ]
    return "\n\n".join(parts)


def hops(config: Mapping[str, Any]) -> str:
    """How many hops the questions have."""
    total = sum(config["hops"].values())
    shares = ", ".join(
        f"{number} ({share / total:.0%})" for number, share in config["hops"].items()
    )
    if "depth" not in config["levels"]:
        return shares
    return f"{shares}; level `depth` has {' or '.join(config['depth_hops'])}"


def contexts(config: Mapping[str, Any]) -> str:
    """How the contexts of this release were made, in sentences."""
    number = config["distractors"]
    distractors = ", without distractors."
    if number:
        distractors = (
            f" and those of others: {number} for each person on the chain who has to be told from "
            f"them, and strangers where fewer than {number + 1} people would be in it."
        )
    people = f"people whose facts are to be read{distractors}"
    sentences = [f"A context holds, in random order, the contextual biographies of the {people}"]
    if config["context_facts"]:
        sentences.append(
            f"Biographies in it are shortened to {config['context_facts']} sentences; everybody in "
            "the context still states every relation that is to be read."
        )
    if config.get("context_tokens"):
        sentences.append(
            "The contexts of ctx and comp questions of the test levels are filled up with "
            f"biographies of further people, to {config['context_tokens']} tokens, estimated at "
            f"{CHARACTERS_PER_TOKEN} characters each."
        )
    leak_guards = "in force" if config["leak_guards"] else "not in force"
    sentences.append(f"The leak guards are {leak_guards}.")
    return " ".join(sentences)


def audit_table(audit: Mapping[str, Any] | None) -> str:
    """How often each invariant was checked and broken."""
    if audit is None:
        return (
            "Not audited when this card was written: `bioreason verify DIR` solves every question "
            "from the text alone."
        )
    laws = audit["laws"]
    total, broken = (sum(entry[key] for entry in laws.values()) for key in ("checked", "broken"))
    checked = {law: entry for law, entry in laws.items() if entry["checked"]}
    part = "A sample of the release" if audit["sample"] else "The release"
    text = (
        f"{part} was read back from its text alone: {len(checked)} invariants, {total:,} checks, "
        f"**{broken:,} broken**. `bioreason verify DIR` repeats it."
    )
    rows = (
        [markdown(law), markdown(entry["text"]), f"{entry['checked']:,}", f"{entry['broken']:,}"]
        for law, entry in checked.items()
    )
    lines = table(["name", "invariant", "checked", "broken"], rows)
    return f"{text}\n\n<details><summary>every invariant</summary>\n\n{lines}\n\n</details>"


def shortcuts_table(audit: Mapping[str, Any] | None, words: Mapping[str, str]) -> str:
    """What solvers without a model score; `words` describe the solvers."""
    if audit is None or not audit.get("solvers"):
        return "Not scored yet."
    solvers = audit["solvers"]
    names = [name for name in words if any(name in scores for scores in solvers.values())]
    rows = (
        [markdown_code(config), *(_score(scores.get(name)) for name in names)]
        for config, scores in solvers.items()
    )
    meaning = "\n".join(f"- `{name}`: {words[name]}" for name in names)
    text = (
        "What programs without a language model answer: right answers in per cent. In parentheses: "
        "the score of guessing among the candidates that the solver sees; none where the solver "
        "does what the skill asks, or a part of it."
    )
    return f"{text}\n\n{meaning}\n\n{table(['config', *names], rows)}"


def _score(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return ""
    chance = f" ({100 * entry['chance']:.1f})" if entry["shortcut"] else ""
    return f"{100 * entry['score']:.1f}{chance}"


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown, of cells in Markdown; a bar in a cell is escaped, also in code."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(cell: object) -> str:
    return re.sub(r"(?<!\\)\|", r"\|", str(cell))
