"""Write docs/chains.md: what the grader takes for an answer and for the hops of a chain.

    python scripts/write_chains.py            # rewrite docs/chains.md
    python scripts/write_chains.py --check    # exit code 1 if it is not what would be written

Every example is a case of the tests, and every wording comes from the relation table.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from bioreason_bench.grading.chain import ERROR_KINDS
from bioreason_bench.language.chain_wordings import RULES, more_statements, with_more_statements
from bioreason_bench.world.relations import Relation
from bioreason_bench.world.table import load_table

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = CHECKOUT / "docs" / "chains.md"
DATA = CHECKOUT / "tests" / "data"
EXAMPLES_OF_A_REASON = 3

INTRODUCTION = """# What the grader accepts

This page is written by `scripts/write_chains.py` from the relation table, the grader and the cases
in `tests/data/completions*.toml`. [evaluation.md](evaluation.md#metrics) defines the metrics.

`exact_match` needs a right **answer**, `process_verified` also a right **chain**: every hop, in
order, and no other fact. Thoughts (`<think>...</think>`, also without the opening tag, and the tags
of other models) are not graded. If a thought never ends, there is no answer, and the error is
`truncated`. What follows the token that ends a turn, or a question of the model's own, is not
graded either.
"""
ANSWERS = """## Answers

The answer is the text after the last “the answer is:”. Where this marker is absent, the last of
these counts: “the answer is” without a colon, “Answer:” or “Final answer:” at the beginning of a
line, `#### X`, `\\boxed{X}`, `<answer>X</answer>`. A completion of one line without any marker may
be the answer itself. A marker that is denied gives no answer.

The answer must be the right one after normalisation, with nothing but usual words before it.
Nothing after it may take it back or give another answer of the same kind.
"""
CHAINS = """## Chains

A chain of more than 20,000 characters is not verified. A sentence that states no fact is skipped. A
fact that is no hop, or a hop out of order, is the first error. A hop counts from either end (“X was
the boss of Y”, “Y was the subordinate of X”). A fact may be said in the statements listed below.
“I recall that”, “according to the text” and the like may lead to it or follow it, a remark in
parentheses may follow it, and a pronoun means the person to whom the last fact led. Arrows are
read, too: “S → boss → O”, “S -boss-> O”, “S's boss → O”. “S → O” names no relation and counts as
the hop that leads from S to O. `format_rate`
asks for more: plain sentences, each of which is a statement with nothing around it.
"""


def reasons(name: str) -> list[str]:
    """The rows of a table: each reason with examples from a file of cases."""
    cases = tomllib.loads((DATA / name).read_text(encoding="utf-8"))["completion"]
    grouped: dict[tuple[str, bool], list[str]] = {}
    for case in cases:
        right = case.get("verified", case["exact"]) if "chains" in name else case["exact"]
        text = case.get("answer") or case["text"]
        if text.isprintable() and len(text) < 240:
            grouped.setdefault((case["why"], right), []).append(text)
    rows = []
    for (why, right), texts in grouped.items():
        shown = " · ".join(
            f"`` {text.replace('|', chr(92) + '|')} ``" for text in texts[:EXAMPLES_OF_A_REASON]
        )
        rows.append(f"| {why} | {'yes' if right else 'no'} | {shown} |")
    return rows


def wordings(row: Relation, read: dict[str, tuple[str, ...]]) -> list[str]:
    """The statements of a relation that are read, by the rule from which they come."""
    by_rule: dict[str, list[str]] = {"": list(row.statements)}
    listed = set(row.statements)
    for rule, statement in more_statements(row):
        if statement in read[row.name] and statement not in listed:
            by_rule.setdefault(rule, []).append(statement)
            listed.add(statement)
    lines = [f"### {row.name}", ""]
    for rule, statements in by_rule.items():
        source = RULES.get(rule, "biographies")
        shown = " · ".join(
            statement.replace("{subject}", "S")
            .replace("{object:a}", "a O")
            .replace("{object}", "O")
            for statement in statements
        )
        lines.append(f"- {source}: {shown}")
    return [*lines, ""]


def page() -> str:
    """The whole page."""
    table = load_table()
    read = {row.name: row.statements for row in with_more_statements(table).relations}
    head = ["| case | accepted | examples |", "|---|---|---|"]
    parts = [
        INTRODUCTION,
        ANSWERS,
        *head,
        *reasons("completions_right.toml"),
        *reasons("completions_wrong.toml"),
        "",
        CHAINS,
        *head,
        *reasons("completions_chains.toml"),
        "",
        "## Kinds of errors",
        "",
        "`error_kind` is one of: " + ", ".join(f"`{kind}`" for kind in ERROR_KINDS) + ".",
        "",
        "## Statements",
        "",
        "S stands for the subject, O for the object.",
        "",
    ]
    for row in table.relations:
        parts += wordings(row, read)
    return "\n".join(parts).rstrip("\n") + "\n"


def main() -> None:
    text = page()
    if "--check" in sys.argv:
        before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        sys.exit(0 if text == before else "docs/chains.md: run python scripts/write_chains.py")
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
