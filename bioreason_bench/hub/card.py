"""The data card: README.md, chain.svg and croissant.json of a release.

    write_card(folder)                                    into the folder of a release
    card_files(folder, manifest, audit, "org/bioreason")  the texts for a repository on the Hub

The words come from cards/ and the numbers from the manifest and the audit, so a card can be made
again from its release at any time.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from bioreason_bench.audit.report import read_audit
from bioreason_bench.errors import BioreasonError
from bioreason_bench.escaping import json_text, markdown, markdown_code
from bioreason_bench.family import family_of
from bioreason_bench.hub import card_text
from bioreason_bench.hub.card_results import results
from bioreason_bench.hub.chain_svg import chain_svg
from bioreason_bench.hub.croissant import make_croissant
from bioreason_bench.hub.family_card import family_card
from bioreason_bench.hub.front_matter import (
    FIRST,
    first_config,
    front_matter,
    split_patterns,
)
from bioreason_bench.language.reader import Reader
from bioreason_bench.release.disk import write_whole
from bioreason_bench.release.files import Sizes
from bioreason_bench.release.hops import Hop, find_hops, first_biographies, recalled_people
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.release.read import read_batches
from bioreason_bench.resources import folder as resource
from bioreason_bench.world.table import read_table

__all__ = ["REPO", "card_files", "card_words", "is_unedited", "pick_question", "write_card"]

REPO = "org/bioreason"  # a placeholder, until the release is published somewhere
CANDIDATES = 512  # the example is chosen among this many questions


def write_card(
    folder: Path, manifest: Mapping[str, Any] | None = None, sizes: Sizes | None = None
) -> None:
    """Write the files of the card into a release, with the audit's numbers if there is an audit.

    `sizes` are those of files that are not in the folder; see `front_matter`.
    """
    manifest = read_manifest(folder) if manifest is None else manifest
    for name, content in card_files(folder, manifest, read_audit(folder), sizes=sizes).items():
        write_whole(folder / name, content)


def is_unedited(folder: Path, sizes: Sizes | None = None) -> bool:
    """Whether README.md is as this version writes it for the release and its present audit."""
    try:
        manifest, audit = read_manifest(folder), read_audit(folder)
        expected = card_files(folder, manifest, audit, sizes=sizes)["README.md"]
        return (folder / "README.md").read_text(encoding="utf-8") == expected
    except (BioreasonError, OSError, ValueError):
        return False


def card_files(
    folder: Path,
    manifest: Mapping[str, Any],
    audit: Mapping[str, Any] | None = None,
    repo: str = REPO,
    sizes: Sizes | None = None,
) -> dict[str, str]:
    """The texts of README.md, chain.svg and croissant.json.

    Args:
        folder: The release.
        manifest: Its manifest.
        audit: Its audit, None if there is none yet.
        repo: The repository that the card names.
        sizes: See `front_matter`.

    Returns:
        Text by file name; without chain.svg if the release has no test questions.
    """
    cards = resource("cards")
    words = card_words(manifest)
    family = family_of(manifest)
    if family.words:
        return family_card(
            folder, manifest, audit, repo, family=family, words=family.words(manifest), shared=words
        )
    patterns = {config: split_patterns(splits) for config, splits in manifest["configs"].items()}
    record = pick_question(folder, manifest)
    hops = _hops(folder, manifest, record) if record else []
    first = first_config(patterns)
    preset, version = manifest["preset"], manifest["versions"]["bioreason_bench"]
    load = f"bioreason_bench.load({json.dumps(preset)}, {json.dumps(first)}, seed=20260707)"
    fields = {
        "preset": markdown_code(preset),
        "preset_option": shlex.quote(preset),
        "load": markdown_code(load),
        **{key: str(manifest[key]) for key in ("seed", "canary")},
        **card_text.counts(manifest),
        "yaml": front_matter(folder, manifest, patterns, words, sizes=sizes),
        "lead": words["description"].strip(),
        "repo": repo,
        "version": markdown(version),
        "licence": words["licences"][manifest["license"]],
        "citation": words["citation"],
        "changes": words["changes"],
        "first_config": first,
        "one_question": card_text.one_question(record, hops),
        "question_configs": card_text.question_configs_table(manifest),
        "other_configs": card_text.other_configs_table(manifest, words["configs"]),
        "levels_table": card_text.levels_table(manifest, words["levels"]),
        "kinds": card_text.kinds(manifest),
        "columns_table": card_text.columns_table(),
        "hops": card_text.hops(manifest["config"]),
        "contexts": card_text.contexts(manifest["config"]),
        "audit": card_text.audit_table(audit),
        "shortcuts": card_text.shortcuts_table(audit, words["solvers"]),
        "results": results(cards / "results"),
    }
    template = Template((cards / "README.template.md").read_text(encoding="utf-8"))
    croissant = make_croissant(manifest, patterns, words, repo)
    return {
        "README.md": template.substitute(fields),
        **({"chain.svg": chain_svg(record, hops)} if record else {}),
        "croissant.json": json_text(croissant, indent=1) + "\n",
    }


def card_words(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """card.toml, with the citation, the changes of the data, and the date of the last change."""
    cards = resource("cards")
    words = tomllib.loads((cards / "card.toml").read_text(encoding="utf-8"))
    citation = Template((cards / "citation.bib").read_text(encoding="utf-8").strip())
    changes = (cards / "changes.md").read_text(encoding="utf-8").strip()
    return words | {
        "citation": citation.substitute(version=manifest["versions"]["bioreason_bench"]),
        "changes": changes,
        "published": re.findall(r"\d{4}-\d{2}-\d{2}", changes)[0],
    }


def pick_question(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """A test question to explain: if possible short, of three hops, and of both kinds of hops.

    None if the release has no test questions.
    """
    configs = {
        name: splits["test"]
        for name, splits in manifest["configs"].items()
        if "test" in splits and name != "probes"
    }
    for config in (*FIRST, *configs):
        files = configs.get(config, ())
        batch = next(read_batches([folder / file for file in files], rows=CANDIDATES), None)
        if batch is not None and batch.num_rows:
            return min(batch.to_pylist(), key=_unsuitability)
    return None


def _unsuitability(row: Mapping[str, Any]) -> tuple[int, int, int, str]:
    """The lower, the better a question is to explain."""
    return abs(row["hops"] - 3), -len(set(row["pattern"])), len(row["question"]), row["id"]


def _hops(folder: Path, manifest: Mapping[str, Any], record: Mapping[str, Any]) -> list[Hop]:
    """The hops of a question; read from the files, since the manifest is written after the card."""
    files = manifest["configs"].get("biographies", {}).get("parametric", [])
    batches = read_batches([folder / file for file in files], ["person", "text"], rows=16_384)
    recalled = first_biographies(recalled_people([record]), batches)
    reader = Reader(read_table(manifest["relations"]), manifest["config"]["language"])
    return find_hops(record, reader, recalled)
