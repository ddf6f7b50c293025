"""Try every stage of a recipe before the first one is trained.

Each stage is trained for one step by the trainer that will train it, on the longest texts that it
will meet: with TRL's options, a rollout, the rewards and a checkpoint.  What is trained and written
is thrown away.  So a recipe that would fail in its third stage after hours fails in the first
minute.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.errors import BioreasonError, ReleaseError, UsageError, one_line
from bioreason_bench.training.checkpoints import FOLDER, disk_errors
from bioreason_bench.training.data import (
    Corpus,
    Encoded,
    Mixture,
    Row,
    StageData,
    choose,
    encode,
    prompt_of,
)
from bioreason_bench.training.dry_run.minutes import evaluation_minutes, stage_minutes
from bioreason_bench.training.models import load as models
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.recipe import Recipe, Source, parts_of_step, prompts_of
from bioreason_bench.training.run_folder import save_model
from bioreason_bench.training.speed import timed_batch
from bioreason_bench.training.stages.grpo import train_grpo
from bioreason_bench.training.stages.memory import trim_memory
from bioreason_bench.training.stages.rft import sample_answers
from bioreason_bench.training.stages.sft import train_on
from bioreason_bench.training.stages.stage_run import Log, StageRun, begin_stage, stage_name

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TRIAL = ".dry-run"  # folder in that of the run, while the dry run lasts
LONGEST = 64  # texts of a source that are tokenized to find the longest ones
LIBRARIES = {"use_vllm": "vllm", "deepspeed": "deepspeed"}  # option of TRL -> module


@dataclass(frozen=True)
class Trial:
    """What one step of a stage has shown.

    Attributes:
        stage: In words, such as "sft_comp: stage 1 of 2, sft".
        kind: Of the stage.
        minutes: That the stage should take, with its evaluation.
        longest: Tokens of the longest text that it learns.
        model_bytes: Of the model that the stage writes.
        checkpoint_bytes: Of one checkpoint.
        device_bytes: Most memory that the trial took on the GPU; 0 on a CPU.
    """

    stage: str
    kind: str
    minutes: float
    longest: int
    model_bytes: int
    checkpoint_bytes: int
    device_bytes: int


def dry_run(
    recipe: Recipe,
    corpus: Corpus,
    out: Path,
    numbers: Sequence[int],
    *,
    start: Path | None = None,
    log: Log = print,
) -> list[Trial]:
    """Try stages of a recipe, and whether the disk has room for them.

    Args:
        recipe: Its options are checked (run.check_stages), and the release has its sources.
        corpus: The release.
        out: Folder of the run; left as it was.
        numbers: The stages to try, counted from 1.
        start: Folder of the model to begin with; default: that of the recipe.
        log: Prints one line.

    Raises:
        UsageError: A stage cannot be trained; names it.
        ReleaseError: `out` cannot be written, or the disk has too little room.
    """
    from accelerate import PartialState

    state = PartialState()
    folder = out / TRIAL
    import_libraries(recipe, numbers)
    trials = []
    try:
        if state.is_main_process:
            shutil.rmtree(folder, ignore_errors=True)
            with disk_errors(folder):
                folder.mkdir(parents=True)
            if start is None and "name" not in recipe.model:
                save_model(*models.start(recipe, corpus), folder / "start")
        state.wait_for_everyone()
        if start is None and "name" not in recipe.model:
            start = folder / "start"
        for number in numbers:
            trials.append(try_stage(recipe, corpus, start, folder / str(number), number))
            log(as_line(trials[-1]))
            trim_memory()
    finally:
        if state.is_main_process:
            shutil.rmtree(folder, ignore_errors=True)
    free = shutil.disk_usage(out).free
    check_disk(trials, free, out, recipe.name)
    log(
        f"{recipe.name}: about {sum(trial.minutes for trial in trials):.0f} min in all, "
        f"{size(needed_bytes(trials))} of disk ({size(free)} free)"
    )
    return trials


def different_stages(recipes: Sequence[Recipe]) -> list[tuple[Recipe, list[int]]]:
    """(recipe, numbers of stages): the stages of many recipes, each different one once.

    Two stages are the same if their settings are, and those of model, rows and precision.  Learning
    rate and number of steps make no difference to one step.
    """
    seen: list[Any] = []
    chosen = []
    for recipe in recipes:
        about = (recipe.model, recipe.lora, recipe.max_length, recipe.packed, recipe.bf16)
        numbers = []
        for number, stage in enumerate(recipe.stages, 1):
            one_step = replace(stage, steps=1, warmup=0, learning_rate=1.0)
            if (about, one_step) not in seen:
                seen.append((about, one_step))
                numbers.append(number)
        if numbers:
            chosen.append((recipe, numbers))
    return chosen


def import_libraries(recipe: Recipe, numbers: Sequence[int]) -> None:
    """Import the libraries that TRL's options need; UsageError if one cannot be imported."""
    for number in numbers:
        for option, module in LIBRARIES.items():
            if not recipe.stages[number - 1].trl.get(option):
                continue
            try:
                import_module(module)
            except Exception as error:  # noqa: BLE001 - a broken library raises any class
                reason = one_line(str(error) or type(error).__name__)
                raise UsageError(
                    f"recipe {recipe.name}: stage {number}: trl.{option} needs {module}, which "
                    f"cannot be imported; install it with: pip install {module} ({reason})"
                ) from None


def try_stage(
    recipe: Recipe, corpus: Corpus, start: Path | None, folder: Path, number: int
) -> Trial:
    """Train one step of a stage.

    Args:
        recipe: The recipe.
        corpus: The release.
        start: Folder of the model to begin with; default: that of the recipe.
        folder: To write into.
        number: Of the stage, from 1.

    Raises:
        UsageError: It cannot be trained, for whatever reason.
    """
    name = stage_name(recipe, number)
    try:
        return _try_stage(recipe, corpus, start, folder, number)
    except BioreasonError:
        raise
    except KeyboardInterrupt:  # the trainer's own speaks of a checkpoint
        raise KeyboardInterrupt(f"{name}: the dry run was interrupted; nothing is kept") from None
    except Exception as error:  # noqa: BLE001 - TRL, accelerate and torch raise any class
        reason = one_line(str(error) or type(error).__name__)
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            raise UsageError(
                f"{name}: memory runs out in its largest step; split the step into more parts "
                f"(--set {number}.accumulate=N), or choose a smaller batch ({reason})"
            ) from None
        raise UsageError(f"{name}: it fails in its first step: {reason}") from None


def _try_stage(
    recipe: Recipe, corpus: Corpus, start: Path | None, folder: Path, number: int
) -> Trial:
    import torch

    stage = recipe.stages[number - 1]
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    draw = Draw(recipe.seed, ("stage", str(number), stage.kind))
    texts = {source: choose(corpus, source, draw) for source in stage.batch}
    prompts = choose(corpus, stage.prompts, draw) if stage.prompts else []
    model, tokenizer = load_start(recipe, corpus, start)
    model_bytes = sum(weight.nbytes for weight in model.parameters())
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    run = begin_stage(model, tokenizer, corpus, recipe, number, folder, log=_silent)
    torch.manual_seed(recipe.seed)
    minutes = stage_minutes(run, texts, prompts)
    if number == len(recipe.stages) or recipe.evaluate.get("each_stage"):
        minutes += evaluation_minutes(run)
    one_step = replace(run, stage=replace(stage, steps=1, save_every=1))
    longest_text = train_one_step(one_step, texts, prompts)
    return Trial(
        stage=run.name,
        kind=stage.kind,
        minutes=round(minutes, 2),
        longest=longest_text,
        model_bytes=model_bytes,
        checkpoint_bytes=bytes_in(folder / FOLDER),
        device_bytes=torch.cuda.max_memory_allocated() if gpu else 0,
    )


def load_start(
    recipe: Recipe, corpus: Corpus, start: Path | None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer that a trial begins with."""
    if start is None:  # trust was checked before
        return models.start(recipe, corpus, trust_remote_code=True)
    return models.load(start, models.options_of(recipe))


def train_one_step(run: StageRun, texts: dict[Source, list[Row]], prompts: list[Row]) -> int:
    """Train one step on the longest texts; returns the tokens of the longest one."""
    import torch

    batch = [(source, encode_longest(run, source, rows)) for source, rows in texts.items()]
    mixture = Mixture(batch, 1, run.draw)
    if run.stage.prompts is None:
        train_on(run, mixture)
        return most_tokens(mixture)
    asked = replace(run.stage.prompts, format="chain")
    gold = encode_longest(run, asked, prompts)
    rows = longest(prompts, asked.rows)
    if run.stage.kind == "rft":
        sample_answers(run, rows)
        train_on(run, mixture.with_source(asked, gold))  # a new model gives no right answer
    else:
        if torch.cuda.is_available():
            learn_samples(run, gold)
        repeats = -(-asked.rows // len(rows))
        train_grpo(run, StageData(mixture, (rows * repeats)[: asked.rows]))
    return most_tokens(mixture.with_source(asked, gold))


def learn_samples(run: StageRun, gold: Encoded) -> None:
    """Put a part of a GRPO step through the model, forward and backward, with gold chains.

    The trainer leaves out samples without an advantage, and those of a new model are all wrong: its
    own first step does not show how much of the GPU's memory later ones take.
    """
    from accelerate import PartialState

    stage = run.stage
    items = Mixture([(Source("gold", rows=len(gold)), gold)], 1, run.draw).step_items(0)
    samples = prompts_of(run.recipe, stage).rows * stage.samples
    part = samples // parts_of_step(stage.accumulate, PartialState().num_processes)
    items = (items * -(-part // len(items)))[:part]
    timed_batch(run.model, Collate(run.tokenizer.pad_token_id, packed=False)(items), run.recipe)


def encode_longest(run: StageRun, source: Source, rows: list[Row]) -> Encoded:
    """The `source.rows` longest texts, as token ids.

    Raises:
        UsageError: One is longer than the recipe's `max_length`.
    """
    chosen = longest(rows, max(LONGEST, source.rows))
    encoded = encode(chosen, source.format, run.tokenizer, run.recipe.max_length)
    order = np.argsort(-np.diff(encoded.ends, prepend=0), kind="stable")[: source.rows]
    most = [chosen[index] for index in order.tolist()]
    return encode(most, source.format, run.tokenizer, run.recipe.max_length)


def longest(rows: list[Row], count: int) -> list[Row]:
    """The `count` rows with most characters, the longest first."""
    return sorted(rows, key=_characters, reverse=True)[:count]


def _characters(row: Row) -> int:
    return len(row["text"]) if "text" in row else len(prompt_of(row)) + len(row["chain"])


def most_tokens(mixture: Mixture) -> int:
    return max(len(item["input_ids"]) for item in mixture)


def bytes_in(folder: Path) -> int:
    """Size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def needed_bytes(trials: Sequence[Trial]) -> int:
    """Room that the stages need: each leaves a model; of one stage there are two checkpoints."""
    checkpoints = max((trial.checkpoint_bytes for trial in trials), default=0)
    return sum(trial.model_bytes for trial in trials) + 2 * checkpoints


def check_disk(trials: Sequence[Trial], free: int, out: Path, name: str) -> None:
    """Raise ReleaseError if models and checkpoints do not fit into `free` bytes."""
    needed = needed_bytes(trials)
    if needed > free:
        raise ReleaseError(
            f"recipe {name} writes {size(needed)} into {out} and {size(free)} are free; free some "
            "space, or choose another --out"
        )


def as_line(trial: Trial) -> str:
    """A trial in words."""
    memory = f", {size(trial.device_bytes)} of GPU memory" if trial.device_bytes else ""
    return (
        f"{trial.stage}: one step works, longest text {trial.longest} tokens{memory}; about "
        f"{trial.minutes:.1f} min at this machine's speed now"
    )


def size(count: int) -> str:
    """A number of bytes in words, such as "3.1 MB"."""
    if count < 1_000_000_000:
        return f"{count / 1e6:.1f} MB"
    return f"{count / 1e9:.1f} GB"


def _silent(_: str) -> None:
    pass
