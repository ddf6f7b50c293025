"""The command line: data to stdout, everything else to stderr, one sentence for a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

import click
import pytest
from few import SETTINGS

from bioreason_bench.commands.main import COMMANDS, main
from bioreason_bench.release.read import Release


def one_sentence(result, code: int) -> str:
    """The message of a failed command, which is the only line and comes without a traceback."""
    stderr, stdout = result.stderr, result.stdout
    assert getattr(result, "exit_code", getattr(result, "returncode", None)) == code, stderr
    assert stdout == ""
    assert "Traceback" not in stderr
    lines = [line for line in stderr.splitlines() if line.startswith("bioreason: ")]
    assert len(lines) == 1, stderr
    return lines[0]


def commands() -> dict[str, click.Command]:
    return {name: import_module(module).command for name, module in COMMANDS.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_has_help(name):
    def check(command: click.Command, path: str) -> None:
        assert command.help, f"{path} has no help"
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{path} {parameter.opts[0]} has no help"
        for below, sub in getattr(command, "commands", {}).items():
            check(sub, f"{path} {below}")

    command = commands()[name]
    assert command.name == name
    check(command, name)


def test_help_lists_the_commands_in_the_order_of_use(cli):
    text = cli("--help").stdout
    positions = [text.index(f"\n  {name} ") for name in COMMANDS]
    assert positions == sorted(positions)
    assert "biographies, not biology" in text


def test_help_imports_nothing_heavy():
    """`bioreason --help` and a shell's completion answer at once."""
    program = (
        "import sys; from bioreason_bench.commands.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'pyarrow', 'pandas', 'datasets', 'torch', 'transformers', 'lm_eval', "
        "'matplotlib', 'networkx', 'huggingface_hub', 'jsonschema', 'faker', 'yaml'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "HEAVY []" in done.stderr


def test_help_of_generate_lists_the_presets(cli):
    text = cli("generate", "--help").stdout
    for name in ("tiny", "nano", "small", "paper", "v1"):
        assert f"\n  {name} " in text


def test_generate_writes_a_release_and_prints_its_rows(cli, tmp_path):
    done = cli(
        "generate",
        "--preset",
        "tiny",
        "--out",
        tmp_path / "r",
        "--seed",
        "3",
        "--set",
        "comp.train=300",
        "--workers",
        "1",
        "--json",
    )
    assert done.exit_code == 0
    printed = json.loads(done.stdout)
    assert printed["rows"]["person"] == 180
    assert printed["seed"] == Release(tmp_path / "r").config.seed == 3
    assert Release(tmp_path / "r").count("comp_iid", "train") == 300


def test_progress_names_the_stages_and_quiet_is_quiet(bioreason, tmp_path):
    words = ("generate", "--preset", "tiny", *SETTINGS)
    loud = bioreason(*words, "--out", tmp_path / "a", "--workers", "1")
    assert loud.returncode == 0
    assert loud.stdout == ""
    for stage in ("plan of the world", "probes"):
        assert stage in loud.stderr
    quiet = bioreason(*words, "--out", tmp_path / "b", "--workers", "2", "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["generate", "--preset", "tinny"], "did you mean 'tiny'"),
        (["generate", "--preset", "nowhere/my.toml"], "there is no preset"),
        (["generate", "--preset", "tiny", "--set", "comp.trian=5"], "did you mean 'train'"),
        (["generate", "--preset", "tiny", "--set", "knwon=5"], "did you mean 'known'"),
        (["generate", "--preset", "tiny", "--set", "known"], "is not KEY=VALUE"),
        (
            ["generate", "--preset", "tiny", "--set", "known=many"],
            "known is 'many'; it must be a whole number",
        ),
        (["generate", "--preset", "tiny", "--set", "comp=5"], "comp is a group"),
        (["generate", "--preset", "tiny", "--set", "relations=my.toml"], "my.toml"),
        (
            ["generate", "--preset", "tiny", "--set", "comp.iid=500000"],
            "comp.iid: 500,000 test questions are asked for",
        ),
        (
            ["generate", "--preset", "tiny", "--set", "known=9000000"],
            "9,000,060 people are asked for, but there are only 4,225,600",
        ),
        (["show", "nowhere"], "there is no folder nowhere"),
        (["stats", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_a_wrong_request_gets_one_sentence_and_code_2_and_leaves_nothing(
    cli, tmp_path, monkeypatch, words, says
):
    monkeypatch.chdir(tmp_path)
    assert says in one_sentence(cli(*words), 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["generate", "--prest", "tiny"], "--preset"),
        (["generate", "--workers", "0"], "0 is not in the range"),
        (["generate", "--seed", "x"], "not a valid integer"),
        (["genrate"], "did you mean 'generate'"),
        (["nonsense"], "the commands are generate, merge, verify, show"),
        (["where", "task"], "tasks"),
    ],
)
def test_wrong_usage_gets_a_suggestion(cli, words, says):
    done = cli(*words)
    assert done.exit_code == 2
    assert says in done.stderr


def test_a_broken_release_gets_one_sentence_and_code_1(cli, tmp_path):
    assert "has no manifest.json" in one_sentence(cli("show", tmp_path), 1)
    (tmp_path / "manifest.json").write_text("{}")
    assert "is broken at" in one_sentence(cli("stats", tmp_path), 1)


def test_a_closed_pipe_is_no_error(tiny_release):
    show = [
        sys.executable,
        "-m",
        "bioreason_bench",
        "show",
        str(tiny_release),
        "comp_iid",
        "-n",
        "40",
        "--context",
    ]
    done = subprocess.run(f"{' '.join(show)} | head -2", shell=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("name", ["tasks", "schemas", "cards"])
def test_where_prints_a_folder_that_exists(cli, name):
    from pathlib import Path

    assert any(Path(cli("where", name).stdout.strip()).iterdir())


def test_the_version_is_the_packages_own(cli):
    import bioreason_bench

    assert cli("--version").stdout.split()[-1] == bioreason_bench.__version__
    assert main.name == "main"
