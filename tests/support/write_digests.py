"""Writes tests/golden_digests.json anew: python tests/write_digests.py

Do so only where rows are meant to change, and say under "Data" in CHANGELOG.md what changed.
"""

from __future__ import annotations

import json
from pathlib import Path

from bioreason_bench.config import Config, load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.shards import make_table

GOLDEN = Path(__file__).parents[1] / "data" / "golden_digests.json"
FEW = {"mem.train": "600", "ctx.train": "600", "comp.train": "1200", "comp.rl": "100"}


def configurations() -> dict[str, Config]:
    """What is held: a world in English with every level, and one in symbols."""
    return {"tiny": load_preset("tiny"), "nano": load_preset("nano").override(FEW)}


def digests(config: Config) -> dict[str, str]:
    """The digest of the rows of every file."""
    plan = make_dataset(config)
    return {
        shard.file: digest_rows(make_table(shard.kind, plan.make(shard))) for shard in plan.shards()
    }


if __name__ == "__main__":
    GOLDEN.write_text(
        json.dumps({name: digests(config) for name, config in configurations().items()}, indent=1)
        + "\n",
        encoding="utf-8",
    )
