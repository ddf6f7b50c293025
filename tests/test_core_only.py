"""The core is light: in an environment with no extras, everything but models and figures works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from few import FEW

pytestmark = pytest.mark.slow
CHECKOUT = Path(__file__).resolve().parent.parent
EXTRAS = ("torch", "transformers", "trl", "accelerate", "lm_eval", "matplotlib", "datatrove")
LATE = ("datasets", "networkx", "pandas", "faker", "huggingface_hub")  # imported when they are used


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment with the package and its core dependencies."""
    folder = tmp_path_factory.mktemp("core") / "venv"
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run(
        [programs / "python", "-m", "pip", "install", "--quiet", "--no-compile", CHECKOUT],
        check=True,
        timeout=900,
    )
    return programs


def run(core: Path, folder: Path, *words: object) -> str:
    """What a program of the new environment prints, without the checkout on its path."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "BIOREASON_CACHE")
    hidden += ("PYTHONDONTWRITEBYTECODE",)  # only what is imported is compiled, once
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    program, *arguments = map(str, words)
    done = subprocess.run(
        [core / program, *arguments],
        cwd=folder,
        env={**env, "BIOREASON_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(core: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the release `tiny`, generated there by the installed command."""
    folder = tmp_path_factory.mktemp("work")
    run(core, folder, "bioreason", "generate", "--preset", "tiny", "--out", "tiny", "-q")
    return folder


def test_no_extra_is_installed(core, tmp_path):
    """Otherwise the tests below would pass with extras that the package should not need."""
    program = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    assert run(core, tmp_path, "python", "-c", program, *EXTRAS).strip() == "[]"


WITHOUT_LATE = """
import json, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in sys.argv[1:]:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import bioreason_bench as b, bioreason_bench.commands.main
[getattr(b, name) for name in b.__all__]
config = b.load_preset("tiny").override(json.loads(sys.argv.pop()))
print(b.generate(config, "tiny", workers=1)["preset"])
"""


def test_the_front_door_and_generation_need_no_late_package(core, tmp_path):
    words = ("-c", WITHOUT_LATE, *LATE, json.dumps(FEW))
    assert run(core, tmp_path, "python", *words).strip() == "tiny"


def test_the_rows_are_those_of_the_checkout(folder, tiny_release):
    def digests(release: Path) -> dict[str, str]:
        files = json.loads((release / "manifest.json").read_text(encoding="utf-8"))["files"]
        return {file: entry["digest"] for file, entry in files.items()}

    assert digests(folder / "tiny") == digests(tiny_release)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("verify", "tiny", "--sample", "50"), " 0 broken"),
        (("show", "tiny", "comp_zeroshot", "-n", "1"), "RECALL"),
        (("stats", "tiny"), "comp_zeroshot"),
        (("export", "tiny", "--to", "graphml", "-q"), "tiny-graphml"),
        (("where", "schemas"), "schemas"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_the_commands_work(core, folder, words, expected):
    assert expected in run(core, folder, "bioreason", *words)


def test_questions_can_be_loaded(core, folder):
    program = (
        "import bioreason_bench as b\n"
        "print(b.load('tiny', 'comp_zeroshot', splits='test')['test'].num_rows)"
    )
    assert run(core, folder, "python", "-c", program).split() == ["40"]
