"""Which files of the package can change a row, and one digest of them all.

The list is derived, not written down: a module counts if the cache imports it, directly or through
other modules, at the top of a file or inside a function.  So a stage that is renamed or added
cannot be forgotten.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from bioreason_bench.config import PRESETS
from bioreason_bench.family import FAMILIES, PEOPLE
from bioreason_bench.resources import folder

__all__ = ["code_digest", "generating_files"]

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = "bioreason_bench.release.cache"


def code_digest(family: str = PEOPLE) -> str:
    """The SHA-256 of the names and contents of all generating files, as hexadecimal digits."""
    digest = hashlib.sha256()
    for file in generating_files(family):
        name = file.relative_to(PACKAGE.parent).as_posix()
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def generating_files(family: str = PEOPLE) -> list[Path]:
    """The files that can change a row of a family, sorted.

    - The cache, the family, and the modules that they import, with the `__init__` of their folders.
    - The data files in the folders of these modules, such as world/relations.toml.
    - The presets and the schemas.
    """
    modules = set(_imported_modules(family))
    folders = {file.parent for file in modules} - {PACKAGE}
    folders |= {child for parent in folders for child in parent.rglob("*") if child.is_dir()}
    folders |= {PRESETS.resolve(), folder("schemas")}
    data = {file for parent in folders for file in parent.iterdir() if _is_data(file)}
    return sorted(modules | data)


def _is_data(file: Path) -> bool:
    return file.is_file() and file.suffix not in (".py", ".pyc", ".pyo")


def _imported_modules(family: str) -> Iterator[Path]:
    """The file of every module of the package that Python runs to make files in the cache."""
    parts = FAMILIES[family].split(".")
    waiting = [ROOT, *(".".join(parts[:end]) for end in range(2, len(parts) + 1))]
    seen = set(waiting)
    while waiting:
        file = _file_of(waiting.pop())
        if file is not None:
            yield file
            new = _imports(file.read_bytes()) - seen
            seen |= new
            waiting += new


@functools.cache
def _imports(source: bytes) -> frozenset[str]:
    """The names that a module with this source may import, and the packages that contain them.

    `from bioreason_bench.a import b` may import a module `b` or a name `b`: both are given.
    """
    names: set[str] = set()
    for node in _run_time_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = [name.split(".") for name in names if name.startswith(f"{PACKAGE.name}.")]
    return frozenset(".".join(parts[:end]) for parts in ours for end in range(1, len(parts) + 1))


def _run_time_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes, except the imports for type checkers only."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            waiting += ast.iter_child_nodes(node)


def _file_of(module: str) -> Path | None:
    """The file of a module or package; None for a name that is neither."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None
