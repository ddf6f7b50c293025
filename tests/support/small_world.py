"""A relation table of six relations, and the settings of a release that it can fill."""

from __future__ import annotations

from pathlib import Path

from bioreason_bench.taxonomy import LEVELS, SKILLS

WORKSHOP = Path(__file__).parents[1] / "data" / "tables" / "good" / "workshop.toml"
SMALL = {  # what a table of six relations can fill
    "levels": '["iid"]',
    "hops": '{ "2" = 1.0 }',
    "depth_hops": "{}",
    "community": "0",
    "leak_guards": "false",
    "distractors": "0",
    "context_facts": "0",
    "comp.rl": "0",
    "comp.counterfactual": "0",
    "comp.conflict": "0",
    "mem.direction": "0",
}
for skill in SKILLS:
    SMALL |= {f"{skill}.paths": "2", f"{skill}.train": "20", f"{skill}.iid": "5"}
    SMALL |= {f"{skill}.{level}": "0" for level in LEVELS if level != "iid"}
