"""The data card: README.md, chain.svg and croissant.json of a release, made from cards/ and the numbers in manifest and audit.

    write_card(folder)                                    for a folder
    card_files(folder, manifest, audit, "org/bioreason")  the texts, as they are to stand in a repository

Nothing in a card is typed by hand but the words in cards/; it can be made again from the release at any time.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from bioreason_bench.audit.report import read_audit
from bioreason_bench.hub import card_text
from bioreason_bench.hub.card_results import results
from bioreason_bench.hub.chain_svg import draw_chain
from bioreason_bench.hub.croissant import make_croissant
from bioreason_bench.hub.front_matter import front_matter, split_patterns
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.release.read import read_batches
from bioreason_bench.resources import folder as resource

__all__ = ["REPO", "card_files", "write_card"]

REPO = "org/bioreason"  # stands for wherever the release is published
SHOWN_FIRST = (
    "comp_zeroshot",
    "comp_composition",
    "comp_iid",
    "ctx_zeroshot",
    "mem_zeroshot",
)  # where the pictured question comes from
LOOKED_AT = 512  # questions among which the pictured one is chosen


def write_card(folder: Path, manifest: Mapping[str, Any] | None = None) -> None:
    """Write the card's files into a release; with the audit's numbers if audit.json is there."""
    manifest = read_manifest(folder) if manifest is None else manifest
    for name, content in card_files(folder, manifest, read_audit(folder)).items():
        (folder / name).write_text(content, encoding="utf-8")


def card_files(
    folder: Path,
    manifest: Mapping[str, Any],
    audit: Mapping[str, Any] | None = None,
    repo: str = REPO,
) -> dict[str, str]:
    """The texts of README.md, chain.svg and croissant.json, as they are to stand in `repo`; a release without tests has no picture."""
    cards = resource("cards")
    words = tomllib.loads((cards / "card.toml").read_text(encoding="utf-8"))
    changes = (cards / "changes.md").read_text(encoding="utf-8").strip()
    version = manifest["versions"]["bioreason_bench"]
    citation = Template((cards / "citation.bib").read_text(encoding="utf-8").strip()).substitute(
        version=version
    )
    words |= {"citation": citation, "published": re.search(r"\d{4}-\d{2}-\d{2}", changes)[0]}
    patterns = {config: split_patterns(splits) for config, splits in manifest["configs"].items()}
    record = pick_question(folder, manifest)
    fields = {
        **{key: str(manifest[key]) for key in ("preset", "seed", "canary")},
        **card_text.counts(manifest),
        "yaml": front_matter(folder, manifest, patterns, words),
        "lead": words["description"].strip(),
        "repo": repo,
        "version": version,
        "citation": citation,
        "changes": changes,
        "first_config": next(
            (config for config in SHOWN_FIRST if config in patterns), next(iter(patterns))
        ),
        "one_question": card_text.one_question(record),
        "configs_table": card_text.configs_table(manifest),
        "levels_table": card_text.levels_table(manifest, words["levels"]),
        "columns_table": card_text.columns_table(),
        "hops": card_text.hops(manifest["config"]),
        "contexts": card_text.contexts(manifest["config"]),
        "audit": card_text.audit_table(audit),
        "shortcuts": card_text.shortcuts_table(audit, words["solvers"]),
        "results": results(cards / "results"),
    }
    readme = Template((cards / "README.template.md").read_text(encoding="utf-8")).substitute(fields)
    croissant = (
        json.dumps(make_croissant(manifest, patterns, words, repo), indent=1, ensure_ascii=False)
        + "\n"
    )
    picture = {"chain.svg": draw_chain(record)} if record else {}
    return {"README.md": readme, **picture, "croissant.json": croissant}


def pick_question(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """A test question with both kinds of hops, of three hops and short where there is one; None if there are no questions."""
    configs = {
        name: splits["test"]
        for name, splits in manifest["configs"].items()
        if "test" in splits and name != "probes"
    }
    for config in (*SHOWN_FIRST, *configs):
        files = configs.get(config, ())
        batch = next(read_batches([folder / file for file in files], rows=LOOKED_AT), None)
        if batch is not None and batch.num_rows:
            return min(batch.to_pylist(), key=_telling)
    return None


def _telling(row: Mapping[str, Any]) -> tuple[int, int, int, str]:
    return abs(row["hops"] - 3), -len(set(row["pattern"])), len(row["question"]), row["id"]
