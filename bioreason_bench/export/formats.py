"""What trainers read: for each of them, the files of an export and the rows of each file.

    trl           TRL 1.x: prompt-completion JSONL, standard or (prompt "chat") conversational;
                  GRPO reads the prompt, rewards read the other columns
    llamafactory  LLaMA-Factory 0.9: alpaca records, declared in dataset_info.json
    verl          veRL 0.9: Parquet with data_source, prompt (messages), ability, reward_model and
                  extra_info; SFT reads messages.  SkyRL reads the same files
    graphml       no trainer: the world as a graph, for networkx, Gephi, Cytoscape and the like

Prompt and completion are those of evaluation: make_prompt(row), and a space before the chain; for
chat models chat_prompt(row), and the chain.  Every row has the canary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bioreason_bench.grading.rewards import COLUMNS
from bioreason_bench.questions.prompts import chat_prompt, make_prompt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BIOGRAPHY", "FORMATS", "PROMPTS", "RL", "SFT", "FileFormat", "Item"]

SFT, RL, BIOGRAPHY = "sft", "rl", "biography"
PROMPTS = ("base", "chat")
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
class Item:
    """A row of the release on its way into a file.

    Attributes:
        row: The row.
        number: Its number in the file.
        chat: Whether the prompt is that of chat models.
        canary: The canary of the release.
    """

    row: Row
    number: int
    chat: bool
    canary: str

    @property
    def prompt(self) -> str:
        return chat_prompt(self.row) if self.chat else make_prompt(self.row)

    @property
    def completion(self) -> str:
        return self.row["chain"] if self.chat else " " + self.row["chain"]


@dataclass(frozen=True)
class FileFormat:
    """One kind of file that a trainer reads.

    Attributes:
        folder: The folder of the file in the export.
        held_out: The folder instead of it for validation and test questions.
        suffix: ".jsonl" or ".parquet".
        row: Makes a row of the file.
    """

    folder: str
    held_out: str
    suffix: str
    row: Callable[[Item], dict[str, Any]]


def _trl_sft(item: Item) -> dict[str, Any]:
    row = item.row
    return {
        "prompt": _user(item.prompt) if item.chat else item.prompt,
        "completion": _assistant(item.completion) if item.chat else item.completion,
        "id": row["id"],
        "portion": row["portion"],
        "canary": item.canary,
    }


def _trl_rl(item: Item) -> dict[str, Any]:
    return {
        "prompt": _user(item.prompt) if item.chat else item.prompt,
        **{name: item.row[name] for name in (*COLUMNS, "id", "level", "pattern")},
        "canary": item.canary,
    }


def _text(item: Item) -> dict[str, Any]:
    row = item.row
    return {
        "text": row["text"],
        "id": row["id"],
        "person": row["person"],
        "rendering": row["rendering"],
        "canary": item.canary,
    }


def _alpaca(item: Item) -> dict[str, Any]:
    return {
        "instruction": item.prompt,
        "input": "",
        "output": item.completion,
        "id": item.row["id"],
        "portion": item.row["portion"],
        "canary": item.canary,
    }


def _verl_sft(item: Item) -> dict[str, Any]:
    return {
        "messages": [*_user(item.prompt), *_assistant(item.row["chain"])],
        "id": item.row["id"],
        "portion": item.row["portion"],
        "canary": item.canary,
    }


def _verl_rl(item: Item) -> dict[str, Any]:
    row = item.row
    extra = {name: row[name] for name in EXTRA_INFO}
    return {
        "data_source": SOURCE,
        "env_class": SOURCE,  # SkyRL's name of the environment
        "prompt": _user(item.prompt),
        "ability": row["skill"],
        "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        "extra_info": {
            "split": "train" if row["level"] == "train" else "test",
            "index": item.number,
            **extra,
        },
        "canary": item.canary,
    }


def _verl_text(item: Item) -> dict[str, Any]:
    return {**_text(item), "messages": [*_user(""), *_assistant(item.row["text"])]}


def _user(content: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


def _assistant(content: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": content}]


FORMATS: dict[str, dict[str, FileFormat]] = {
    "trl": {
        SFT: FileFormat("sft", "sft-test", ".jsonl", _trl_sft),
        RL: FileFormat("grpo", "grpo-test", ".jsonl", _trl_rl),
        BIOGRAPHY: FileFormat("sft", "", ".jsonl", _text),
    },
    "llamafactory": {
        SFT: FileFormat("", "test", ".jsonl", _alpaca),
        BIOGRAPHY: FileFormat("", "", ".jsonl", _text),
    },
    "verl": {
        SFT: FileFormat("sft", "sft-test", ".parquet", _verl_sft),
        RL: FileFormat("rl", "rl-test", ".parquet", _verl_rl),
        BIOGRAPHY: FileFormat("sft", "", ".parquet", _verl_text),
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
        SFT: [("messages", messages), ("id", text), ("portion", number), ("canary", text)],
        BIOGRAPHY: [
            ("text", text),
            ("id", text),
            ("person", text),
            ("rendering", number),
            ("canary", text),
            ("messages", messages),
        ],
        RL: [
            ("data_source", text),
            ("env_class", text),
            ("prompt", messages),
            ("ability", text),
            ("reward_model", pa.struct([("style", text), ("ground_truth", text)])),
            ("extra_info", pa.struct([("split", text), ("index", number), *extra])),
            ("canary", text),
        ],
    }
    return pa.schema(fields[use])


def dataset_info(files: Mapping[str, str]) -> dict[str, Any]:
    """LLaMA-Factory's dataset_info.json.

    Biographies are declared twice: for stage `pt` (their text is the prompt column), and for stage
    `sft` (no prompt, the text as response).

    Args:
        files: The use of each file, by its path in the export.
    """
    info: dict[str, Any] = {}
    for file, use in files.items():
        name = f"bioreason_{PurePosixPath(file).stem.replace('-', '_')}"
        if use == BIOGRAPHY:
            info[name] = {"file_name": file, "columns": {"prompt": "text"}}
            info[f"{name}_sft"] = {"file_name": file, "columns": {"response": "text"}}
        else:
            info[name] = {
                "file_name": file,
                "columns": {"prompt": "instruction", "query": "input", "response": "output"},
            }
    return info
