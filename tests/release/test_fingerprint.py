"""The key of the cache: it changes with every file that can change a row, and with no other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bioreason_bench
from bioreason_bench.config import load_preset
from bioreason_bench.release import cache
from bioreason_bench.release.cache import Cache
from bioreason_bench.resources import folder

PACKAGE = Path(bioreason_bench.__file__).resolve().parent

# Makes every row of a release, and prints the modules and data files that this needed.
GENERATE = """
import json, sys
opened = set()
sys.addaudithook(lambda event, args: opened.add(str(args[0])) if event == "open" else None)
from pathlib import Path
from bioreason_bench.config import load_preset
from bioreason_bench.release.cache import Cache
cache = Cache(load_preset("tiny"), Path(sys.argv[1]))
for shard in cache.shards():
    cache.files(shard.folder, shard.split)
ours = [module for name, module in sys.modules.items() if name.startswith("bioreason_bench")]
data = {path for path in opened if path.endswith((".toml", ".txt", ".json"))}
print(json.dumps(sorted({module.__file__ for module in ours} | data)))
"""

# Edits each of the files given, one at a time, and prints those whose edit changes the key.
EDIT = """
import json, sys
from pathlib import Path
from bioreason_bench.config import load_preset
from bioreason_bench.release.cache import Cache
config = load_preset("tiny")
before = Cache(config).folder
changing = []
for file in map(Path, json.load(sys.stdin)):
    content = file.read_bytes() if file.exists() else None
    file.write_bytes((content or b"") + b"\\n")
    if Cache(config).folder != before:
        changing.append(str(file))
    file.unlink() if content is None else file.write_bytes(content)
assert Cache(config).folder == before
print(json.dumps(changing))
"""

NEW = "bioreason_bench/world/words/pools/planet.txt"
OTHERS = (
    *("audit", "commands", "environments", "evaluation", "experiments"),
    *("export", "grading", "hub", "training"),
)


def run(program: str, *words: str, root: Path, text: str = "") -> list[str]:
    """The names that a program prints, with the package imported from below `root`."""
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            f"import sys; sys.path.insert(0, {str(root)!r})\n{program}",
            *words,
        ],
        cwd=root,
        input=text,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package, and of the schemas where an installation has them."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, root / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    if PACKAGE not in folder("schemas").parents:
        shutil.copytree(folder("schemas"), root / "schemas")
    return root


@pytest.fixture(scope="module")
def needed(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of the package that are imported or opened while the rows of `tiny` are made."""
    files = run(GENERATE, str(tmp_path_factory.mktemp("cache")), root=copy)
    inside = {Path(file).resolve() for file in files if copy in Path(file).parents}
    return {file.relative_to(copy).as_posix() for file in inside}


@pytest.fixture(scope="module")
def changing(copy: Path, needed: set[str]) -> set[str]:
    """The files whose edit changes the key: of the needed ones, a new one and some others."""
    others = {
        file.relative_to(copy).as_posix()
        for stage in OTHERS
        for file in sorted((copy / PACKAGE.name / stage).rglob("*.*"))[:3]
    }
    return set(run(EDIT, root=copy, text=json.dumps(sorted(needed | others | {NEW}))))


def test_what_generation_needs_is_seen(needed):
    """The list against which the key is held is not empty by mistake."""
    assert {"world", "language", "splits", "questions", "dataset"} <= {
        name.split("/")[1] for name in needed if name.endswith(".py")
    }
    for name in ("world/relations.toml", "world/words/first_names.txt", "presets/tiny.toml"):
        assert f"bioreason_bench/{name}" in needed
    assert any(name.endswith("schemas/question.schema.json") for name in needed)


def test_an_edit_of_any_file_that_generation_needs_changes_the_key(needed, changing):
    assert needed <= changing, sorted(needed - changing)


def test_a_new_data_file_changes_the_key(changing):
    assert NEW in changing


def test_an_edit_of_a_stage_that_makes_no_rows_leaves_the_key(needed, changing):
    assert changing - {NEW} <= needed, sorted(changing - needed)


def test_an_edit_of_the_users_own_relation_table_changes_the_key(tmp_path):
    source = PACKAGE / "world" / "relations.toml"
    table = shutil.copy(source, tmp_path / "own.toml")
    config = load_preset("tiny").override({"relations": str(table)})
    before = Cache(config, tmp_path).folder
    assert Cache(config, tmp_path).folder == before
    table.write_bytes(source.read_bytes() + b"\n")
    assert Cache(config, tmp_path).folder != before


def test_the_version_of_faker_counts_only_for_names_of_another_locale(tmp_path, monkeypatch):
    english = load_preset("tiny")
    german = english.override({"locale": "de_DE"})
    before = [Cache(config, tmp_path).folder for config in (english, german)]
    monkeypatch.setattr(cache.metadata, "version", lambda _: "0.0")
    assert Cache(english, tmp_path).folder == before[0]
    assert Cache(german, tmp_path).folder != before[1]
