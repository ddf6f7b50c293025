"""verifiers: its own commands validate the taskset and evaluate a model on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verifiers.v1")

from scripted_chat import chat_server

from bioreason_bench.environments.questions import read_questions
from bioreason_bench.environments.verifiers import BioreasonConfig, BioreasonTaskset
from bioreason_bench.errors import UsageError
from bioreason_bench.questions.prompts import chat_prompt

LOCAL = ("--no-push", "--no-rich", "--env.agent.runtime.type", "subprocess")


def run(folder: Path, program: str, *words: object) -> subprocess.CompletedProcess:
    """Run a command of verifiers in a folder."""
    return subprocess.run(
        [Path(sys.executable).parent / program, "bioreason-taskset", *map(str, words), "-o", "out"],
        cwd=folder,
        env={**os.environ, "NO_PROXY": "127.0.0.1,localhost", "NO_KEY": "none"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def records(folder: Path, name: str) -> list[dict]:
    (file,) = folder.rglob(name)
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_every_gold_chain_passes_and_nothing_passes_untouched(tiny_release, tmp_path):
    settings = ("--taskset.data", tiny_release, "--taskset.questions", "comp_zeroshot")
    local = ("--runtime.type", "subprocess", "--rich", "False")
    done = run(tmp_path, "vf-validate", *settings, *local)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = records(tmp_path, "results.jsonl")
    assert len(rows) == 40 and all(row["valid"] for row in rows)
    ids = {row["id"] for row in read_questions("comp_zeroshot", data=str(tiny_release)).rows}
    assert {row["name"] for row in rows} == ids


def test_an_evaluation_gives_the_rewards_of_the_grader(tiny_release, tmp_path):
    """The model answers one question with its gold chain, and another wrongly."""
    data = str(tiny_release)
    rows = read_questions("comp_zeroshot", data=data, first=2).rows
    gold = {chat_prompt(rows[0]): rows[0]["chain"]}
    settings = ("--env.taskset.data", data, "--env.taskset.questions", "comp_zeroshot")
    with chat_server(lambda prompt: gold.get(prompt, "So, the answer is: nobody")) as address:
        client = ("type", "eval"), ("base-url", address), ("api-key-var", "NO_KEY")
        words = [word for key, value in client for word in (f"--env.agent.client.{key}", value)]
        agent = ("--env.agent.harness.id", "null", "-m", "scripted", "-n", 2)
        done = run(tmp_path, "vf-eval", *settings, *agent, *words, *LOCAL)
    assert done.returncode == 0, done.stderr[-2000:]
    got = {}
    for episode in records(tmp_path, "traces.jsonl"):
        (trace,) = episode["traces"]
        got[episode["task"]["key"]] = (
            trace["rewards"]["reward"]["score"],
            trace["metrics"]["process_verified"],
        )
    assert got == {rows[0]["id"]: (1.0, 1.0), rows[1]["id"]: (0.0, 0.0)}


def test_a_wrong_setting_is_one_sentence(tiny_release):
    taskset = BioreasonTaskset(BioreasonConfig(questions="comp_zeroshop", data=str(tiny_release)))
    with pytest.raises(UsageError, match="did you mean 'comp_zeroshot'"):
        list(taskset)
