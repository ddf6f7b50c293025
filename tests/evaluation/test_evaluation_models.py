"""The tasks with models: the audit's solvers, a transformer trained here, and data from a Hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

pytest.importorskip("lm_eval")

from hub_server import HubServer
from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

from bioreason_bench import resources
from bioreason_bench.questions.prompts import make_prompt
from bioreason_bench.release.read import Release


def manager(folder) -> TaskManager:
    return TaskManager(
        include_path=str(resources.folder("tasks")),
        include_defaults=False,
        metadata={"data": str(folder)},
    )


class Answers(LM):
    """Gives each prompt the answer that it is made with."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__()
        self.answers = answers

    def generate_until(self, requests, disable_tqdm: bool = False) -> list[str]:
        return [f" So, the answer is: {self.answers[request.args[0]]}" for request in requests]

    def loglikelihood(self, requests, disable_tqdm: bool = False):
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood


def test_the_solvers_score_as_models_what_they_score_in_the_audit(tiny_release, monkeypatch):
    from bioreason_bench.audit.solvers import scores
    from bioreason_bench.audit.solvers.solvers import SOLVERS
    from bioreason_bench.audit.verify import verify

    given: dict[str, dict[str, str]] = {name: {} for name in SOLVERS}
    add, lock = scores.SolverRun.add, threading.Lock()

    def keep(run, question):
        add(run, question)
        texts = run.knowledge.release.texts
        with lock:
            for name, solver in SOLVERS.items():
                guess = solver(question, run.knowledge)
                answer = texts[guess.answer] if guess.answer >= 0 else "unknown"
                given[name][make_prompt(question.record)] = answer

    monkeypatch.setattr(scores.SolverRun, "add", keep)
    audited = verify(tiny_release, workers=1).as_dict()["solvers"]
    audited = {
        config: scores
        for config, scores in audited.items()
        if not config.endswith(("_openbook", "_unanswerable"))
    }
    assert len(audited) >= 15 and set(given) >= {
        "oracle",
        "context_only",
        "memory_only",
        "question_only",
        "last_relation",
    }
    release, compared = Release(tiny_release), set()
    questions = {config: release.count(config, "test") for config in audited}
    for name, answers in given.items():
        # scored where it has a choice; as a model it has to answer all
        free = [
            config
            for config, solvers in audited.items()
            if name in solvers and solvers[name]["questions"] == questions[config]
        ]
        results = simple_evaluate(
            model=Answers(answers),
            tasks=[f"bioreason_{config}" for config in free],
            task_manager=manager(tiny_release),
            bootstrap_iters=0,
        )["results"]
        for config in free:
            compared.add((name, config))
            assert results[f"bioreason_{config}"]["exact_match,none"] == pytest.approx(
                audited[config][name]["score"], abs=1e-6
            ), (name, config)
            assert results[f"bioreason_{config}"]["process_verified,none"] == 0.0
    assert {name for name, _ in compared} == set(given) and len(compared) >= 60


def train(rows: list[dict], folder) -> None:
    """Save a small Llama that has memorised the chains of these rows, with its tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    texts = [f"{make_prompt(row)} {row['chain']} <eos>" for row in rows]
    words = [
        "<pad>",
        "<eos>",
        "<unk>",
        *sorted({word for text in texts for word in text.split()} - {"<eos>"}),
    ]
    tokenizer = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        padding_side="left",
    )
    torch.manual_seed(0)
    size = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
    }
    config = LlamaConfig(
        vocab_size=len(words),
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=1,
        tie_word_embeddings=True,
        **size,
    )
    model = LlamaForCausalLM(config)
    batch = fast(texts, return_tensors="pt", padding=True, padding_side="right")
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(400):
        loss = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels
        ).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.15:  # the rest is the start of each question, which cannot be predicted
            break
    model.eval().save_pretrained(folder)
    fast.save_pretrained(folder)


def alone(rows: list[dict], folder) -> list[str]:
    """Greedy completions of the model, without the harness."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    completions = []
    for row in rows:
        prompt = tokenizer(make_prompt(row), return_tensors="pt", return_token_type_ids=False)
        output = model.generate(**prompt, max_new_tokens=40, do_sample=False)
        completions.append(
            tokenizer.decode(output[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
        )
    return completions


def test_a_transformer_trained_here_scores_in_the_harness_what_it_scores_by_itself(
    nano_release, tmp_path
):
    pytest.importorskip("torch")
    from bioreason_bench.grading.grader import grade

    learned, others = Release(nano_release).table("mem_iid", "test").slice(0, 16).to_pylist(), 4
    train(learned[:-others], tmp_path)
    arguments = {"pretrained": str(tmp_path), "dtype": "float32", "device": "cpu"}
    tasks = {"tasks": ["bioreason_mem_iid"], "task_manager": manager(nano_release), "limit": 16}
    results = simple_evaluate(
        model="hf", model_args=arguments, batch_size=16, bootstrap_iters=100, **tasks
    )
    grades = [grade(text, row) for text, row in zip(alone(learned, tmp_path), learned, strict=True)]
    samples = {sample["doc"]["id"]: sample for sample in results["samples"]["bioreason_mem_iid"]}
    for row, verdict in zip(learned, grades, strict=True):
        assert samples[row["id"]]["exact_match"] == verdict.exact_match
        assert samples[row["id"]]["process_verified"] == verdict.process_verified
        assert samples[row["id"]]["hop_accuracy"] == verdict.hop_accuracy
    known = [samples[row["id"]]["process_verified"] for row in learned[:-others]]
    assert sum(known) / len(known) > 0.9, "it memorised these chains"
    assert results["results"]["bioreason_mem_iid"]["exact_match,none"] < 1.0, (
        "and has not seen the others"
    )


EVALUATE = """
import json, sys
from click.testing import CliRunner
from bioreason_bench.commands.main import main
words = ["eval", "--model", "dummy", "--tasks", "bioreason_comp_iid", "--limit", "2"]
for revision in ("v1", "v2", "main"):
    data = json.dumps({"data": "org/tiny", "revision": revision})
    done = CliRunner().invoke(main, [*words, "--output_path", sys.argv[1], "--metadata", data])
    print(json.dumps([done.exit_code, done.stderr]))
"""


def test_data_come_from_a_hub_by_name_and_revision_and_only_what_a_task_needs(
    tiny_release, tmp_path
):
    with HubServer() as hub:
        environment = {**os.environ, **hub.environment(tmp_path / "home")}
        environment.pop("HF_HUB_OFFLINE", None)

        def run(*words: str) -> subprocess.CompletedProcess:
            return subprocess.run(
                [sys.executable, *words],
                capture_output=True,
                text=True,
                env=environment,
                timeout=300,
            )

        upload = (
            "from huggingface_hub import HfApi; import sys; api = HfApi();"
            "api.create_repo('org/tiny', repo_type='dataset');"
            "api.upload_folder(repo_id='org/tiny', repo_type='dataset', folder_path=sys.argv[1]);"
            "api.create_tag('org/tiny', tag='v1', repo_type='dataset');"
            "api.delete_file('data/comp/iid/test-00000-of-00001.parquet', 'org/tiny',"
            "repo_type='dataset')"
        )
        done = run("-c", upload, str(tiny_release))
        assert done.returncode == 0, done.stderr[-2000:]
        hub.log.clear()
        done = run("-c", EVALUATE, str(tmp_path / "out"))
        assert done.returncode == 0, done.stderr[-3000:]
        lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
        (first, said), *refused = map(json.loads, lines)
        assert first == 0, said
        (log,) = (tmp_path / "out").rglob("samples_*.jsonl")
        asked = [json.loads(line)["doc"] for line in log.read_text().splitlines()]
        assert [doc["id"] for doc in asked] == Release(tiny_release).table("comp_iid", "test")[
            "id"
        ].to_pylist()[:2]
        fetched = {
            entry[2].partition("/resolve/")[2].partition("/")[2]
            for entry in hub.log
            if "/resolve/" in entry[2]
        }
        assert not any(
            "biographies" in name or "/mem/" in name or "probes" in name or "zeroshot" in name
            for name in fetched
        )
        fragments = ("org/tiny@v2 could not be downloaded from the Hub", "has no")
        for (code, said), fragment in zip(refused, fragments, strict=True):
            last = said.strip().splitlines()[-1]
            assert code in (1, 2) and last.startswith("bioreason: ") and fragment in last
