"""What trainers read: for each of them, the files of an export and the rows of each file.

    trl           TRL 1.x: standard (not conversational) prompt-completion JSONL; GRPO reads the
                  prompt, rewards read the other columns
    llamafactory  LLaMA-Factory 0.9: alpaca records, declared in dataset_info.json
    verl          veRL 0.9: Parquet with data_source, prompt (messages), ability, reward_model and
                  extra_info; SFT reads messages
    graphml       no trainer: the world as a graph, for networkx, Gephi, Cytoscape and the like

Prompt and completion are those of evaluation: make_prompt(row), and a space before the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioreason_bench.grading.rewards import COLUMNS
from bioreason_bench.questions.prompts import make_prompt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BIOGRAPHY", "FORMATS", "NOTES", "RL", "SFT", "FileFormat"]

SFT, RL, BIOGRAPHY = "sft", "rl", "biography"
SOURCE = "bioreason"
# Of extra_info in veRL: what rewards may ask for.
EXTRA_INFO = (
    "id",
    "skill",
    "level",
    "pattern",
    "question",
    "chain",
    "answer",
    "entities",
    "path",
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class FileFormat:
    """One kind of file that a trainer reads.

    Attributes:
        folder: The folder of the file in the export.
        suffix: ".jsonl" or ".parquet".
        row: Makes a row of the file from a row of the release and its number in the file.
    """

    folder: str
    suffix: str
    row: Callable[[Row, int], dict[str, Any]]


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
        **{name: row[name] for name in (*COLUMNS, "id", "level", "pattern")},
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
    extra = {name: row[name] for name in EXTRA_INFO}
    return {
        "data_source": SOURCE,
        "env_class": SOURCE,  # SkyRL's name of the environment
        "prompt": _messages(make_prompt(row)),
        "ability": row["skill"],
        "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        "extra_info": {
            "split": "train" if row["level"] == "train" else "test",
            "index": number,
            **extra,
        },
    }


def _verl_text(row: Row, number: int) -> dict[str, Any]:
    return {**_text(row, number), "messages": _messages("", row["text"])}


def _messages(prompt: str, answer: str | None = None) -> list[dict[str, str]]:
    turns = [{"role": "user", "content": prompt}]
    return turns if answer is None else [*turns, {"role": "assistant", "content": answer}]


FORMATS: dict[str, dict[str, FileFormat]] = {
    "trl": {
        SFT: FileFormat("sft", ".jsonl", _trl_sft),
        RL: FileFormat("grpo", ".jsonl", _trl_rl),
        BIOGRAPHY: FileFormat("sft", ".jsonl", _text),
    },
    "llamafactory": {
        SFT: FileFormat("", ".jsonl", _alpaca),
        BIOGRAPHY: FileFormat("", ".jsonl", _text),
    },
    "verl": {
        SFT: FileFormat("sft", ".parquet", _verl_sft),
        RL: FileFormat("rl", ".parquet", _verl_rl),
        BIOGRAPHY: FileFormat("sft", ".parquet", _verl_text),
    },
    "graphml": {},
}


def parquet_schema(use: str) -> pa.Schema:
    """The Arrow schema of a Parquet file of veRL."""
    import pyarrow as pa

    text, number, texts = pa.string(), pa.int32(), pa.list_(pa.string())
    messages = pa.list_(pa.struct([("role", text), ("content", text)]))
    extra = [(name, texts if name in ("entities", "path") else text) for name in EXTRA_INFO]
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
            ("env_class", text),
            ("prompt", messages),
            ("ability", text),
            ("reward_model", pa.struct([("style", text), ("ground_truth", text)])),
            ("extra_info", pa.struct([("split", text), ("index", number), *extra])),
        ],
    }
    return pa.schema(fields[use])


def dataset_info(files: Mapping[str, str]) -> dict[str, Any]:
    """LLaMA-Factory's dataset_info.json.

    Biographies are declared twice: for stage `pt` (their text is the prompt column), and for stage
    `sft` (no prompt, the text as response).

    Args:
        files: The use of each file, by name.
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


REWARD = '''"""The reward of veRL, for reward.custom_reward_function.path (name: compute_score).

Needs bioreason-bench installed.
"""

from bioreason_bench.grading.rewards import compute_score

__all__ = ["compute_score"]
'''

NOTES = {
    "trl": """Format: TRL 1.x (read back with 1.16), standard prompt-completion records.

    from datasets import load_dataset
    from trl import GRPOTrainer, SFTTrainer
    from bioreason_bench.grading.rewards import outcome

    def rows(file):
        return load_dataset("json", data_files=file, split="train")

    SFTTrainer(model, train_dataset=rows("sft/mem-train.jsonl"))
    SFTTrainer(model, train_dataset=rows("sft/biographies-parametric.jsonl"))
    GRPOTrainer(model, reward_funcs=outcome, train_dataset=rows("grpo/comp-rl.jsonl"))

sft/ holds prompt and completion (the loss is on the completion), and biographies as plain text.
grpo/ holds the prompt and the columns that rewards read. `portion` (1 to 10) divides training into
nested tenths.
""",
    "llamafactory": """Format: LLaMA-Factory 0.9 (checked with 0.9.5).

    llamafactory-cli train --stage sft --dataset_dir THIS_FOLDER --template empty \\
        --dataset bioreason_mem_train,bioreason_ctx_train,bioreason_biographies_parametric_sft ...

dataset_info.json declares every file as alpaca records.
Biographies are declared twice: bioreason_biographies_parametric for stage pt, and
bioreason_biographies_parametric_sft for stage sft (no prompt, the text as response). With a chat
template instead of `empty`, the space that begins each output does no harm.
""",
    "verl": """Format: veRL 0.9 (checked with 0.9.1).

    data.train_files=rl/comp-rl.parquet data.val_files=rl/comp-zeroshot-test.parquet
    reward.custom_reward_function.path=reward.py     (custom_reward_function.path before 0.7)

reward.py is `compute_score` of the package's one grader: 1 if the final answer is right. rl/ holds
data_source, prompt (messages), ability, reward_model.ground_truth and extra_info (what other
rewards need); sft/ holds messages, and biographies as text and as messages.
""",
    "graphml": """Format: GraphML, as networkx writes it.

    world = networkx.read_graphml("world.graphml")

Nodes are people (by name) and values (by "kind: text"), with kind and label. People also have
known, in_context and their biographies, `parametric` and `contextual`. Every fact is an edge with
relation, group, and the id of the biography that states it. `bioreason_bench.graph(DIR)` gives the
same graph without a file.
""",
}
