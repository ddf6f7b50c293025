"""The model and tokenizer of a recipe: load them by name, or create them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import MissingExtra, UsageError, one_line, quoted
from bioreason_bench.escaping import without_token
from bioreason_bench.taxonomy import SKILLS
from bioreason_bench.training.data import Corpus, completion_of, prompt_of
from bioreason_bench.training.recipe import Recipe
from bioreason_bench.training.recipe_checks import check_trust
from bioreason_bench.training.strangers import renamed

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

LARGEST = 20_000_000_000  # parameters of a new model
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


def start(
    recipe: Recipe, corpus: Corpus, *, trust_remote_code: bool = False, revision: str = ""
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer that the first stage trains.

    Args:
        recipe: Names the model.
        corpus: The release that a new model's tokenizer is made from.
        trust_remote_code: Allow a recipe that asks for it to run the model's own code.
        revision: The commit to load in place of the recipe's revision.

    Raises:
        UsageError: The model cannot be loaded, or wants to run code that is not allowed.
    """
    check_trust(recipe.model, trust_remote_code, f"recipe {recipe.name}")
    if "name" in recipe.model:
        return load(
            recipe.model["name"], options_of(recipe), revision or recipe.model.get("revision")
        )
    return from_scratch(dict(recipe.model["from_scratch"]), corpus, recipe.seed)


def options_of(recipe: Recipe) -> dict[str, Any]:
    """How the model of a recipe is loaded: from the Hub, and again before each stage."""
    return dict(recipe.model.get("options", {}))


def load(
    name: str | Path, options: dict[str, Any] | None = None, revision: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a saved model and its tokenizer: safetensors only, all files of one commit.

    None of the model's own code is run, unless `options` has trust_remote_code.

    Args:
        name: A folder or a Hub name.
        options: For `from_pretrained` of the model.
        revision: Of the Hub repository; default: main.

    Raises:
        UsageError: The model cannot be loaded.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from bioreason_bench.training.models.nano import register

    register()
    options = {"dtype": "float32", "trust_remote_code": False, **(options or {})}
    options["use_safetensors"] = True
    with _loading(name):
        if not Path(name).is_dir():
            options["revision"] = _snapshot(str(name), revision).name
        model = AutoModelForCausalLM.from_pretrained(str(name), **options)
        pinned = {key: options[key] for key in ("revision", "trust_remote_code") if key in options}
        tokenizer = AutoTokenizer.from_pretrained(str(name), padding_side="left", **pinned)
        if "revision" in options:
            # TRL loads the reference model of GRPO by this name: the same files, not main.
            model.config._name_or_path = str(_snapshot(str(name), options["revision"]))
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def load_to_measure(name: str | Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a saved model and its tokenizer, onto the GPU if there is one; see `load`."""
    import torch

    model, tokenizer = load(name)
    if torch.cuda.is_available():
        model.to("cuda")
    return model, tokenizer


def commit_of(recipe: Recipe) -> str:
    """The commit of the recipe's model on the Hub now; "" for a folder or a new model.

    Raises:
        UsageError: The Hub has no such model, or cannot be reached.
    """
    name = recipe.model.get("name")
    if name is None or Path(name).is_dir():
        return ""
    with _loading(name):
        return _snapshot(name, recipe.model.get("revision")).name


def _snapshot(name: str, revision: str | None) -> Path:
    """The folder of a commit of a Hub repository in the cache; it bears the commit's name."""
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(name, "config.json", revision=revision)).parent


@contextmanager
def _loading(name: str | Path) -> Iterator[None]:
    """Turn whatever goes wrong with loading a model into one sentence without a token."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - transformers and the Hub's client raise any class
        reason = one_line(without_token(str(error) or type(error).__name__))
        raise UsageError(
            f"model {quoted(without_token(str(name)))} cannot be loaded; give a folder "
            f"with safetensors or a Hub name (offline: one in the cache): {reason}"
        ) from None


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
    tokenizer = make_tokenizer(texts_of(corpus), corpus.language, vocabulary)
    model_type = options.pop("model_type", "bioreason_nano")
    with _refused("model.from_scratch"):
        config = AutoConfig.for_model(model_type, **options)
    config.vocab_size = len(tokenizer)
    config.pad_token_id = tokenizer.pad_token_id
    config.eos_token_id = tokenizer.eos_token_id
    config.bos_token_id = None
    state = torch.random.get_rng_state()
    with _refused("model.from_scratch"):
        check_size(config)
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config)
    torch.random.set_rng_state(state)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model, tokenizer


def check_size(config: PreTrainedConfig) -> None:
    """Try a model on torch's device without memory: its sizes must fit, and not be too large.

    Raises:
        UsageError: It has more than LARGEST parameters.
        Exception: Of any class, for sizes that do not fit each other.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"), torch.no_grad():
        model = AutoModelForCausalLM.from_config(deepcopy(config))
        parameters = sum(weight.numel() for weight in model.parameters())
        if parameters > LARGEST:
            raise UsageError(
                f"model.from_scratch: {parameters:,} parameters; choose at most {LARGEST:,}"
            )
        model.set_experts_implementation("eager")  # its fast kernels want bfloat16 on this device
        try:
            # with a cache, since without one transformers looks at the values of position_ids
            model(input_ids=torch.zeros((1, 2), dtype=torch.long), use_cache=True)
        except NotImplementedError:
            return  # experts look at values: which token goes where
        except RuntimeError as error:
            if "meta tensors" not in str(error):  # this class looks at values all the same
                raise


@contextmanager
def _refused(where: str) -> Iterator[None]:
    """Turn whatever transformers and torch raise for wrong sizes into one sentence."""
    try:
        yield
    except (UsageError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - transformers and torch raise any class
        reason = one_line(str(error) or type(error).__name__)
        raise UsageError(f"{where}: no such model can be made: {reason}") from None


def texts_of(corpus: Corpus) -> Iterator[str]:
    """Texts with the whole vocabulary of a release.

    These are facts, biographies and relation names; in symbols also the names of strangers, in
    English training questions.
    """
    if corpus.family.steps:
        for name in corpus.training_sources():
            for row in corpus.source(name):
                yield prompt_of(row) + completion_of(row, "chain")
        return
    for row in corpus.source("facts"):
        yield f"{row['subject']} {row['relation']} {row['object']}"
    for row in corpus.source("biographies"):
        yield row["text"]
    for row in corpus.source("relations"):
        yield row["name"]
    if corpus.language == "symbols":
        yield from map(renamed, corpus.people)
    else:
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
