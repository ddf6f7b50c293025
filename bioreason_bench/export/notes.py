"""The README.md of an export: how to load its files, in which order to train, how long they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bioreason_bench.escaping import markdown

__all__ = ["NOTES", "REWARD", "Lengths", "readme"]

# Characters of a token, at least, by language of the release: names make English tokens short.
CHARACTERS = {"english": 3, "symbols": 1}
TEMPLATE = 64  # tokens that a chat template adds, at most
VALIDATED = "comp-zeroshot-test"  # the part of held-out questions that the note names
STEP = 64  # limits are rounded up to a multiple of it


LIMITS = """Longest texts in characters. The limits above allow for tokens of 3 characters
(1 in language symbols) and for a chat template.
"""


@dataclass
class Lengths:
    """The rows of one part, and its longest texts in characters."""

    rows: int = 0
    prompt: int = 0
    completion: int = 0

    def add(self, prompt: str, completion: str) -> None:
        self.rows += 1
        self.prompt = max(self.prompt, len(prompt))
        self.completion = max(self.completion, len(completion))


REWARD = '''"""The reward of veRL, for reward.custom_reward_function.path (name: compute_score).

Needs bioreason-bench installed.  Chains and answers are read by grader.json, which stands beside
this file: it holds the relations, names and values of the release.
"""

from functools import partial
from pathlib import Path

from bioreason_bench.grading import rewards
from bioreason_bench.grading.saved import load_grader

compute_score = partial(rewards.compute_score, grader=load_grader(Path(__file__).parent))

__all__ = ["compute_score"]
'''

ORDER = """Order of training, as in the paper: SFT on the biographies and on the questions of the
atomic skills (mem-train, ctx-train), several passes, until the validation questions of mem are
answered; then RL on comp-rl. SFT on comp-train instead of RL is the comparison. comp-rl and
comp-train share no question, except in preset paper.
"""

NOTES = {
    "trl": """Format: TRL 1.x (read back with 1.16), prompt-completion records.

```python
from datasets import load_dataset
from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer
from bioreason_bench.grading.rewards import make_rewards
from bioreason_bench.grading.saved import load_grader

def rows(file):
    return load_dataset("json", data_files=file, split="train")

rewards = make_rewards({"outcome": 1.0}, grader=load_grader("grader.json"))
for name in ("biographies-parametric", "mem-train", "ctx-train"):
    args = SFTConfig(f"out/{name}", max_length=LENGTH)  # TRL cuts what is longer
    trainer = SFTTrainer(model, args=args, train_dataset=rows(f"sft/{name}.jsonl"))
    trainer.train()
    model = trainer.model
args = GRPOConfig("out/grpo", max_completion_length=RESPONSE)
GRPOTrainer(model, rewards, args=args, train_dataset=rows("grpo/comp-rl.jsonl")).train()
```

Save it as train.py, say which model, and launch it with `accelerate launch train.py`.

sft/ holds prompt and completion (the loss is on the completion), and biographies as plain text.
grpo/ holds the prompt and the columns that rewards read. Validation and test questions are in
sft-test/ and grpo-test/. `portion` (1 to 10) divides training into nested tenths.
""",
    "llamafactory": """Format: LLaMA-Factory 0.9 (checked with 0.9.5).

```sh
llamafactory-cli train --stage sft --dataset_dir THIS_FOLDER --template empty --cutoff_len LENGTH \\
    --dataset bioreason_mem_train,bioreason_ctx_train,bioreason_biographies_parametric_sft ...
```

dataset_info.json declares every file as alpaca records. Biographies are declared twice:
bioreason_biographies_parametric for stage pt, and bioreason_biographies_parametric_sft for stage
sft (no prompt, the text as response). Validation and test questions are in test/. With a chat
template instead of `empty`, export with `--prompt chat`.
""",
    "verl": """Format: veRL 0.9 (checked with 0.9.1). Run both commands in this folder.

```sh
torchrun --nproc_per_node=1 -m verl.trainer.sft_trainer model.path=MODEL \\
    data.train_files="[sft/mem-train.parquet,sft/ctx-train.parquet]" data.max_length=LENGTH
python -m verl.trainer.main_ppo algorithm.adv_estimator=grpo trainer.n_gpus_per_node=1 \\
    actor_rollout_ref.model.path=MODEL_AFTER_SFT actor_rollout_ref.rollout.name=vllm \\
    actor_rollout_ref.rollout.n=8 \\
    data.train_files=rl/comp-rl.parquet data.val_files=rl-test/comp-zeroshot-test.parquet \\
    data.max_prompt_length=PROMPT data.max_response_length=RESPONSE \\
    reward.custom_reward_function.path=reward.py
```

sft/biographies-parametric.parquet comes first: its messages have an empty prompt.
reward.py is `compute_score` of the package's one grader: 1 if the final answer is right. For
another reward add `+reward.custom_reward_function.reward_kwargs.reward=process`. A model that was
not trained on sft/ needs an export with `--prompt chat`: the bare prompts do not say in which form
to answer.

rl/ holds data_source, prompt (messages), ability, reward_model.ground_truth and extra_info (what
rewards need); sft/ holds messages, and biographies as text and as messages. Validation and test
questions are in sft-test/ and rl-test/. SkyRL reads rl/ too: import
bioreason_bench.environments.skyrl_gym where environments are made.
""",
    "graphml": """Format: GraphML, as networkx writes it.

    world = networkx.read_graphml("world.graphml")

Nodes are people (by name) and values (by "kind: text"), with kind and label. People also have
known, in_context and their biographies, `parametric` and `contextual`. Every fact is an edge with
relation, group, and the id of the biography that states it. `bioreason_bench.graph(DIR)` gives the
same graph without a file.
""",
}


def readme(manifest: Mapping[str, Any], to: str, chat: bool, lengths: Mapping[str, Lengths]) -> str:
    """The README.md of an export.

    Args:
        manifest: The manifest of the release.
        to: The trainer.
        chat: Whether prompts are those of chat models.
        lengths: The lengths of the texts of each part; none for a graph.
    """
    origin = (
        f"bioreason-bench {manifest['versions']['bioreason_bench']}, "
        f"preset {markdown(manifest['preset'])}, seed {manifest['seed']}"
    )
    parts = [
        f"# bioreason for {to}\n",
        f"Synthetic biographies, not biology. Made from {origin}.\n",
        _with_limits(NOTES[to], manifest["config"].get("language", "symbols"), lengths),
    ]
    if lengths:
        style = "chat models (with an instruction)" if chat else "base models"
        parts += [f"Prompts are those of {style}.\n", ORDER, _table(lengths)]
    canary = manifest["canary"]
    where = ", also in the field `canary` of every row" if lengths else ""
    return "\n".join([*parts, f"Canary{where}: {canary}\n"])


def _with_limits(note: str, language: str, lengths: Mapping[str, Lengths]) -> str:
    """The note with limits in tokens that no text of the files it names exceeds."""
    named = [part for name, part in lengths.items() if name == VALIDATED or not _held_out(name)]
    prompt = max((part.prompt for part in named), default=0)
    response = max((part.completion for part in named if part.prompt), default=0)
    whole = max((part.prompt + part.completion for part in named), default=0)
    for word, characters in (("PROMPT", prompt), ("RESPONSE", response), ("LENGTH", whole)):
        note = note.replace(f"={word}", f"={_tokens(characters, language)}")
        note = note.replace(f" {word}", f" {_tokens(characters, language)}")
    return note


def _held_out(part: str) -> bool:
    return part.endswith(("-test", "-validation"))


def _tokens(characters: int, language: str) -> int:
    """More tokens than a text of so many characters has, with a chat template."""
    tokens = -(-characters // CHARACTERS[language]) + TEMPLATE
    return -(-tokens // STEP) * STEP


def _table(lengths: Mapping[str, Lengths]) -> str:
    """The longest texts of each part."""
    lines = [
        LIMITS,
        "| part | rows | longest prompt | longest completion or text |",
        "|---|---|---|---|",
        *(
            f"| {markdown(name)} | {part.rows:,} | {part.prompt:,} | {part.completion:,} |"
            for name, part in lengths.items()
        ),
    ]
    return "\n".join(lines) + "\n"
