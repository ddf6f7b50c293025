"""The tasks of a family leave room for its longest chains and answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bioreason_bench.release.read import Release
from bioreason_bench.resources import folder


def limit_of(family: str, name: str) -> int:
    text = (folder("tasks") / family / f"{name}.yaml").read_text(encoding="utf-8")
    return int(yaml.safe_load(text)["generation_kwargs"]["max_gen_toks"])


@pytest.mark.parametrize("family", ["scan", "cogs"])
def test_a_task_allows_twice_the_words_of_the_longest_gold_chain(
    family: str, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(f"{family}_release")
    release = Release(path)
    for level in ("iid", "composition", "zeroshot", "depth"):
        rows = list(release.rows(f"{family}_{level}", "test"))
        for column, form in (("chain", ""), ("chain", "_openbook"), ("answer", "_direct")):
            longest = max(len(row[column].split()) for row in rows)
            assert limit_of(family, f"bioreason_{family}_{level}{form}") >= 2 * longest
