"""The tables and sentences of a card, from the numbers in manifest and audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bioreason_bench.hub.chain_svg import hop_sources
from bioreason_bench.schema import columns


def counts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """People, facts, questions and the like, as they are written in a sentence."""

    def rows(schema: str, part: str = "") -> str:
        return f"{sum(entry['rows'] for file, entry in manifest['files'].items() if entry['schema'] == schema and part in file):,}"

    return {
        "known": f"{manifest['config']['known']:,}",
        "people": rows("person"),
        "facts": rows("fact"),
        "relations": rows("relation"),
        "biographies": rows("biography"),
        "train": rows("question", "/train-"),
        "test": rows("question", "/test-"),
    }


def configs_table(manifest: Mapping[str, Any]) -> str:
    def rows(files: Iterable[str]) -> str:
        return f"{sum(manifest['files'][file]['rows'] for file in files):,}"

    parts = {
        config: ", ".join(f"{split} {rows(files)}" for split, files in splits.items())
        for config, splits in manifest["configs"].items()
    }
    return table(["config", "rows"], ([f"`{config}`", text] for config, text in parts.items()))


def levels_table(manifest: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """What each level of this release asks; `words` describe all levels."""
    held = {config.split("_", 1)[1] for config in manifest["configs"] if "_" in config} | {"train"}
    return table(
        ["level", "its questions ask"],
        ([level, text] for level, text in words.items() if level in held),
    )


def columns_table() -> str:
    return table(
        ["column", "what it holds"],
        ([f"`{name}`", rule["description"]] for name, rule in columns("question").items()),
    )


def one_question(record: Mapping[str, Any] | None) -> str:
    """A question, its chain, the picture of it, and where the fact of each hop is to be found."""
    if record is None:
        return "This release holds no test questions."
    entities = record["entities"]
    hops = zip(
        range(1, record["hops"] + 1),
        record["path"],
        entities[:-1],
        entities[1:],
        hop_sources(record),
        strict=True,
    )
    picture = (
        "![the chain of this question, hop by hop, and where each hop is to be found](chain.svg)"
    )
    parts = [
        f"> {record['question']}\n>\n> {record['chain']}",
        picture,
        table(["hop", "relation", "from", "to", "its fact is"], hops),
    ]
    return "\n\n".join(parts)


def hops(config: Mapping[str, Any]) -> str:
    """How many hops the questions have."""
    total = sum(config["hops"].values())
    shares = ", ".join(
        f"{number} ({share / total:.0%})" for number, share in config["hops"].items()
    )
    return shares + (
        f"; level `depth` asks {' and '.join(config['depth_hops'])}"
        if "depth" in config["levels"]
        else ""
    )


def contexts(config: Mapping[str, Any]) -> str:
    """How the contexts of this release were made, in sentences."""
    others = (
        f"and of {config['distractors']} other people"
        if config["distractors"]
        else "and of nobody else"
    )
    text = [
        f"A context holds the contextual biographies of the people whose facts are to be read, {others}, in drawn order."
    ]
    if config["context_facts"]:
        text.append(f"They are shortened to {config['context_facts']} sentences a person;")
        text.append("everybody in the context still states every relation that is to be read.")
    if config["leak_guards"]:
        text.append("Sentences that would give away a hop meant to be recalled are left out;")
        text.append("the other people are such that the context alone does not give the answer.")
    return " ".join(text)


def audit_table(audit: Mapping[str, Any] | None) -> str:
    """How often each law was checked and broken."""
    if audit is None:
        return "Not audited when this card was written: `bioreason verify DIR` solves every question from the text alone."
    laws = audit["laws"]
    total, broken = (sum(entry[key] for entry in laws.values()) for key in ("checked", "broken"))
    part = "A sample of the release" if audit["sample"] else "The release"
    held = {law: entry for law, entry in laws.items() if entry["checked"]}
    found = f"{len(held)} laws, {total:,} checks, **{broken:,} broken**"
    text = (
        f"{part} was read back from its text alone: {found}. `bioreason verify DIR` does it again."
    )
    rows = (
        [law, entry["text"], f"{entry['checked']:,}", f"{entry['broken']:,}"]
        for law, entry in held.items()
    )
    return f"{text}\n\n<details><summary>law by law</summary>\n\n{table(['law', 'says', 'checked', 'broken'], rows)}\n\n</details>"


def shortcuts_table(audit: Mapping[str, Any] | None, words: Mapping[str, str]) -> str:
    """What solvers without a model score, in per cent; chance is that of guessing among the candidates that a solver sees."""
    if audit is None or not audit.get("solvers"):
        return "Not scored yet."
    solvers = audit["solvers"]
    names = [name for name in words if any(name in scores for scores in solvers.values())]
    rows = (
        [f"`{config}`", *(_score(scores.get(name)) for name in names)]
        for config, scores in solvers.items()
    )
    meaning = "\n".join(f"- `{name}`: {words[name]}" for name in names)
    text = "Answers right, in per cent, and in parentheses what guessing among the candidates that the solver sees is worth."
    return f"{text}\n\n{table(['config', *names], rows)}\n\n{meaning}"


def _score(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return ""
    chance = f" ({100 * entry['chance']:.1f})" if entry["shortcut"] else ""
    return f"{100 * entry['score']:.1f}{chance}"


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |" for line in lines
    )
