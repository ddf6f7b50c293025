"""What the command lines do with errors of all kinds: one line, the right code, nothing more."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bioreason_bench.commands.errors import ErrorsAsSentences
from bioreason_bench.config import from_dict, load_preset
from bioreason_bench.errors import BUG, EXIT_CODES, MOST, UsageError, one_line, quoted
from bioreason_bench.validation import problems


def test_any_other_exception_is_code_70_with_a_private_log(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "secret-of-mine")

    @click.group(cls=ErrorsAsSentences)
    def main():
        """A program with a bug."""

    @main.command()
    def broken():
        raise KeyError("hf_abcdefgh secret-of-mine\n" + "x" * 5_000)

    result = CliRunner().invoke(main, ["broken"])
    assert result.exit_code == BUG == 70
    assert result.stderr.count("\n") == 1 and len(result.stderr) <= MOST + 1
    log = Path(re.search(r"the traceback is in (\S+);", result.stderr)[1])
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "Traceback" in log.read_text() and "test_errors.py" in log.read_text()
    for text in (result.stderr, log.read_text()):
        assert "hf_abcdefgh" not in text and "secret-of-mine" not in text


def test_help_and_the_documentation_name_every_exit_code(cli):
    table = (Path(__file__).parents[2] / "docs" / "README.md").read_text(encoding="utf-8")
    for code, meaning in EXIT_CODES.items():
        assert re.search(rf"^  {code} +{re.escape(meaning)}", cli("--help").stdout, re.MULTILINE)
        assert f"| {code} | {meaning}" in table


def test_a_wrong_usage_is_one_line(cli):
    for words in (["generate", "--prest", "x"], ["show"], ["verify", "a", "b"], ["nosuch"]):
        result = cli(*words)
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1, result.stderr


@pytest.mark.parametrize("program", ["verify", "show"])
def test_closed_streams_do_not_change_the_exit_code(tiny_release, program):
    words = f"{sys.executable} -m bioreason_bench {program} {tiny_release} 2>&- 0<&-"
    if program == "verify":
        words += " --sample 1"
    assert subprocess.run(words, shell=True, capture_output=True).returncode == 0


def test_words_that_are_no_utf8_are_named(cli, tiny_release):
    for word in ("\udcff\udcfe", "a\0b", "x" * 30_000):
        result = cli("show", tiny_release, "--id", word)
        assert result.exit_code == 2 and "word 4" in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["generate", "--seed", "-1"], "--seed"),
        (["generate", "--seed", "1" + "0" * 30], "--seed"),
        (["generate", "--out", "~nobody-of-this-name/x"], "there is no user"),
        (["generate", "--preset", ""], "there is no preset"),
        (["generate", "--workers", "99999"], "--workers"),
        (["verify", ""], "the path is empty"),
        (["show", "a/" * 1_000], "folders"),
        (["export", "/", "--to", "trl"], "no manifest.json"),
    ],
)
def test_odd_values_are_refused_at_the_door(cli, words, says):
    result = cli(*words)
    assert result.exit_code in (1, 2) and says in result.stderr
    assert result.stderr.count("\n") == 1


def test_export_of_the_current_folder_goes_beside_it(cli, tiny_release, tmp_path, monkeypatch):
    shutil.copytree(tiny_release, tmp_path / "r")
    monkeypatch.chdir(tmp_path / "r")
    assert cli("export", ".", "--to", "graphml", "-q").exit_code == 0
    assert (tmp_path / "r-graphml" / "README.md").is_file()


def test_a_trillion_rows_are_the_rows_there_are(cli, tiny_release):
    assert cli("show", tiny_release, "people", "-n", "1000000").exit_code == 0
    assert cli("show", tiny_release, "-n", "1000000000000").exit_code == 2


def test_a_shortage_names_every_field(cli, tmp_path):
    words = ["--set", "comp.conflict=9000", "--set", "mem.direction=90000"]
    result = cli("generate", "--preset", "tiny", *words, "--out", tmp_path / "r", "-q")
    assert result.exit_code == 2
    assert re.search(
        r"comp.conflict: [\d,]+ of 9,000 .*mem.direction: \d+ of 90,000", result.stderr
    )
    assert result.stderr.count("\n") == 1


def test_quoted_and_one_line_cut_and_escape():
    assert len(quoted("x" * 10**6)) < 80
    assert len(quoted([["y" * 1_000] * 1_000] * 1_000)) < 800
    assert quoted(10**10_000) == "a number of thousands of digits"
    assert one_line("a\x1b[31m\nb\u202e\udcff") == "a\\x1b[31m\\nb\\u202e\\udcff"
    assert len(one_line("\n" * 10**6)) == MOST
    assert len(str(UsageError("x" * 10**6))) == MOST


ODD = (None, True, 5, -1, 10**30, 0.5, math.nan, math.inf, "x" * 5_000, "\x1b", [], {}, [[]])


@pytest.mark.parametrize("value", ODD, ids=lambda value: quoted(value)[:12])
def test_a_configuration_is_refused_or_can_be_read_again(value):
    """Nothing is accepted that the manifest's schema would refuse."""
    good = load_preset("tiny").as_dict()
    for field in good:
        try:
            config = from_dict({**good, field: value})
        except UsageError:
            continue
        values = json.loads(json.dumps(config.as_dict(), allow_nan=False))
        assert problems("preset", values) == [], field
        assert from_dict(values) == config, field


def test_roles_of_a_preset_file_hold_for_every_skill(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('like = "paper"\nroles = {iid = 0.5, composition = 0.3, zeroshot = 0.2}\n')
    config = load_preset(str(path))
    assert {config.skill(name).roles.iid for name in ("mem", "ctx", "comp")} == {0.5}
    path.write_text('like = "paper"\nroles = 5\n')
    with pytest.raises(UsageError, match="roles is 5"):
        load_preset(str(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.parametrize("option", ["--preset", "--relations", "--facts", "--names"])
def test_what_is_no_regular_file_is_refused_at_once(cli, tmp_path, option):
    os.mkfifo(tmp_path / "fifo.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "folder.csv").mkdir()
    for name in ("fifo", "zero", "folder"):
        words = ["generate", option, str(tmp_path / f"{name}.csv"), "--out", str(tmp_path / "o")]
        if option != "--preset":
            words += ["--preset", "tiny"]
        if option == "--names":
            words += ["--facts", str(tmp_path / f"{name}.csv")]
        assert cli(*words).exit_code == 2
