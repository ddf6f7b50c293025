"""The model and tokenizer of a recipe: a name, or a fresh one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bioreason_bench.errors import MissingExtra, UsageError
from bioreason_bench.training.data import Corpus, completion_of, prompt_of
from bioreason_bench.training.recipe import Recipe


def need_training() -> None:
    """Raises MissingExtra unless what `train` needs is installed."""
    from importlib.util import find_spec

    for module in ("torch", "transformers", "accelerate", "trl"):
        if find_spec(module) is None:
            raise MissingExtra(module, "train")


def quiet() -> None:
    """No progress bars and no advice from the libraries; the command line says what goes on."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    import warnings

    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", module=r"(torch|transformers|trl|accelerate)\..*")


def start(recipe: Recipe, release: Corpus) -> tuple[Any, Any]:
    """(model, tokenizer) that the first stage trains."""
    if "name" in recipe.model:
        return load(
            recipe.model["name"],
            dict(recipe.model.get("options", {})),
            recipe.model.get("revision"),
        )
    return from_scratch(dict(recipe.model["from_scratch"]), release, recipe.seed)


def load(
    name: str | Path, options: dict[str, Any] | None = None, revision: str | None = None
) -> tuple[Any, Any]:
    """A saved model and its tokenizer, safetensors only, no code of theirs is run; UsageError if there is no such model."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options = {
        "use_safetensors": True,
        "trust_remote_code": False,
        "dtype": "float32",
        **(options or {}),
    }
    if revision:
        options["revision"] = revision
    try:
        model = AutoModelForCausalLM.from_pretrained(str(name), **options)
        tokenizer = AutoTokenizer.from_pretrained(
            str(name),
            trust_remote_code=False,
            padding_side="left",
            **({"revision": revision} if revision else {}),
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"model {str(name)!r} cannot be loaded; give a folder with safetensors or a Hub name (offline: one in the cache): {reason}"
        ) from None
    except Exception as error:  # huggingface_hub raises a dozen kinds for a name that it does not like or a network that is not there
        if type(error).__module__.startswith(("huggingface_hub", "httpx", "requests")):
            raise UsageError(
                f"model {str(name)!r} cannot be loaded: {' '.join(str(error).split())[:200]}; give a local folder or a Hub name"
            ) from None
        raise
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def from_scratch(options: dict[str, Any], release: Corpus, seed: int) -> tuple[Any, Any]:
    """A fresh model of `model_type` (default: nano) with the config `options`, and a tokenizer made from the release."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from bioreason_bench.training.models.tokenizer import make_tokenizer

    tokenizer = make_tokenizer(
        texts_of(release), release.config.language, options.pop("vocabulary", 0)
    )
    kind = options.pop("model_type", "bioreason_nano")
    try:
        config = AutoConfig.for_model(kind, **options)
    except ValueError as error:
        raise UsageError(
            f"from_scratch.model_type {kind!r}: {' '.join(str(error).split())[:200]}"
        ) from None
    config.vocab_size, config.pad_token_id, config.eos_token_id = (
        len(tokenizer),
        tokenizer.pad_token_id,
        tokenizer.eos_token_id,
    )
    config.bos_token_id = None
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    torch.random.set_rng_state(state)
    model.generation_config.pad_token_id, model.generation_config.eos_token_id = (
        tokenizer.pad_token_id,
        tokenizer.eos_token_id,
    )
    return model, tokenizer


def texts_of(release: Corpus):
    """The words that a model can meet in this release: all facts and biographies, and in English some training questions."""
    for row in release.source("facts"):
        yield f"{row['subject']} {row['relation']} {row['object']}"
    for row in release.source("biographies"):
        yield row["text"]
    for row in release.source("relations"):
        yield row["name"]
    if release.config.language != "symbols":
        for skill in ("mem", "ctx", "comp"):
            for row in release.source(skill)[:20_000]:
                yield prompt_of(row) + completion_of(row, "chain")


def native_bf16() -> bool:
    """Is bfloat16 worth while here: a GPU that has it, or a CPU with its own instructions for it?"""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return bool(
        getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
        or getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    )
