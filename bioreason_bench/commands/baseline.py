"""`bioreason-baseline`: train any model with a recipe, see what it reaches, reproduce the paper's finding.

Data goes to stdout, progress and messages to stderr.  Exit code 0: done; 1: something written is broken; 2: wrong usage.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from bioreason_bench._version import __version__
from bioreason_bench.commands.errors import ErrorsAsSentences
from bioreason_bench.errors import UsageError

__all__ = ["main"]


class Commands(ErrorsAsSentences):
    program = "bioreason-baseline"
    on_interrupt = "interrupted; the same command goes on where it stopped (train: with --resume)"
    on_full_disk = "; free some space and run again with --resume"
    on_little_memory = "choose a smaller batch, or a larger accumulate, with --set"


def say(text: str) -> None:
    click.echo(text, err=True)


def _silent(_: str) -> None:
    pass


def _settings(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--set {pair}: write it as key=value, such as --set sft.steps=100")
    return dict(pair.split("=", 1) for pair in pairs)


def _command() -> str:
    return shlex.join(["bioreason-baseline", *sys.argv[1:]])


def corpus_at(data: Path | None, preset: str, world_seed: int, tell: Any = say) -> Any:
    """The release in `data`, or the preset's own in releases/, generated if it is not there."""
    from bioreason_bench.training.data import Corpus

    if data is not None:
        return Corpus(data)
    folder = Path("releases") / f"{preset}-{world_seed}"
    if not (folder / "manifest.json").is_file():
        from bioreason_bench.build import generate
        from bioreason_bench.config import load_preset

        tell(f"generating release {preset}, seed {world_seed}, in {folder}")
        generate(load_preset(preset, world_seed), folder)
    return Corpus(folder)


DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of a release; default: the recipe's preset, generated in releases/.",
)
WORLD = click.option(
    "--world-seed",
    default=42,
    show_default=True,
    help="Seed of the release, where it is generated.",
)
SET = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a field of the recipe, such as grpo.steps=300.",
)
QUIET = click.option("-q", "--quiet", is_flag=True, help="No progress.")


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="bioreason-baseline")
def main() -> None:
    """Reference training for bioreason: recipes for SFT, rejection fine-tuning and GRPO, and the report on them."""


@main.command()
@click.argument("recipe", default="sft_mem_ctx_grpo")
@DATA
@WORLD
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the run; default: runs/RECIPE-seedN."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the training.")
@SET
@click.option(
    "--ladder",
    is_flag=True,
    help="One run for each value of the recipe's ladder; stages that they share are trained once.",
)
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    help="Folder of a run whose first stages are this recipe's: go on from there.",
)
@click.option("--resume", is_flag=True, help="Go on where a run stopped.")
@click.option(
    "--command",
    "made_by",
    default="",
    hidden=True,
    help="The command to note down, where another one called this.",
)
@click.option("--list", "list_them", is_flag=True, help="Print the shipped recipes and leave.")
@QUIET
def train(
    recipe: str,
    data: Path | None,
    world_seed: int,
    out: Path | None,
    seed: int,
    settings: tuple[str, ...],
    ladder: bool,
    base: Path | None,
    resume: bool,
    made_by: str,
    list_them: bool,
    quiet: bool,
) -> None:
    """Train with RECIPE (a shipped one or a YAML file), then evaluate on every level.

    Without arguments: the reference recipe, SFT on the two atomic skills and then GRPO, on the nano model.  Under `accelerate launch
    -m bioreason_bench.commands.baseline train ...` the same runs on several devices; FSDP, DeepSpeed and vLLM rollouts are TRL's own, set
    by `--set grpo.trl.use_vllm=true` and accelerate's config.
    """
    from bioreason_bench.training.models.load import need_training
    from bioreason_bench.training.recipe import load_recipe, recipe_names
    from bioreason_bench.training.run import train as run

    if list_them:
        for name in recipe_names():
            click.echo(f"{name:<28} {load_recipe(name).about}")
        return
    need_training()
    chosen = {"seed": str(seed), **_settings(settings)}
    loaded = load_recipe(recipe, chosen)
    tell = _silent if quiet else say
    corpus = corpus_at(data, loaded.preset, world_seed, tell)
    folder = out or Path("runs") / f"{loaded.name.replace('/', '-')}-seed{loaded.seed}"
    if ladder and not loaded.ladder:
        have = ", ".join(name for name in recipe_names() if load_recipe(name).ladder)
        raise UsageError(f"recipe {loaded.name} has no ladder; those that have: {have}")
    tell(f"{loaded.name}: {loaded.about}")
    rungs = loaded.rungs() if ladder else [("", {})]
    before: tuple[Any, Path] | None = None
    for value, more in rungs:
        rung = load_recipe(recipe, {**chosen, **more})
        place = folder.with_name(f"{folder.name}-{value}" if value else folder.name)
        start = before[1] if base is None and before and before[0].shared_stages(rung) else base
        results = run(
            rung,
            corpus,
            place,
            base=start,
            resume=resume,
            say=tell,
            bar=not quiet,
            command=made_by or _command(),
        )
        before = before or (rung, place)
        for line in results:
            click.echo(json.dumps(line))
        tell(
            f"results are in {place / 'results.jsonl'}; bioreason-baseline report {place} makes a page of them"
        )


@main.command(name="eval")
@click.argument("model")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of a release.")
@click.option(
    "--split",
    type=click.Choice(["test", "validation"]),
    default="test",
    show_default=True,
    help="Which questions.",
)
@click.option(
    "--config", "configs", multiple=True, help="A test set such as comp_zeroshot; default: all."
)
@click.option("--limit", default=0, help="Questions a test set; 0 for all.")
@click.option("--batch", default=256, show_default=True, help="Questions at a time.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for every verdict, as JSON lines."
)
@QUIET
def evaluate(
    model: str,
    data: Path,
    split: str,
    configs: tuple[str, ...],
    limit: int,
    batch: int,
    out: Path | None,
    quiet: bool,
) -> None:
    """Score MODEL (a folder or a Hub name) on a release; prints one JSON line for each test set.

    The same numbers as `bioreason eval --model hf --model_args pretrained=MODEL` on the same data, faster for small models.
    """
    from bioreason_bench.training.data import Corpus
    from bioreason_bench.training.measure import as_line, configs_of, measure
    from bioreason_bench.training.models import load as models

    models.need_training()
    models.quiet()
    corpus = Corpus(data)
    known = configs_of(corpus, split)
    for config in configs:
        if config not in known:
            raise UsageError(f"{data} has no test set {config!r}; it has {', '.join(known)}")
    loaded, tokenizer = models.load(model)
    for line in measure(
        loaded, tokenizer, corpus, configs or known, split=split, limit=limit, batch=batch, out=out
    ):
        click.echo(json.dumps(line))
        if not quiet:
            say(as_line(line))


@main.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of a release.")
@click.option("--config", default="comp_zeroshot", show_default=True, help="Test set.")
@click.option(
    "--split",
    type=click.Choice(["test", "validation"]),
    default="test",
    show_default=True,
    help="Which questions.",
)
@click.option(
    "--samples",
    default=512,
    show_default=True,
    help="Completions a question; the same for every model.",
)
@click.option("--limit", default=100, show_default=True, help="Questions; 0 for all.")
@click.option("--temperature", default=1.0, show_default=True, help="Of the samples.")
@click.option("--seed", default=0, show_default=True, help="Of the samples.")
@QUIET
def passk(
    models: tuple[str, ...],
    data: Path,
    config: str,
    split: str,
    samples: int,
    limit: int,
    temperature: float,
    seed: int,
    quiet: bool,
) -> None:
    """pass@k of MODELS, the first being the base: does training open up what the base never reaches, or sharpen what it does?

    Unbiased, the same number of samples for every model, for answers and for whole chains; prints one JSON line a model: the curve, the
    log-likelihood of the gold chain, and which questions the base never solves and this model does.
    """
    from bioreason_bench.experiments.passk import compare
    from bioreason_bench.training.data import Corpus
    from bioreason_bench.training.models.load import need_training

    need_training()
    tell = _silent if quiet else say
    for line in compare(
        models,
        Corpus(data),
        config,
        split=split,
        samples=samples,
        limit=limit,
        temperature=temperature,
        seed=seed,
        say=tell,
    ):
        click.echo(json.dumps(line))


@main.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of a release.")
@click.option("--level", default="iid", show_default=True, help="Level whose questions are asked.")
@click.option("--limit", default=200, show_default=True, help="Questions a skill; 0 for all.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("analysis"),
    show_default=True,
    help="Folder for the pictures.",
)
@QUIET
def analyse(
    models: tuple[str, ...], data: Path, level: str, limit: int, out: Path, quiet: bool
) -> None:
    """How sure MODELS are of their chains (entropy a token), and their hidden states by skill (principal axes), before and after RL.

    Prints one JSON line a model, and draws a picture for each.
    """
    from bioreason_bench.experiments.analyse import analyse as run
    from bioreason_bench.training.data import Corpus
    from bioreason_bench.training.models.load import need_training

    need_training()
    for line in run(
        models, Corpus(data), out, level=level, limit=limit, say=_silent if quiet else say
    ):
        click.echo(json.dumps(line))


@main.command()
@click.option(
    "--preset",
    default="nano",
    show_default=True,
    help="Preset of the world; nano trains on two CPU cores.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of a release for all seeds; default: a world for each seed, in releases/.",
)
@click.option(
    "--world-seed",
    type=int,
    help="Seed of the one world for all seeds; default: 42 + seed, a world for each.",
)
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    type=int,
    default=(0,),
    show_default=True,
    help="Seed of training; may be given several times.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs/reproduce"),
    show_default=True,
    help="Folder of all runs.",
)
@click.option(
    "--full",
    is_flag=True,
    help="More arms: SFT(mem)+GRPO, SFT(ctx)+GRPO, rejection fine-tuning, answers alone, and pass@k.",
)
@click.option(
    "--arm",
    "arms",
    multiple=True,
    metavar="RECIPE",
    help="This recipe instead of the five, a run for each value if it has a ladder; may be given several times.",
)
@click.option(
    "--workers", default=0, help="Arms side by side, one thread each; 0: one for each core."
)
@SET
@QUIET
def reproduce(
    preset: str,
    data: Path | None,
    world_seed: int | None,
    seeds: tuple[int, ...],
    out: Path,
    full: bool,
    arms: tuple[str, ...],
    workers: int,
    settings: tuple[str, ...],
    quiet: bool,
) -> None:
    """The paper's finding in minutes: five arms, SFT(comp) and SFT(mem+ctx), each then with GRPO, and the control without RL.

    Goes on where it stopped when called again with the same --out.  Each seed has its own model and, unless --data or --world-seed is
    given, its own world with its own unseen relations.  Recipes are those made for the preset (nano, nano_english, small); what two arms
    share is trained once: `--arm sft_mem_ctx --arm few_shot` is one SFT on the two skills and a short run for each number of examples.
    """
    from bioreason_bench.experiments.reproduce import ARMS, FULL
    from bioreason_bench.experiments.reproduce import reproduce as run
    from bioreason_bench.training.models.load import need_training

    if full and arms:
        raise UsageError("--full and --arm: choose one of them")
    need_training()
    tell = _silent if quiet else say
    corpora = {
        seed: corpus_at(data, preset, 42 + seed if world_seed is None else world_seed, tell)
        for seed in seeds
    }
    page = run(
        corpora,
        out,
        recipes=arms or (FULL if full else ARMS),
        workers=workers,
        settings=_settings(settings),
        say=tell,
        command=_command(),
        with_passk=full,
    )
    click.echo(page)


@main.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("report"),
    show_default=True,
    help="Folder for report.md, report.html and pictures.",
)
@QUIET
def report(runs: tuple[Path, ...], out: Path, quiet: bool) -> None:
    """A page (Markdown, and HTML in one file) of RUNS: run folders, folders of them, or files of results (JSON lines)."""
    from bioreason_bench.experiments.report import make_report

    page = make_report(runs, out, say=_silent if quiet else say)
    click.echo(page)


if __name__ == "__main__":
    main()
