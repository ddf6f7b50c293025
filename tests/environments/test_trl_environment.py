"""TRL: a model that calls tools is trained in the library by GRPOTrainer itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

trl = pytest.importorskip("trl")
transformers = pytest.importorskip("transformers")

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from bioreason_bench.environments.library import make_library
from bioreason_bench.environments.trl import environment, rows

SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]
TOOLS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"]


def tokenizer():
    """One token a byte, with the tokens and the chat template of Qwen 3."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    letters = {letter: number for number, letter in enumerate(alphabet)}
    made = Tokenizer(models.BPE(vocab=letters, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    whole = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL[:1],
    )
    whole.add_tokens([*TOOLS, "<think>", "</think>"], special_tokens=False)
    template = Path(trl.__file__).parent / "chat_templates" / "qwen3.jinja"
    whole.chat_template = template.read_text(encoding="utf-8")
    return whole


def tiny_model(tokens):
    """A model with random weights."""
    config = transformers.Qwen3Config(
        vocab_size=len(tokens),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=8192,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )
    return transformers.Qwen3ForCausalLM(config)


def trainer(library, folder: Path, **options):
    tokens = tokenizer()
    return trl.GRPOTrainer(
        model=tiny_model(tokens),
        processing_class=tokens,
        train_dataset=rows(library),
        environment_factory=environment(library),
        args=trl.GRPOConfig(
            output_dir=str(folder),
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            max_steps=1,
            per_device_train_batch_size=2,
            num_generations=2,
            report_to="none",
            save_strategy="no",
            logging_steps=1,
            **options,
        ),
    )


def call(tool: str, **arguments: str) -> str:
    """A message of the model that calls one tool, as Qwen writes it."""
    body = json.dumps({"name": tool, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call><|im_end|>"


def test_trl_takes_a_step_in_which_the_model_looks_up_and_answers(
    tiny_release, tmp_path, monkeypatch
):
    """What the model samples is scripted; tool calls, rewards and the step are TRL's own."""
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    library = make_library("comp_rl", data=str(tiny_release), cost=0.1, first=8)
    training = trainer(library, tmp_path, max_completion_length=4096)
    turns = {"count": 0}

    def scripted(prompt_ids, *_, **__):
        """The first sample reads and answers rightly, the second reads a stranger and is wrong."""
        turn, turns["count"] = turns["count"], turns["count"] + 1
        texts = []
        for one, played in zip(prompt_ids, training.environments, strict=False):
            row, first = played._episode.row, played is training.environments[0]
            if turn == 0:
                name = row["entities"][0] if first else "Nobody At All"
                text = call("read_biography", name=name)
            elif turn == 1:
                text = call("answer", text=row["chain"] if first else "nobody")
            else:
                text = "Done.<|im_end|>"
            assert one
            texts.append(training.processing_class(text)["input_ids"])
        return texts, None

    monkeypatch.setattr(training, "_generate_single_turn", scripted)
    training.train()
    logs = [played._log() for played in training.environments]
    assert turns["count"] == 3 and [log["calls"] for log in logs] == [1, 1]
    assert [log["useful_calls"] for log in logs] == [1, 0]
    assert [played.get_reward() for played in training.environments] == [1.0, 0.0]
    logged = training.state.log_history[0]
    assert logged["rewards/BioreasonLibrary/mean"] == pytest.approx(0.5)
    assert logged["tools/failure_frequency"] == 0
    assert training.state.global_step == 1


def test_trl_takes_a_step_with_what_a_random_model_writes(tiny_release, tmp_path, monkeypatch):
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    library = make_library("comp_rl", data=str(tiny_release), mode="closed", first=4)
    training = trainer(library, tmp_path, max_completion_length=8)
    assert [tool.__name__ for tool in training.tools] == ["answer"]
    assert "the tool answer" in training.train_dataset[0]["prompt"][0]["content"]
    training.train()
    assert training.state.log_history[0]["rewards/BioreasonAnswer/mean"] == 0


def test_the_model_is_told_of_three_tools_with_their_arguments(tiny_release):
    made = environment(make_library("comp_rl", data=str(tiny_release), first=1))
    tools = [made.read_biography, made.search, made.answer]
    schemas = [transformers.utils.get_json_schema(tool)["function"] for tool in tools]
    assert [list(schema["parameters"]["properties"]) for schema in schemas] == [
        ["name"],
        ["text"],
        ["text"],
    ]
