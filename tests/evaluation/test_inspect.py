"""The task of Inspect AI, run by Inspect against a chat service on loopback."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hub_server import HubServer
from loopback_model import LoopbackModel

pytest.importorskip("inspect_ai", reason="needs the extra inspect")
pytest.importorskip("openai", reason="needs the extra inspect")

import inspect_ai
from inspect_ai.log import read_eval_log
from inspect_ai.model import get_model

from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.evaluation.inspect_task import bioreason
from bioreason_bench.grading.grader import grade
from bioreason_bench.hub.benchmark import PATTERN
from bioreason_bench.questions.prompts import chat_prompt, make_prompt
from bioreason_bench.release.read import Release

REPO = "org/bioreason"
METRICS = ["exact_match", "process_verified", "hop_accuracy", "format_rate", "truncated"]


@pytest.fixture(scope="module")
def service(tiny_release: Path) -> Iterator[LoopbackModel]:
    """A service that knows the gold chain of every test question of the tiny release."""
    release = Release(tiny_release)
    tests = [config for config in release.configs() if "test" in release.splits(config)]
    rows = [row for config in tests for row in release.rows(config, "test")]
    with LoopbackModel({row["question"]: row["chain"] for row in rows}) as server:
        yield server


@pytest.fixture
def inspect(service: LoopbackModel, tmp_path: Path):
    """`inspect("eval", ...)` runs Inspect's own command line; logs go to `tmp_path`."""
    program = shutil.which("inspect", path=sysconfig.get_path("scripts"))
    assert program, "inspect-ai installs it beside Python"
    variables = {
        "LOOPBACK_API_KEY": "none",
        "LOOPBACK_BASE_URL": service.url,
        "INSPECT_DISPLAY": "plain",
        "INSPECT_LOG_DIR": str(tmp_path),
    }

    def run(*words: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            [program, *map(str, words)],
            capture_output=True,
            text=True,
            env={**os.environ, **variables, **(env or {})},
            cwd=tmp_path,
            timeout=300,
        )

    return run


def scores(log) -> dict[str, dict[str, float]]:
    """Value and standard error by metric."""
    return {
        score.name: {name: one.value for name, one in score.metrics.items()}
        for score in log.results.scores
    }


def evaluate(service: LoopbackModel, model: str, folder: Path, **settings: object):
    """The log of a run inside this process."""
    limit = settings.pop("limit", None)
    [log] = inspect_ai.eval(
        bioreason(**settings),
        model=get_model(f"openai-api/loopback/{model}", base_url=service.url, api_key="none"),
        display="none",
        limit=limit,
        log_dir=str(folder),
    )
    assert log.status == "success", log.error
    return log


def test_the_command_scores_every_kind_of_model_fairly(inspect, service, tiny_release, tmp_path):
    models = ("right", "wrong", "thinking", "reasoning", "endless", "cut")
    service.prompts.clear()
    done = inspect(
        *("eval", "bioreason_bench/bioreason", "--limit", 5),
        *("-T", "questions=comp_zeroshot", "-T", "variant=openbook", "-T", f"data={tiny_release}"),
        *("--model", ",".join(f"openai-api/loopback/{model}" for model in models)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    logs = [read_eval_log(path) for path in tmp_path.glob("*.eval")]
    got = {log.eval.model.rpartition("/")[2]: scores(log) for log in logs}
    assert all(list(by_metric) == METRICS for by_metric in got.values())
    means = {
        model: (by_metric["exact_match"]["mean"], by_metric["truncated"]["mean"])
        for model, by_metric in got.items()
    }
    assert means == {
        "right": (1, 0),
        "wrong": (0, 0),
        "thinking": (1, 0),
        "reasoning": (1, 0),
        "endless": (0, 1),
        "cut": (0, 1),
    }
    assert all(got[model]["process_verified"]["mean"] == 1 for model in ("thinking", "reasoning"))
    for prompt in service.prompts["right"]:
        assert "Every fact that you need is in the biographies." in prompt, "it is an open book"


def test_a_model_is_asked_by_the_one_prompt(service, tiny_release, tmp_path):
    rows = list(Release(tiny_release).rows("ctx_zeroshot", "test"))
    for prompt, written in (("chat", chat_prompt), ("base", make_prompt)):
        service.prompts.clear()
        settings = {"questions": "ctx_zeroshot", "data": str(tiny_release), "limit": 5}
        evaluate(service, "right", tmp_path, prompt=prompt, **settings)
        assert sorted(service.prompts["right"]) == sorted(map(written, rows[:5]))


def test_standard_errors_are_clustered_by_the_person_at_whom_a_question_starts(
    service, tiny_release, tmp_path
):
    settings = {"questions": "comp_iid", "variant": "probes", "data": str(tiny_release)}
    log = evaluate(service, "half", tmp_path, **settings)
    answered: dict[str, list[float]] = defaultdict(list)
    for sample in log.samples:
        answered[sample.metadata["entities"][0]].append(sample.scores["chain"].value["exact_match"])
    values = [value for group in answered.values() for value in group]
    mean, clusters = sum(values) / len(values), len(answered)
    assert 0 < mean < 1 and clusters < len(values)
    variance = sum(sum(value - mean for value in group) ** 2 for group in answered.values())
    expected = math.sqrt(variance * clusters / (clusters - 1)) / len(values)
    assert scores(log)["exact_match"] == pytest.approx({"mean": mean, "stderr": expected})


def test_pairs_count_only_if_both_are_right_and_conflicts_say_what_was_followed(
    service, tiny_release, tmp_path
):
    """The service answers a question always alike, so of a pair at most one answer is right."""
    data = str(tiny_release)
    pairs = scores(evaluate(service, "right", tmp_path, questions="comp_counterfactual", data=data))
    assert pairs["exact_match"]["mean"] == 0.5 and pairs["chain"]["pair_accuracy"] == 0
    conflict = scores(evaluate(service, "right", tmp_path, questions="comp_conflict", data=data))
    assert conflict["follows_context"]["mean"] == 0
    assert conflict["exact_match"]["mean"] == 1


def test_a_new_world_is_made_and_graded_by_its_preset(service, tiny_release, tmp_path, monkeypatch):
    monkeypatch.setenv("BIOREASON_CACHE", str(tmp_path / "cache"))
    settings = {"questions": "mem_zeroshot", "preset": "tiny", "seed": 42, "limit": 5}
    log = evaluate(service, "right", tmp_path, **settings)
    assert scores(log)["process_verified"]["mean"] == 1
    assert log.eval.task_version == "1.0" and log.eval.dataset.name == "mem_zeroshot"


def test_the_published_benchmark_asks_the_same_and_gives_the_same_score(inspect, tmp_path):
    """Inspect takes eval.yaml and rows from the Hub; then the task of the package is run."""
    config = load_preset("tiny").override(
        {"levels": '["zeroshot"]', "comp.train": "100", "comp.counterfactual": "0"}
    )
    folder = tmp_path / "tiny"
    generate(config, folder, workers=1)
    rows = list(Release(folder).rows("ctx_zeroshot", "test"))
    with HubServer() as hub, LoopbackModel({r["question"]: r["chain"] for r in rows}) as service:
        env = {**hub.environment(str(tmp_path / "hf")), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        for words in (["verify", folder, "--write"], ["publish", folder, "--repo", REPO]):
            command = [sys.executable, "-m", "bioreason_bench", *words, "-q"]
            subprocess.run(command, check=True, env={**os.environ, **env}, stdout=subprocess.PIPE)
        env["LOOPBACK_BASE_URL"] = service.url
        model = ("--model", "openai-api/loopback/half", "--log-dir", tmp_path / "logs")
        done = inspect("eval", f"hf/{REPO}/ctx_zeroshot", *model, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        [path] = (tmp_path / "logs").glob("*.eval")
        by_pattern = scores(read_eval_log(path))["pattern"]
        asked, settings = service.prompts.pop("half"), service.settings
        direct = {"questions": "ctx_zeroshot", "data": str(folder)}
        by_grader = scores(evaluate(service, "half", tmp_path, **direct))["exact_match"]
        assert sorted(asked) == sorted(service.prompts["half"]) and len(asked) == len(rows)
        assert settings == service.settings == {"temperature": 0.0, "max_tokens": 16_384}
    assert 0 < by_pattern["accuracy"] < 1 and by_pattern["accuracy"] == by_grader["mean"]


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        ("Ann Lee's boss was Bo Ray. So, the answer is: Bo Ray", "Bo Ray"),
        ("So, the answer is: **Bo Ray**.\n\nI hope this helps.", "Bo Ray"),
        ("**So, the answer is:** Bo Ray.", "Bo Ray"),
        ("So, the answer is: Cy Fox. No: so, the answer is: Bo Ray.", "Bo Ray"),
        ("<think>So, the answer is: Cy Fox</think>\nSo, the answer is: Bo Ray", "Bo Ray"),
        ("<think>So, the answer is: Bo Ray", None),
        ("I do not know.", None),
        ("So, the answer is: Bo Ray or Cy Fox.", "Bo Ray or Cy Fox"),
    ],
)
def test_the_pattern_of_the_benchmark_reads_the_answer_as_the_grader_does(completion, answer):
    found = re.search(PATTERN, completion, re.IGNORECASE)
    assert (found[1] if found else None) == answer
    row = {"path": ["boss"], "entities": ["Ann Lee", "Bo Ray"], "chain": "", "context": ""}
    verdict = grade(completion, row | {"question": "Who?", "answer": "Bo Ray"})
    assert verdict.exact_match == (answer == "Bo Ray")


def test_a_wrong_setting_ends_in_one_sentence(inspect, tiny_release):
    done = inspect(
        *("eval", "bioreason_bench/bioreason", "-T", f"data={tiny_release}"),
        *("-T", "questions=comp_zerosho", "--model", "openai-api/loopback/right"),
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "has no questions 'comp_zerosho': did you mean 'comp_zeroshot'?" in done.stderr
    with pytest.raises(click.ClickException, match="did you mean 'chat'"):
        bioreason(prompt="chatt")


def test_without_inspect_the_message_names_the_extra():
    program = (
        "import sys; sys.modules['inspect_ai'] = None\n"
        "from bioreason_bench.errors import MissingExtra\n"
        "try:\n    import bioreason_bench.evaluation.inspect_task\n"
        "except MissingExtra as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'bioreason-bench[inspect]'" in done.stdout, done.stderr


def test_inspect_finds_the_task_without_the_other_harness(tmp_path):
    """The entry point names the module, and neither lm-eval nor torch is needed for it."""
    program = (
        "import sys, json\n"
        "sys.modules.update(lm_eval=None, torch=None)\n"
        "from importlib.metadata import entry_points\n"
        "[entry] = [e for e in entry_points(group='inspect_ai') if e.name == 'bioreason_bench']\n"
        "print(json.dumps([entry.value, entry.load().bioreason.__name__]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["bioreason_bench.evaluation.inspect_task", "bioreason"]
