"""What is shipped: the wheel, its front door, its order, its documentation."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import bioreason_bench
from bioreason_bench.commands.main import COMMANDS
from bioreason_bench.config import load_preset, preset_names
from bioreason_bench.errors import UsageError
from bioreason_bench.resources import FOLDERS, folder
from bioreason_bench.schema import ROWS, load_schema, validator

PACKAGE = Path(bioreason_bench.__file__).resolve().parent
CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
ORDER = (
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
    *("taxonomy", "schema"),
    *(
        "validation",
        "family",
        "statistics",
        "lengths",
        "config",
        "world",
        "language",
        "splits",
        "questions",
        "grading",
        "dataset",
    ),
    *("release", "scale", "figure_style", "export", "audit", "evaluation", "explore", "hub"),
    *("families", "environments", "training", "experiments"),
)
ABOVE = ("build", "loading", "commands", "__main__", "__init__")  # import everything
LARGEST_FOLDER = 12  # modules side by side


def test_the_wheel_is_what_is_tested():
    """The checkout is not on the path; tasks, schemas and cards come with the package."""
    if not os.environ.get("BIOREASON_TEST_WHEEL"):
        pytest.skip("not a test of the wheel")
    assert CHECKOUT not in PACKAGE.parents or "site-packages" in PACKAGE.parts
    for name in FOLDERS:
        assert folder(name) == PACKAGE / name


@pytest.mark.parametrize("name", FOLDERS)
def test_the_folders_that_are_no_code_are_complete(name):
    here, there = (
        sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
        for root in (CHECKOUT / name, folder(name))
    )
    assert [path for path in there if "__pycache__" not in path] == [
        path for path in here if "__pycache__" not in path
    ]
    assert here


def test_a_folder_of_another_name_is_refused_with_a_suggestion():
    with pytest.raises(UsageError, match="did you mean 'schemas'"):
        folder("schema")


def test_the_front_door_opens():
    """Every name of __all__ is there, is documented, and nothing else is public."""
    for name in bioreason_bench.__all__:
        assert getattr(bioreason_bench, name).__doc__, name
        assert name in dir(bioreason_bench)
    assert sorted(bioreason_bench.__all__) == bioreason_bench.__all__
    with pytest.raises(AttributeError, match="has no attribute 'laod'"):
        bioreason_bench.laod  # noqa: B018


def test_every_module_says_what_it_is_and_offers_only_what_it_has():
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree) or path.name == "__init__.py", path
        made = {
            node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        }
        made |= {
            name.asname or name.name
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in node.names
        }
        made |= {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            for target in [node]
        }
        for node in tree.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
            ):
                assert set(ast.literal_eval(node.value)) <= made, path


MODULES = {
    ".".join(("bioreason_bench", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imports(path: Path) -> set[str]:
    """The modules of the package that a module imports, wherever in it the import is.

    Imports for types only do not count.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            whole = [f"{node.module}.{name.name}" for name in node.names]
            found |= {name if name in MODULES else node.module for name in whole}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {name for name in found if name.startswith("bioreason_bench.")}


def stage_of(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def test_a_stage_imports_only_from_the_stages_before_it():
    stages = {stage_of(module) for module in MODULES}
    assert stages == {*ORDER, *ABOVE}
    broken = []
    for module, path in MODULES.items():
        if stage_of(module) in ORDER:
            before = ORDER[: ORDER.index(stage_of(module)) + 1]
            broken += [
                f"{module} imports {other}"
                for other in sorted(imports(path))
                if stage_of(other) not in before
            ]
    assert broken == []


def test_no_modules_import_each_other_in_a_circle():
    """Also inside a folder; a failure names the modules of the circle and their imports."""
    waiting = {module: imports(path) & set(MODULES) - {module} for module, path in MODULES.items()}
    while ready := [module for module, needs in waiting.items() if not needs & set(waiting)]:
        for module in ready:
            del waiting[module]
    assert waiting == {}


def test_no_folder_is_a_drawer():
    for place in {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}:
        modules = [path.name for path in place.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= LARGEST_FOLDER or place.name == "commands", place


def test_the_order_is_in_the_package_docstring_too():
    text = bioreason_bench.__doc__
    positions = [
        re.search(rf"^    {stage}\b", text, re.MULTILINE).start()
        for stage in ORDER[ORDER.index("world") :]
    ]
    assert positions == sorted(positions)


def test_no_module_knows_a_relation_by_name():
    """Knowledge is a table, code is a loop: outside the relation table no code names a relation."""
    from bioreason_bench.world.table import load_table

    names = {relation.name for relation in load_table().relations}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                words = {
                    leaf.value
                    for leaf in ast.walk(node)
                    if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
                }
                assert not words & (names - {"email", "phone", "address"}), (
                    f"{path.relative_to(PACKAGE)}:{node.lineno}"
                )


# README -----------------------------------------------------------------------------------------


def test_the_readme_begins_as_it_must():
    lines = README.splitlines()
    assert "synthetic biographies, not biology" in lines[0]
    screen = "\n".join(lines[:25])
    assert "make demo" in screen
    assert "make test" in screen


def test_the_question_in_the_readme_is_what_show_prints(bioreason, tiny_release):
    block = re.search(r"as `bioreason show` prints it:\n\n```\n(.*?)\n```", README, re.DOTALL)[1]
    shown = bioreason("show", tiny_release, "--id", block.split()[0], env={"COLUMNS": "110"}).stdout
    assert block == shown.strip("\n")


def test_the_readme_names_every_command_and_no_other():
    table = README[README.index("## Use") : README.index("## Presets")]
    assert set(re.findall(r"^\| `bioreason (\w+)", table, re.MULTILINE)) == set(COMMANDS)


def test_the_readme_names_every_preset_with_its_people():
    table = README[README.index("## Presets") : README.index("## Audit")]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", table, re.MULTILINE))
    assert set(rows) == set(preset_names())
    for name, people in rows.items():
        assert int(people.replace(",", "")) == load_preset(name).people, name


def test_the_tree_of_the_readme_is_the_package():
    """It names every module, in an order in which each imports only from those before it."""
    script = CHECKOUT / "scripts" / "write_tree.py"
    assert subprocess.run([sys.executable, script, "--check"], check=False).returncode == 0


def test_the_python_of_the_readme_uses_names_that_are_there():
    code = re.search(r"```python\nimport bioreason_bench as bb\n(.*?)```", README, re.DOTALL)[1]
    assert set(re.findall(r"\bbb\.(\w+)", code)) <= set(bioreason_bench.__all__)


# configuration of the project -------------------------------------------------------------------


def test_the_version_is_one(cli):
    changelog = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (CHECKOUT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^## \[(\d\S*)\]", changelog, re.MULTILINE)[1] == bioreason_bench.__version__
    assert f"version: {bioreason_bench.__version__}\n" in citation
    try:
        assert metadata.version("bioreason-bench") == bioreason_bench.__version__
    except metadata.PackageNotFoundError:
        pytest.skip("run from a checkout that is not installed")


def test_extras_are_those_that_messages_name():
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    asked = set()
    for path in PACKAGE.rglob("*.py"):
        asked |= set(
            re.findall(r'MissingExtra\("[^"]+", "([\w-]+)"\)', path.read_text(encoding="utf-8"))
        )
    assert asked <= set(extras)
    assert {"eval", "train", "plot", "scale"} <= set(extras)


@pytest.mark.parametrize("name", [*ROWS, "manifest", "preset", "relations"])
def test_schemas_are_schemas_and_describe_every_field(name):
    schema = load_schema(name)
    type(validator(name)).check_schema(schema)
    assert schema["$id"] == f"{name}.schema.json"

    def look(node: object, place: str) -> None:
        if isinstance(node, dict):
            for field, rule in node.get("properties", {}).items():
                assert {"description", "$ref", "const"} & set(rule) or rule == {
                    "type": "integer"
                }, f"{place}/{field}"
            for key, value in node.items():
                look(value, f"{place}/{key}")

    look(schema, name)


@pytest.mark.parametrize("name", preset_names())
def test_presets_fit_their_schema_as_files_and_as_configurations(name):
    check = validator("preset")
    check.validate(
        tomllib.loads((PACKAGE / "presets" / f"{name}.toml").read_text(encoding="utf-8"))
    )
    check.validate(load_preset(name).as_dict())
    assert not check.is_valid({"distractor": 3})
    assert json.loads(json.dumps(load_preset(name).as_dict())) == load_preset(name).as_dict()
