"""The tasks over OpenAI-compatible servers: base, chat and reasoning models get a fair score.

The servers run on loopback, and the harness asks them as it asks a real one.
"""

from __future__ import annotations

import functools
import json
import zlib

import pytest

pytest.importorskip("lm_eval")
pytest.importorskip("tenacity")  # lm-eval[api]
pytest.importorskip("aiohttp")

import model_server
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager
from model_server import ModelServer, wrong

from bioreason_bench import resources
from bioreason_bench.questions.prompts import chat_example, chat_prompt, make_prompt
from bioreason_bench.release.read import Release

SHORT = ("bioreason_ctx_iid", "bioreason_comp_zeroshot")
CHAT = (
    *("bioreason_mem_iid_chat", "bioreason_ctx_iid_chat", "bioreason_comp_zeroshot_chat"),
    *("bioreason_mem_iid_openbook_chat", "bioreason_comp_zeroshot_openbook_chat"),
    *("bioreason_comp_counterfactual_openbook_chat", "bioreason_comp_conflict_chat"),
)


@pytest.fixture(autouse=True)
def without_a_list_of_installed_packages(monkeypatch):
    """The harness lists them by pip at every evaluation, which takes seconds."""
    monkeypatch.setattr("lm_eval.evaluator.add_env_info", lambda _: None)


@pytest.fixture
def server(tiny_release):
    with ModelServer(tiny_release) as running:
        yield running


@functools.cache
def manager(data: str) -> TaskManager:
    return TaskManager(
        include_path=str(resources.folder("tasks")), include_defaults=False, metadata={"data": data}
    )


def evaluate(server, kind: str, tasks, limit: int = 2, **options) -> dict:
    """The harness's scores of the server's model: task -> metric -> mean."""
    path = "chat/completions" if kind == "local-chat-completions" else "completions"
    arguments = {"model": "m", "base_url": server.url(path), "num_concurrent": 4}
    if kind == "local-completions":
        arguments |= {"tokenizer_backend": None, "tokenized_requests": False}
    arguments |= options.pop("model_args", {})
    options.setdefault("apply_chat_template", kind == "local-chat-completions")
    results = simple_evaluate(
        model=kind,
        model_args=arguments,
        tasks=list(tasks),
        task_manager=manager(str(server.release)),
        limit=limit,
        bootstrap_iters=0,
        **options,
    )
    return {
        task: {
            metric.partition(",")[0]: value
            for metric, value in scores.items()
            if metric.endswith(",none") and "stderr" not in metric
        }
        for task, scores in results["results"].items()
    }


def test_a_base_model_is_right_by_the_short_form_and_wrong_if_its_answer_is(server):
    scores = evaluate(server, "local-completions", SHORT)
    for task in SHORT:
        assert scores[task]["exact_match"] == scores[task]["process_verified"] == 1.0
    server.model = wrong(model_server.base)
    scores = evaluate(server, "local-completions", SHORT)
    assert {scores[task]["exact_match"] for task in SHORT} == {0.0}


@pytest.mark.parametrize("name", ["plain_chat", "markdown_chat", "thinking"])
def test_a_chat_model_is_right_by_the_chat_tasks_and_wrong_if_its_answer_is(server, name):
    server.model = getattr(model_server, name)
    for task, scores in evaluate(server, "local-chat-completions", CHAT).items():
        assert scores["exact_match"] == scores["process_verified"] == 1.0, task
        assert scores["truncated"] == 0.0 and scores["hop_accuracy"] == 1.0, task
    server.model = wrong(server.model)
    for task, scores in evaluate(server, "local-chat-completions", CHAT).items():
        assert scores["exact_match"] == scores["process_verified"] == 0.0, task
        assert scores["truncated"] == 0.0 and scores["hop_accuracy"] == 1.0, task


def test_the_short_form_cuts_the_thoughts_that_the_chat_form_lets_end(server):
    server.model = model_server.thinking
    tasks = ("bioreason_ctx_iid", "bioreason_ctx_iid_chat")
    scores = evaluate(server, "local-chat-completions", tasks)
    assert [scores[task]["exact_match"] for task in tasks] == [0.0, 1.0]


@pytest.mark.parametrize("name", ["endless", "hidden"])
def test_thoughts_that_never_end_are_truncated_and_no_wrong_chains(server, name):
    server.model = getattr(model_server, name)
    for task, scores in evaluate(server, "local-chat-completions", CHAT[1:3]).items():
        assert scores["truncated"] == 1.0 and scores["exact_match"] == 0.0, task


def test_too_few_tokens_are_told_as_truncated(server):
    server.model = model_server.thinking
    few = {"gen_kwargs": {"max_gen_toks": 50}}
    (scores,) = evaluate(server, "local-chat-completions", CHAT[1:2], **few).values()
    assert scores["truncated"] == 1.0
    assert {request["max_tokens"] for request in server.requests} == {50}


def test_the_chat_tasks_send_the_one_chat_prompt_and_no_stop_strings(server):
    server.model = model_server.plain_chat
    evaluate(server, "local-chat-completions", ["bioreason_ctx_iid_chat"])
    rows = list(Release(server.release).rows("ctx_iid", "test"))[:2]
    assert {request["messages"][0]["content"] for request in server.requests} == {
        chat_prompt(row) for row in rows
    }
    for request in server.requests:
        assert [message["role"] for message in request["messages"]] == ["user"]
        assert request["stop"] == [] and request["max_tokens"] == 16384
        assert request["temperature"] == 0


@pytest.mark.parametrize("multiturn", [True, False])
def test_few_shot_prompts_say_the_instruction_once_before_the_question(server, multiturn):
    server.model = model_server.plain_chat
    options = {"num_fewshot": 2, "fewshot_as_multiturn": multiturn}
    (scores,) = evaluate(
        server, "local-chat-completions", ["bioreason_ctx_iid_chat"], **options
    ).values()
    assert scores["exact_match"] == 1.0
    release = Release(server.release)
    examples = {chat_example(row): row["chain"] for row in release.rows("ctx_iid", "train")}
    asked = {chat_prompt(row) for row in release.rows("ctx_iid", "test")}
    for request in server.requests:
        if multiturn:
            first, gold, second, other_gold, last = request["messages"]
            assert [first["role"], gold["role"], last["role"]] == ["user", "assistant", "user"]
            assert examples[first["content"]] == gold["content"]
            assert examples[second["content"]] == other_gold["content"]
        else:
            (message,) = request["messages"]
            text = message["content"]
            begin = text.index("Below are biographies")
            last = {"content": text[begin:]}
            assert text[:begin].count("\nAnswer: ") == text[:begin].count("Question: ") == 2
        assert last["content"] in asked
        whole = json.dumps(request["messages"])
        assert whole.count("Reason step by step") == 1 and whole.count('line \\"So, the') == 1


def test_open_book_questions_are_said_to_need_the_biographies_alone(server):
    server.model = model_server.plain_chat
    evaluate(server, "local-chat-completions", CHAT)
    told = {
        "Every fact that you need is in the biographies.": 0,
        "the others you know from training": 0,
        "You know every fact that you need from training.": 0,
    }
    for request in server.requests:
        (fitting,) = [words for words in told if words in request["messages"][0]["content"]]
        told[fitting] += 1
    assert list(told.values()) == [8, 4, 2], "by task: ctx and open book, comp, mem"


def test_the_base_prompt_is_unchanged(server):
    evaluate(server, "local-completions", ["bioreason_ctx_iid"])
    rows = list(Release(server.release).rows("ctx_iid", "test"))[:2]
    assert {request["prompt"] for request in server.requests} == set(map(make_prompt, rows))
    assert {request["max_tokens"] for request in server.requests} == {320}


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    """A tokenizer of bytes whose chat template begins the thoughts."""
    pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>")
    fast.chat_template = (
        "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}"
    )
    folder = tmp_path_factory.mktemp("thinker")
    fast.save_pretrained(folder)
    return folder


def test_a_thought_that_the_chat_template_begins_is_told_from_an_answer(tiny_release, thinker):
    from transformers import AutoTokenizer

    decode = AutoTokenizer.from_pretrained(thinker).decode
    options = {
        "model_args": {
            "tokenizer": str(thinker),
            "tokenizer_backend": "huggingface",
            "tokenized_requests": True,
            "max_length": 100_000,
        },
        "apply_chat_template": True,
    }
    tasks = ["bioreason_ctx_iid_chat"]
    with ModelServer(tiny_release, model_server.begun_thinking, decode) as server:
        (right,) = evaluate(server, "local-completions", tasks, **options).values()
        assert isinstance(server.requests[0]["prompt"][0][0], int)
        server.model = model_server.begun_endless
        (cut,) = evaluate(server, "local-completions", tasks, **options).values()
    assert (right["exact_match"], right["process_verified"], right["truncated"]) == (1.0, 1.0, 0.0)
    assert (cut["exact_match"], cut["truncated"]) == (0.0, 1.0)


PASSK = "bioreason_ctx_iid_passk"


class Sampled:
    """A base model that is right in some samples: by the request's seed, as servers honour it."""

    def __init__(self, server: ModelServer) -> None:
        self.server = server

    def __call__(self, row: model_server.Row) -> str | None:
        seed = self.server.requests[-1]["seed"]
        lucky = zlib.crc32(f"{row['id']} {seed}".encode()) % 2
        model = model_server.base if lucky else wrong(model_server.base)
        return f" Sample {seed}.{model(row)}"


def sampled(server, limit=6, **settings) -> dict:
    metadata = {"data": str(server.release), "samples": 8, **settings}
    task_manager = TaskManager(
        include_path=str(resources.folder("tasks")), include_defaults=False, metadata=metadata
    )
    arguments = {"model": "m", "base_url": server.url("completions")}
    arguments |= {"tokenizer_backend": None, "tokenized_requests": False}
    results = simple_evaluate(
        model="local-completions",
        model_args=arguments,
        tasks=[PASSK],
        task_manager=task_manager,
        limit=limit,
        bootstrap_iters=0,
        log_samples=True,
    )
    scores = results["results"][PASSK]
    return {
        "samples": results["samples"][PASSK],
        **{name.removesuffix(",none"): value for name, value in scores.items()},
    }


def test_a_server_that_honours_the_seed_gets_another_one_with_each_sample(server, caplog):
    server.model = Sampled(server)
    scores = sampled(server, sample_seeds=True)
    assert len(server.requests) == 6 * 8
    assert {request["seed"] for request in server.requests} == set(range(8))
    assert scores["identical_samples"] == 0.0
    assert 0 < scores["pass@1"] < scores["pass@2"] < scores["pass@8"] <= 1
    right = [sample["doc"]["grade"]["right"] for sample in scores["samples"]]
    assert scores["pass@1"] == pytest.approx(sum(right) / (6 * 8))
    assert all(sample["doc"]["grade"]["samples"] == 8 for sample in scores["samples"])
    assert all(len(sample["arguments"]) == 1 for sample in scores["samples"]), (
        "one prompt is logged"
    )
    assert "repeated" not in caplog.text


def test_samples_that_are_one_sample_repeated_are_told_and_not_reported(server, caplog):
    server.model = Sampled(server)
    scores = sampled(server)
    assert {request["seed"] for request in server.requests} == {1234}, "the harness's own"
    assert scores["identical_samples"] == 1.0
    reported = {name for name in scores if "pass@" in name and "stderr" not in name}
    assert reported == {"pass@1", "process_pass@1"}, scores
    assert 0 < scores["pass@1"] == scores["process_pass@1"] < 1
    assert "one sample repeated, so only pass@1 is reported" in caplog.text


def test_bioreason_eval_sends_whole_prompts_and_seeds_and_stats_tells_truncation(
    server, cli, tmp_path, thinker, monkeypatch
):
    from transformers import AutoTokenizer

    server.decode = AutoTokenizer.from_pretrained(thinker).decode
    server.model = model_server.begun_endless
    arguments = f"model=m,base_url={server.url('completions')},tokenizer={thinker}"
    words = ("eval", "--model", "local-completions", "--model_args", arguments)
    words += ("--tasks", f"bioreason_comp_zeroshot_openbook_chat,{PASSK}", "--apply_chat_template")
    words += ("--metadata", json.dumps({"data": str(server.release), "samples": 2}))
    words += ("--limit", 2, "--output_path", tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = cli(*words)
    assert done.exit_code == 0, done.stderr[-2000:]
    prompts = [server.decode(request["prompt"][0]) for request in server.requests]
    assert all(prompt.startswith("<|user|>") for prompt in prompts), "whole, from the beginning"
    assert {request["seed"] for request in server.requests if "top_k" in request} == {0, 1}
    told = cli("stats", tmp_path).stdout
    assert "truncated: 100.0" in told and "max_gen_toks=32768" in told
    (record,) = [
        record
        for record in json.loads(cli("stats", tmp_path, "--json").stdout)
        if record["variant"] == "openbook_chat"
    ]
    assert record["truncated"]["value"] == 1.0 and record["first_errors"] == {}
