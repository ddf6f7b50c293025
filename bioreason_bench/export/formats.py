"""What trainers read: for each of them, the files of an export and what a row of theirs is made of.

    trl           TRL 1.x: standard (not conversational) prompt-completion JSONL; GRPO takes the prompt, rewards take the other columns
    llamafactory  LLaMA-Factory 0.9: alpaca records, with a dataset_info.json that declares them
    verl          veRL 0.9: Parquet with data_source, prompt (messages), ability, reward_model, extra_info; SFT reads messages
    graphml       no trainer: the world as a graph, for networkx, Gephi, Cytoscape and the like

Prompt and completion are those of evaluation: make_prompt(row), and a blank before the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioreason_bench.questions.records import make_prompt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BIOGRAPHY", "FORMATS", "NOTES", "RL", "SFT", "Form"]

SFT, RL, BIOGRAPHY = "sft", "rl", "biography"
Row = Mapping[str, Any]
SOURCE = "bioreason"
ABOUT = (
    "id",
    "skill",
    "level",
    "pattern",
    "question",
    "chain",
    "answer",
    "entities",
    "path",
)  # extra_info: what rewards may ask for
REWARD_COLUMNS = (
    "question",
    "context",
    "chain",
    "answer",
    "entities",
    "path",
)  # what the package's rewards ask for


@dataclass(frozen=True)
class Form:
    """One kind of file of a trainer: the folder it goes to, its ending, and a row of it."""

    folder: str
    suffix: str  # ".jsonl" or ".parquet"
    row: Callable[[Row, int], dict[str, Any]]  # (a row of the release, its number in the file)


def completion(row: Row) -> str:
    return " " + row["chain"]


def _trl_sft(row: Row, _: int) -> dict[str, Any]:
    return {
        "prompt": make_prompt(row),
        "completion": completion(row),
        "id": row["id"],
        "portion": row["portion"],
    }


def _trl_rl(row: Row, _: int) -> dict[str, Any]:
    return {
        "prompt": make_prompt(row),
        **{name: row[name] for name in (*REWARD_COLUMNS, "id", "level", "pattern")},
    }


def _text(row: Row, _: int) -> dict[str, Any]:
    return {
        "text": row["text"],
        "id": row["id"],
        "person": row["person"],
        "rendering": row["rendering"],
    }


def _alpaca(row: Row, _: int) -> dict[str, Any]:
    return {
        "instruction": make_prompt(row),
        "input": "",
        "output": completion(row),
        "id": row["id"],
        "portion": row["portion"],
    }


def _verl_sft(row: Row, _: int) -> dict[str, Any]:
    return {
        "messages": _messages(make_prompt(row), row["chain"]),
        "id": row["id"],
        "portion": row["portion"],
    }


def _verl_rl(row: Row, number: int) -> dict[str, Any]:
    about = {name: row[name] for name in ABOUT}
    return {
        "data_source": SOURCE,
        "prompt": _messages(make_prompt(row)),
        "ability": row["skill"],
        "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        "extra_info": {
            "split": "train" if row["level"] == "train" else "test",
            "index": number,
            **about,
        },
    }


def _verl_text(row: Row, number: int) -> dict[str, Any]:
    return {**_text(row, number), "messages": _messages("", row["text"])}


def _messages(prompt: str, answer: str | None = None) -> list[dict[str, str]]:
    turns = [{"role": "user", "content": prompt}]
    return turns if answer is None else [*turns, {"role": "assistant", "content": answer}]


FORMATS: dict[str, dict[str, Form]] = {
    "trl": {
        SFT: Form("sft", ".jsonl", _trl_sft),
        RL: Form("grpo", ".jsonl", _trl_rl),
        BIOGRAPHY: Form("sft", ".jsonl", _text),
    },
    "llamafactory": {
        SFT: Form("", ".jsonl", _alpaca),
        BIOGRAPHY: Form("", ".jsonl", _text),
    },
    "verl": {
        SFT: Form("sft", ".parquet", _verl_sft),
        RL: Form("rl", ".parquet", _verl_rl),
        BIOGRAPHY: Form("sft", ".parquet", _verl_text),
    },
    "graphml": {},
}


def parquet_schema(use: str) -> pa.Schema:
    """The Arrow schema of a Parquet file of veRL."""
    import pyarrow as pa

    text, number, texts = pa.string(), pa.int32(), pa.list_(pa.string())
    messages = pa.list_(pa.struct([("role", text), ("content", text)]))
    about = [(name, texts if name in ("entities", "path") else text) for name in ABOUT]
    fields = {
        SFT: [("messages", messages), ("id", text), ("portion", number)],
        BIOGRAPHY: [
            ("text", text),
            ("id", text),
            ("person", text),
            ("rendering", number),
            ("messages", messages),
        ],
        RL: [
            ("data_source", text),
            ("prompt", messages),
            ("ability", text),
            ("reward_model", pa.struct([("style", text), ("ground_truth", text)])),
            ("extra_info", pa.struct([("split", text), ("index", number), *about])),
        ],
    }
    return pa.schema(fields[use])


def dataset_info(files: Mapping[str, str]) -> dict[str, Any]:
    """LLaMA-Factory's dataset_info.json; `files` are uses by name of the file.

    Biographies stand there twice: for stage `pt` (their text is the prompt column), and for stage `sft` (no prompt, text as response).
    """
    info: dict[str, Any] = {}
    for file, use in files.items():
        name = f"bioreason_{file.removesuffix('.jsonl').replace('-', '_')}"
        if use == BIOGRAPHY:
            info[name] = {"file_name": file, "columns": {"prompt": "text"}}
            info[f"{name}_sft"] = {"file_name": file, "columns": {"response": "text"}}
        else:
            info[name] = {
                "file_name": file,
                "columns": {"prompt": "instruction", "query": "input", "response": "output"},
            }
    return info


REWARD = '''"""The reward of veRL: reward.custom_reward_function.path=THIS_FILE (name: compute_score); needs bioreason-bench installed."""

from bioreason_bench.grading.rewards import compute_score

__all__ = ["compute_score"]
'''

NOTES = {
    "trl": """Format: TRL 1.x (read back with 1.16), standard prompt-completion records.

    from datasets import load_dataset
    from trl import GRPOTrainer, SFTTrainer
    from bioreason_bench.grading.rewards import outcome

    SFTTrainer(model, train_dataset=load_dataset("json", data_files=["sft/mem-train.jsonl"], split="train"))
    SFTTrainer(model, train_dataset=load_dataset("json", data_files="sft/biographies-parametric.jsonl", split="train"))
    GRPOTrainer(model, reward_funcs=outcome, train_dataset=load_dataset("json", data_files="grpo/comp-rl.jsonl", split="train"))

sft/ holds prompt and completion (the loss is on the completion), biographies as plain text; grpo/ holds the prompt and the
columns that rewards read. `portion` (1 to 10) cuts training into nested tenths.
""",
    "llamafactory": """Format: LLaMA-Factory 0.9 (checked with 0.9.5): alpaca records, declared in dataset_info.json.

    llamafactory-cli train --stage sft --dataset_dir THIS_FOLDER --template empty \\
        --dataset bioreason_mem_train,bioreason_ctx_train,bioreason_biographies_parametric_sft ...

Biographies are declared twice: bioreason_biographies_parametric for stage pt, and ..._sft for stage sft (no prompt, the text as response).
With a chat template instead of `empty`, the blank that begins each output does no harm.
""",
    "verl": """Format: veRL 0.9 (checked with 0.9.1).

    data.train_files=rl/comp-rl.parquet data.val_files=rl/comp-zeroshot-test.parquet
    reward.custom_reward_function.path=reward.py            (custom_reward_function.path before 0.7)

reward.py is `compute_score` over the package's one grader: 1 if the final answer is right. rl/ holds data_source, prompt (messages),
ability, reward_model.ground_truth and extra_info (what other rewards need); sft/ holds messages, and biographies as text and as messages.
""",
    "graphml": """Format: GraphML, as networkx writes it.

    world = networkx.read_graphml("world.graphml")

Nodes are people (by name) and values (by "kind: text"), with kind and label; people have known, in_context and their biographies,
`parametric` and `contextual`. Every fact is an edge with relation, group, and the id of the biography that states it.
`bioreason_bench.graph(DIR)` gives the same graph without a file.
""",
}
