"""Write the tree of the package into README.md: every module, in an order in which it imports.

    python scripts/write_tree.py            # rewrite README.md
    python scripts/write_tree.py --check    # exit code 1 if README.md is not what it would write

The words next to a module are the beginning of its docstring.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = CHECKOUT / "bioreason_bench"
README = CHECKOUT / "README.md"
FENCE = re.compile(r"(```\n)bioreason_bench/\n.*?(```)", re.DOTALL)
WIDTH = 78  # characters of a description
PROPER_NAMES = (
    "English",
    "Inspect",
    "Muon",
    "Croissant",
)  # a description that begins so keeps its capital
ORDER = (  # stages in reading order; build, loading and commands import all of them
    *(
        "_version",
        "escaping",
        "errors",
        "inputs",
        "texts",
        "parquet",
        "draw",
        "resources",
        "workers",
    ),
    *("taxonomy", "schema", "validation", "family", "statistics", "lengths", "config", "world"),
    "language",
    *("splits", "questions", "grading", "dataset", "release", "scale", "figure_style", "export"),
    *("audit", "evaluation", "explore", "hub", "families", "environments", "training"),
    *("experiments", "build", "loading", "commands", "__init__", "__main__"),
)


@cache
def imports(path: Path) -> frozenset[str]:
    """The dotted names that a module imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
    return frozenset(names)


def dotted(path: Path) -> str:
    """The name under which a module or folder is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def reading_order(entries: list[Path]) -> list[Path]:
    """Modules and folders so that each imports only from those before it, else by name."""
    files = {entry: [entry] if entry.is_file() else list(entry.rglob("*.py")) for entry in entries}
    needs = {
        entry: {
            other
            for other in entries
            if other != entry
            and any(
                name == dotted(other) or name.startswith(f"{dotted(other)}.")
                for file in files[entry]
                for name in imports(file)
            )
        }
        for entry in entries
    }
    ordered: list[Path] = []
    while len(ordered) < len(entries):
        ready = [e for e in entries if e not in ordered and needs[e] <= set(ordered)]
        ordered.append(min(ready, key=lambda entry: entry.name))
    return ordered


def described(path: Path) -> str:
    """The beginning of a module's docstring: a sentence, or as much of it as fits."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    text = re.sub(r"\s\(see [^)]*\)", "", " ".join(text.split("\n\n")[0].split()))
    text = re.sub(r"^\S+: (?=\S)|^`[^`]*`: ", "", text)  # "Probes: every hop of ..."
    text = re.split(r"\.(?:\s|$)", text.replace("`", ""), maxsplit=1)[0].rstrip(":")
    sentence = next((part for part in shortened(text) if len(part) <= WIDTH), text[:WIDTH])
    proper = sentence.startswith(PROPER_NAMES) or not sentence[:2].istitle()
    return sentence if proper else sentence[:1].lower() + sentence[1:]


def shortened(text: str) -> Iterator[str]:
    """The text, then ever less of it: up to a colon, a semicolon, a comma, a word."""
    yield text
    for mark in (": ", "; ", ", "):
        head = text
        while mark in head:
            head = head.rpartition(mark)[0]
            yield head
    head = text[: WIDTH - 3]
    yield head.rpartition(" ")[0] + " ..."


def lines(folder: Path, indent: str) -> list[str]:
    """The lines of a folder's modules and folders."""
    entries = [
        path
        for path in folder.iterdir()
        if (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").is_file()
    ]
    if folder == PACKAGE:
        entries.append(PACKAGE / "__init__.py")
        ordered = sorted(entries, key=lambda path: ORDER.index(path.stem))
    else:
        ordered = reading_order(entries)
    written = []
    for path in ordered:
        name = f"{indent}{path.stem}{'/' if path.is_dir() else ''}"
        written.append(f"{name:<28}{described(path / '__init__.py' if path.is_dir() else path)}")
        if path.is_dir():
            written += lines(path, indent + "  ")
    return written


def tree() -> str:
    """The whole tree."""
    return "\n".join(["bioreason_bench/", *(line.rstrip() for line in lines(PACKAGE, "  "))])


def main() -> None:
    before = README.read_text(encoding="utf-8")
    after = FENCE.sub(lambda found: f"{found[1]}{tree()}\n{found[2]}", before)
    if "--check" in sys.argv:
        sys.exit(0 if after == before else "README.md: run python scripts/write_tree.py")
    README.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
