"""The model and tokenizer of a recipe: load them by name, or create them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import MissingExtra, UsageError
from bioreason_bench.taxonomy import SKILLS
from bioreason_bench.training.data import Corpus, completion_of, prompt_of
from bioreason_bench.training.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

QUESTIONS = 20_000  # training questions of a skill that an English tokenizer is made from


def need_training() -> None:
    """Raise MissingExtra unless everything that training needs is installed."""
    from importlib.util import find_spec

    for module in ("torch", "transformers", "accelerate", "trl"):
        if find_spec(module) is None:
            raise MissingExtra(module, "train")


def quiet() -> None:
    """Silence the progress bars and advice of the libraries; the command line reports instead."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    import warnings

    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", module=r"(torch|transformers|trl|accelerate)\..*")


def start(recipe: Recipe, corpus: Corpus) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer that the first stage trains."""
    if "name" in recipe.model:
        options = dict(recipe.model.get("options", {}))
        return load(recipe.model["name"], options, recipe.model.get("revision"))
    return from_scratch(dict(recipe.model["from_scratch"]), corpus, recipe.seed)


def load(
    name: str | Path, options: dict[str, Any] | None = None, revision: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a saved model and its tokenizer: safetensors only, and none of their code is run.

    Args:
        name: A folder or a Hub name.
        options: For `from_pretrained` of the model.
        revision: Of the Hub repository.

    Raises:
        UsageError: The model cannot be loaded.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from bioreason_bench.training.models.nano import register

    register()
    options = {
        "use_safetensors": True,
        "trust_remote_code": False,
        "dtype": "float32",
        **(options or {}),
    }
    pinned = {"revision": revision} if revision else {}
    try:
        model = AutoModelForCausalLM.from_pretrained(str(name), **options, **pinned)
        tokenizer = AutoTokenizer.from_pretrained(
            str(name), trust_remote_code=False, padding_side="left", **pinned
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"model {str(name)!r} cannot be loaded; give a folder with safetensors or a Hub name "
            f"(offline: one in the cache): {reason}"
        ) from None
    except Exception as error:
        # For a bad name or a missing network, huggingface_hub raises a dozen classes of its own.
        if type(error).__module__.startswith(("huggingface_hub", "httpx", "requests")):
            reason = " ".join(str(error).split())[:200]
            raise UsageError(
                f"model {str(name)!r} cannot be loaded: {reason}; give a local folder or a Hub name"
            ) from None
        raise
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def from_scratch(
    options: dict[str, Any], corpus: Corpus, seed: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Create a model with random weights, and a tokenizer from the texts of the release.

    Args:
        options: Fields of the model's config, and `model_type` (default: nano) and `vocabulary`.
        corpus: The release.
        seed: Of the weights; torch's global random state is left as it was.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from bioreason_bench.training.models.nano import register
    from bioreason_bench.training.models.tokenizer import make_tokenizer

    register()
    vocabulary = options.pop("vocabulary", 0)
    tokenizer = make_tokenizer(texts_of(corpus), corpus.config.language, vocabulary)
    model_type = options.pop("model_type", "bioreason_nano")
    try:
        config = AutoConfig.for_model(model_type, **options)
    except ValueError as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"from_scratch.model_type {model_type!r}: {reason}") from None
    config.vocab_size = len(tokenizer)
    config.pad_token_id = tokenizer.pad_token_id
    config.eos_token_id = tokenizer.eos_token_id
    config.bos_token_id = None
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    torch.random.set_rng_state(state)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model, tokenizer


def texts_of(corpus: Corpus) -> Iterator[str]:
    """Texts with the whole vocabulary of a release.

    These are facts, biographies and relation names; in English also training questions.
    """
    for row in corpus.source("facts"):
        yield f"{row['subject']} {row['relation']} {row['object']}"
    for row in corpus.source("biographies"):
        yield row["text"]
    for row in corpus.source("relations"):
        yield row["name"]
    if corpus.config.language != "symbols":
        for skill in SKILLS:
            for row in corpus.source(skill)[:QUESTIONS]:
                yield prompt_of(row) + completion_of(row, "chain")


def choose_bf16(recipe: Recipe) -> bool:
    """Whether to compute in bfloat16: as the recipe says, else where it is native."""
    return native_bf16() if recipe.bf16 is None else recipe.bf16


def native_bf16() -> bool:
    """Whether this machine's GPU, or else its CPU, has bfloat16 instructions."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return bool(
        getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
        or getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    )
