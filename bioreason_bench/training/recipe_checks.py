"""What a recipe may not hold: remote code, options that move a run's files, values without end.

The schema checks the fields; this module checks what a schema cannot say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bioreason_bench.errors import UsageError, one_line, quoted

VALUES = 20_000  # of a recipe, each alias of YAML counted wherever it is used
DEPTH = 20  # of tables and lists in each other

# Options of SFTConfig and GRPOConfig that are not passed on, and what to use instead.
REFUSED = {
    "output_dir": "use --out",
    "logging_dir": "the learning curve is in log.jsonl",
    "report_to": "the learning curve is in log.jsonl",
    "run_name": "use the recipe's name",
    "project": "the learning curve is in log.jsonl",
    "log_completions": "bioreason-baseline eval --out writes every answer",
    "log_completions_hub_repo": "upload the finished folder yourself",
    "push_to_hub": "upload the finished folder yourself",
    "resume_from_checkpoint": "use --resume",
    "overwrite_output_dir": "use another --out",
    "save_steps": "use save_every of the stage",
    "enable_jit_checkpoint": "Ctrl-C and SIGTERM save a checkpoint",
    "load_best_model_at_end": "a stage ends in its last model",
    "ignore_data_skip": "a resumed run must get the texts of an uninterrupted one",
    "auto_find_batch_size": "use accumulate of the stage",
    "max_steps": "use steps of the stage",
    "num_train_epochs": "use steps of the stage",
    "seed": "use the recipe's seed",
    "data_seed": "use the recipe's seed",
    "bf16": "use the recipe's bf16",
    "fp16": "use the recipe's bf16",
    "per_device_train_batch_size": "use batch, prompts and accumulate of the stage",
    "gradient_accumulation_steps": "use accumulate of the stage",
    "remove_unused_columns": "the trainer needs every column",
    "trust_remote_code": "use --trust-remote-code",
    "model_init_kwargs": "use model.options of the recipe",
    "chat_template_path": "use a model whose tokenizer has the template",
}
REFUSED_PREFIXES = {
    "save_": "use save_every of the stage",
    "hub_": "upload the finished folder yourself",
    "push_to_hub_": "upload the finished folder yourself",
    "trackio_": "the learning curve is in log.jsonl",
    "wandb_": "the learning curve is in log.jsonl",
    "eval_": "use evaluate of the recipe",
}


def check_values(values: Any, where: str) -> None:
    """Check that a recipe is made of plain values, finite, not too many and not too deep.

    Raises:
        UsageError: It is not; names the place.
    """
    waiting: list[tuple[Any, tuple[str, ...]]] = [(values, ())]
    for count in range(VALUES + 1):
        if not waiting:
            return
        value, place = waiting.pop()
        problem = _problem(value, place)
        if problem:
            raise UsageError(f"{where}: {one_line('.'.join(place) or 'the recipe', 60)} {problem}")
        if isinstance(value, Mapping):
            waiting += [(below, (*place, name)) for name, below in value.items()]
        elif isinstance(value, list):
            waiting += [(below, (*place, str(index))) for index, below in enumerate(value, 1)]
        if count + len(waiting) > VALUES:
            break
    raise UsageError(f"{where}: it has more than {VALUES:,} values; shorten it")


def _problem(value: Any, place: tuple[str, ...]) -> str:
    if len(place) > DEPTH:
        return f"is nested more than {DEPTH} deep; a recipe needs no such depth"
    if isinstance(value, Mapping):
        wrong = next((name for name in value if not isinstance(name, str)), None)
        return "" if wrong is None else f"has the field {quoted(wrong)}; put it in quotes"
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}; give a finite number"
    if value is None or isinstance(value, str | bool | int | float | list):
        return ""
    return f"is a {type(value).__name__}; put it in quotes"


def check_options(values: Mapping[str, Any], where: str) -> None:
    """Refuse options of the model and of TRL that are not safe, or that break a run.

    Raises:
        UsageError: There is one; says what to use instead.
    """
    if values["model"].get("options", {}).get("use_safetensors") is False:
        raise UsageError(
            f"{where}: model.options.use_safetensors: only safetensors are loaded, because other "
            "formats run code; convert the model first (save_pretrained writes safetensors)"
        )
    if values.get("lora") and "name" not in values["model"]:
        raise UsageError(
            f"{where}: lora trains adapters of a model that exists; give model.name, or leave out "
            "lora"
        )
    for number, stage in enumerate(values["stages"], 1):
        for name in stage.get("trl", {}):
            prefixes = (text for start, text in REFUSED_PREFIXES.items() if name.startswith(start))
            instead = REFUSED.get(name) or next(prefixes, "")
            if instead:
                raise UsageError(
                    f"{where}: stage {number}: trl.{one_line(name, 60)} is not passed on; {instead}"
                )


def check_trust(model: Mapping[str, Any], allowed: bool, where: str) -> None:
    """Refuse to run the Python code of a model unless the command line allows it.

    Raises:
        UsageError: The recipe asks for it and `allowed` is not set.
    """
    if model.get("options", {}).get("trust_remote_code") and not allowed:
        raise UsageError(
            f"{where}: model.options.trust_remote_code runs the Python code of "
            f"{one_line(str(model.get('name')), 80)}; read that code first, then allow it with: "
            "bioreason-baseline train --trust-remote-code"
        )
