"""docs/chains.md is what scripts/write_chains.py writes, and its statements are read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bioreason_bench.grading import grader_for
from bioreason_bench.language.chain_wordings import RULES, more_statements, with_more_statements
from bioreason_bench.world.table import load_table

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_page_of_accepted_chains_is_current():
    script = CHECKOUT / "scripts" / "write_chains.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_further_statement_is_read_as_its_own_relation():
    """From either end: "X supervised Y" states the boss of Y, or the subordinate of X."""
    table, grader = load_table(), grader_for()
    count = 0
    for row in with_more_statements(table).relations:
        own = table[table.number(row.name)]
        values = table.pools.get(row.object)
        object_ = "Bo Ray" if row.to_person else values[0] if values else "Xy 12"
        for statement in row.statements[len(own.statements) :]:
            text = statement.replace("{object:a}", "a {object}")
            text = text.replace("{subject}", "Ann Lee").replace("{object}", object_)
            ((fact,), _) = grader.facts(text)
            assert fact is not None, text
            said = (fact[0], fact[1], fact[2].removeprefix("a ").removeprefix("the "))
            assert said in {("Ann Lee", row.name, object_), (object_, row.inverse, "Ann Lee")}, text
            count += 1
    assert count > 300
    rules = {rule for row in table.relations for rule, _ in more_statements(row)}
    assert rules == set(RULES)
