"""The data card of a family other than people: one template, filled with `Family.words`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from bioreason_bench.escaping import json_text, markdown, markdown_code
from bioreason_bench.family import Family, Step, Words
from bioreason_bench.hub import card_text
from bioreason_bench.hub.croissant import make_croissant
from bioreason_bench.hub.front_matter import first_config, front_matter, split_patterns
from bioreason_bench.release.read import read_batches
from bioreason_bench.resources import folder as resource
from bioreason_bench.schema import columns

__all__ = ["family_card", "with_words"]

SPLITS = ("train", "validation", "test")
CANDIDATES = 512  # the example is chosen among this many questions


def with_words(shared: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """The words of the card that all families share, with those of one family."""
    return {
        **shared,
        "origin": "",
        "pretty_name": words.title,
        "description": words.description,
        "tags": [*(tag for tag in shared["tags"] if "biographies" not in tag), *words.tags],
        "task_categories": ["text-generation"],
        "rai": {
            **shared["rai"],
            "dataCollectionRawData": "There are no raw data: a seeded generator writes the rows.",
            "dataAnnotationProtocol": [
                "Answers and traces are computed. An audit computes every one again from the text."
            ],
            "dataCollectionMissingData": "No value is missing.",
        },
    }


def family_card(
    folder: Path,
    manifest: Mapping[str, Any],
    audit: Mapping[str, Any] | None,
    repo: str,
    *,
    family: Family,
    words: Words,
    shared: Mapping[str, Any],
) -> dict[str, str]:
    """The texts of README.md and croissant.json.

    Args:
        folder: The release.
        manifest: Its manifest.
        audit: Its audit, None if there is none yet.
        repo: The repository that the card names.
        family: The family.
        words: Its words.
        shared: The words that all cards share.
    """
    patterns = {config: split_patterns(splits) for config, splits in manifest["configs"].items()}
    first = first_config(patterns, family.shown)
    filled = with_words(shared, words)
    preset = manifest["preset"]
    load = f"bioreason_bench.load({json.dumps(preset)}, {json.dumps(first)}, seed=20260707)"
    fields = {
        "yaml": front_matter(folder, manifest, patterns, filled, family.shown),
        "title": words.title,
        "lead": words.description,
        "family": family.name,
        "preset": markdown_code(preset),
        "preset_option": shlex.quote(preset),
        "seed": str(manifest["seed"]),
        "version": markdown(manifest["versions"]["bioreason_bench"]),
        "one_question": _one_question(folder, manifest, family, first),
        "question": words.question,
        "repo": repo,
        "first_config": first,
        "configs": _configs(manifest),
        "levels_table": card_text.table(
            ["config", "its questions"],
            ([f"`{name}`", text] for name, text in words.levels.items()),
        ),
        "columns_table": card_text.table(
            ["column", "what it holds"],
            ([f"`{name}`", rule["description"]] for name, rule in columns(family.schema).items()),
        ),
        "audit": card_text.audit_table(audit),
        "shortcuts": card_text.shortcuts_table(audit, words.solvers),
        "limits": words.limits,
        "load": markdown_code(load),
        "canary": manifest["canary"],
        "citation": shared["citation"],
        "licence": shared["licences"][manifest["license"]],
    }
    template = (resource("cards") / "family.template.md").read_text(encoding="utf-8")
    croissant = make_croissant(manifest, patterns, filled, repo)
    return {
        "README.md": Template(template).substitute(fields),
        "croissant.json": json_text(croissant, indent=1) + "\n",
    }


def _configs(manifest: Mapping[str, Any]) -> str:
    """Rows of every config, by split."""
    rows = []
    for config, splits in manifest["configs"].items():
        counts = [
            f"{sum(manifest['files'][file]['rows'] for file in splits[split]):,}"
            if split in splits
            else ""
            for split in SPLITS
        ]
        rows.append([f"`{config}`", *counts])
    return card_text.table(["config", *SPLITS], rows)


def _one_question(folder: Path, manifest: Mapping[str, Any], family: Family, config: str) -> str:
    """A question of the first config, step by step."""
    splits = manifest["configs"][config]
    files = splits.get("test") or next(iter(splits.values()))
    batch = next(read_batches([folder / files[0]], rows=CANDIDATES))
    record = min(batch.to_pylist(), key=lambda row: (len(row["chain"]), row["id"]))
    steps = family.steps(record) if family.steps else []
    parts = [f"> {markdown(record['question'])}", f"> {markdown(record['chain'])}"]
    if steps:
        rows = ([number, *map(markdown, _step(step))] for number, step in enumerate(steps, 1))
        parts.append(card_text.table(["step", "what is applied", "to", "result"], rows))
    return "\n\n".join(parts)


def _step(step: Step) -> tuple[str, str, str]:
    return step.operation, ", ".join(step.inputs), step.result
