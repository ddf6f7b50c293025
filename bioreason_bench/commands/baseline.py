"""`bioreason-baseline`: train a model with a recipe, evaluate it, reproduce the paper's finding.

Data goes to stdout, progress and messages to stderr; EXIT_CODES in errors.py lists the exit codes.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioreason_bench._version import __version__
from bioreason_bench.commands.errors import ErrorsAsSentences
from bioreason_bench.commands.parameters import COUNT, PATH, TRAINING_SEED, WORLD_SEED, Temperature
from bioreason_bench.errors import UsageError, quoted
from bioreason_bench.escaping import json_text, visible, without_token
from bioreason_bench.taxonomy import LEVELS

if TYPE_CHECKING:
    from bioreason_bench.training.data import Corpus
    from bioreason_bench.training.recipe import Recipe

__all__ = ["main"]

Log = Callable[[str], None]
STUDIES_OF = {"people": "main", "strings": "strings", "scan": "scan", "cogs": "cogs"}
CHILD_WAITS = 60.0  # seconds for the process of a killed `reproduce` to end


class Commands(ErrorsAsSentences):
    """The commands of `bioreason-baseline`, with its advice for interruptions and full disks."""

    program = "bioreason-baseline"
    on_interrupt = "interrupted; the same command continues where it stopped (train: with --resume)"
    on_full_disk = "; free some space and run again with --resume"
    on_little_memory = "choose a smaller batch, or a larger accumulate, with --set"


def to_stderr(text: str) -> None:
    click.echo(visible(without_token(text)), err=True)


def _logger(quiet: bool) -> Log:
    return (lambda _: None) if quiet else to_stderr


def _settings(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(
                f"--set {quoted(pair)}: write it as key=value, such as --set sft.steps=100"
            )
    return dict(pair.split("=", 1) for pair in pairs)


def _command() -> str:
    return without_token(shlex.join(["bioreason-baseline", *sys.argv[1:]]))


def _print_lines(lines: Sequence[dict[str, Any]]) -> None:
    for line in lines:
        click.echo(json_text(line))


def corpus_at(
    data: Path | None,
    preset: str,
    world_seed: int,
    log: Log = to_stderr,
    changes: Mapping[str, Any] | None = None,
) -> Corpus:
    """The release in `data`, or the preset's own in releases/, generated if it is not there.

    Args:
        data: Folder of a release.
        preset: Name of a preset.
        world_seed: Seed of the world.
        log: Prints one line.
        changes: Fields in which the world differs from the preset.
    """
    from bioreason_bench.training.data import Corpus

    if data is not None:
        return Corpus(data)
    changes = changes or {}
    marks = [f"{name}-{_mark(value)}" for name, value in changes.items()]
    folder = Path("releases") / "-".join([preset, str(world_seed), *marks])
    if not (folder / "manifest.json").is_file():
        from bioreason_bench.build import generate
        from bioreason_bench.family import family_of, load_settings

        log(f"generating release {preset}, seed {world_seed}, in {folder}")
        values = {**load_settings(preset, world_seed).as_dict(), **changes}
        generate(family_of(values).settings(values), folder)
    return Corpus(folder)


def _mark(value: Any) -> str:
    """A value as part of a folder's name: 3, or 2-3-4 for the keys of a table."""
    return "-".join(value) if isinstance(value, dict) else str(value)


RELEASE = click.option("--data", type=PATH, required=True, help="Folder of a release.")
SPLIT = click.option(
    "--split",
    type=click.Choice(["test", "validation"]),
    default="test",
    show_default=True,
    help="Which questions.",
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
    """Reference training: recipes for SFT, rejection fine-tuning and GRPO, and a report on runs."""


@main.command()
@click.argument("recipe", default="sft_mem_ctx+grpo")
@click.option(
    "--data",
    type=PATH,
    help="Folder of a release; default: the recipe's preset, generated in releases/.",
)
@click.option(
    "--world-seed",
    type=WORLD_SEED,
    default=42,
    show_default=True,
    help="Seed of the release, if it is generated.",
)
@click.option("--out", type=PATH, help="Folder of the run; default: runs/RECIPE-seedN.")
@click.option(
    "--seed", type=TRAINING_SEED, default=0, show_default=True, help="Seed of the training."
)
@SET
@click.option(
    "--sweep",
    "--ladder",
    "sweep",
    is_flag=True,
    help="One run for each value of the recipe's sweep; shared stages are trained once.",
)
@click.option(
    "--base",
    type=PATH,
    help="Folder of a run that has this recipe's first stages: continue from there.",
)
@click.option("--resume", is_flag=True, help="Continue a run where it stopped.")
@click.option(
    "--dry-run",
    "only_try",
    is_flag=True,
    help="Try one step of every stage, print a JSON line for each, and train nothing.",
)
@click.option(
    "--trust-remote-code",
    "trust",
    is_flag=True,
    help="Run the Python code that the model's repository holds. Read it first.",
)
@click.option("--child", is_flag=True, hidden=True, help="Stop when the parent process ends.")
@click.option(
    "--command", "made_by", default="", hidden=True, help="The command that run.json records."
)
@click.option("--list", "list_recipes", is_flag=True, help="List the shipped recipes and exit.")
@QUIET
def train(
    recipe: str,
    data: Path | None,
    world_seed: int,
    out: Path | None,
    seed: int,
    settings: tuple[str, ...],
    sweep: bool,
    base: Path | None,
    resume: bool,
    only_try: bool,
    trust: bool,
    child: bool,
    made_by: str,
    list_recipes: bool,
    quiet: bool,
) -> None:
    """Train with RECIPE (a shipped one or a YAML file), then evaluate on every level.

    The default is the reference recipe on the nano model: SFT on the two atomic skills, then GRPO.
    For several devices use `accelerate launch -m bioreason_bench.commands.baseline train ...`.
    FSDP, DeepSpeed and vLLM rollouts are TRL's; set them in accelerate's config and with options
    such as `--set grpo.trl.use_vllm=true`.

    A new run first trains one step of every stage on its longest texts and throws it away, so that
    what cannot be trained is known in the first minute; `--dry-run` does only that.
    """
    from dataclasses import asdict

    from bioreason_bench.training.interrupt import stop_with_parent
    from bioreason_bench.training.models.load import need_training
    from bioreason_bench.training.recipe import load_recipe
    from bioreason_bench.training.recipe_checks import check_trust
    from bioreason_bench.training.run import train as run
    from bioreason_bench.training.run import try_recipe

    if child:
        stop_with_parent()
    if list_recipes:
        _print_recipes()
        return
    overrides = {"seed": str(seed), **_settings(settings)}
    loaded = load_recipe(recipe, overrides)
    if trust and "name" in loaded.model:
        overrides["model.options.trust_remote_code"] = "true"
        loaded = load_recipe(recipe, overrides)
        to_stderr(f"warning: the Python code of model {loaded.model['name']} will be run")
    check_trust(loaded.model, trust, f"recipe {loaded.name}")
    need_training()
    log = _logger(quiet)
    folder = out or Path("runs") / f"{loaded.name.replace('/', '-')}-seed{loaded.seed}"
    runs = sweep_runs(recipe, overrides, folder) if sweep else [(loaded, folder)]
    corpus = corpus_at(data, loaded.preset, world_seed, log)
    log(f"{loaded.name}: {loaded.about}")
    options: dict[str, Any] = {
        "resume": resume,
        "log": log,
        "bar": not quiet,
        "command": made_by or _command(),
        "trust_remote_code": trust,
        "wait": CHILD_WAITS if child else 0.0,
        "try_first": not child,  # the parent has tried
    }
    for point_recipe, point_folder in runs:
        start = base or _base_in(runs, point_recipe, point_folder)
        if only_try:
            begun = start if start == base else None  # a sweep's first run is not there yet
            trials = try_recipe(
                point_recipe, corpus, point_folder, base=begun, log=log, trust_remote_code=trust
            )
            _print_lines([asdict(trial) for trial in trials])
            continue
        _print_lines(run(point_recipe, corpus, point_folder, base=start, **options))
        log(
            f"results are in {point_folder / 'results.jsonl'}; "
            f"bioreason-baseline report {point_folder} makes a page of them"
        )


def _base_in(runs: Sequence[tuple[Recipe, Path]], recipe: Recipe, folder: Path) -> Path | None:
    """The first run of a sweep, if this one is another and shares its first stages."""
    first_recipe, first_folder = runs[0]
    shared = folder != first_folder and first_recipe.shared_stages(recipe)
    return first_folder if shared else None


def _print_recipes() -> None:
    from bioreason_bench.training.recipe import read_part, recipe_names

    for name in recipe_names():
        part = read_part(name)
        label = name if "model" in part or "after" in part else f"...+{name}"
        click.echo(f"{label:<28} {part['about']}")


def sweep_runs(name: str, overrides: dict[str, str], folder: Path) -> list[tuple[Recipe, Path]]:
    """The recipe and the folder of each point of a sweep; UsageError if the recipe has none."""
    from bioreason_bench.training.recipe import load_recipe

    recipe = load_recipe(name, overrides)
    if not recipe.sweep:
        raise UsageError(
            f"recipe {recipe.name} has no sweep; give it one, such as "
            "sweep: {setting: 1.batch.comp.limit, values: [80, 800, 8000]}"
        )
    return [
        (load_recipe(name, {**overrides, **point}), folder.with_name(f"{folder.name}-{value}"))
        for value, point in recipe.sweep_points()
    ]


@main.command(name="eval")
@click.argument("model")
@RELEASE
@SPLIT
@click.option(
    "--config", "configs", multiple=True, help="A test set such as comp_zeroshot; default: all."
)
@click.option("--limit", type=COUNT, default=0, help="Questions of each test set; 0 for all.")
@click.option(
    "--batch",
    type=click.IntRange(1, 1_000_000),
    default=256,
    show_default=True,
    help="Questions at a time.",
)
@click.option("--out", type=PATH, help="Folder for every verdict, as JSON lines.")
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
    """Score MODEL (a folder or a Hub name) on a release; print one JSON line for each test set.

    The numbers equal those of `bioreason eval --model hf --model_args pretrained=MODEL` on the same
    data; this is faster for small models.
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
    loaded, tokenizer = models.load_to_measure(model)
    log = _logger(quiet)
    for line in measure(
        loaded, tokenizer, corpus, configs or known, split=split, limit=limit, batch=batch, out=out
    ):
        _print_lines([line])
        log(as_line(line))


@main.command()
@click.argument("models", nargs=-1, required=True)
@RELEASE
@click.option("--config", default="comp_zeroshot", show_default=True, help="Test set.")
@SPLIT
@click.option(
    "--samples",
    type=click.IntRange(1, 100_000),
    default=512,
    show_default=True,
    help="Completions of each question; the same for every model.",
)
@click.option("--limit", type=COUNT, default=100, show_default=True, help="Questions; 0 for all.")
@click.option(
    "--temperature", type=Temperature(), default=1.0, show_default=True, help="Of the samples."
)
@click.option("--seed", type=TRAINING_SEED, default=0, show_default=True, help="Of the samples.")
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
    """Compare pass@k of MODELS, the base first.

    Does training add answers that the base never gives, or make its rare ones more likely?

    The estimate is unbiased, with the same number of samples for every model, for answers and for
    whole chains. Prints one JSON line for each model: the curve, the log-likelihood of the gold
    chain, and the questions that this model solves and the base never does.
    """
    from bioreason_bench.experiments.passk import Sampling, measure_passk
    from bioreason_bench.training.data import Corpus
    from bioreason_bench.training.models.load import need_training

    need_training()
    _print_lines(
        measure_passk(
            models,
            Corpus(data),
            config,
            split=split,
            limit=limit,
            sampling=Sampling(samples, temperature, seed),
            log=_logger(quiet),
        )
    )


@main.command()
@click.argument("models", nargs=-1, required=True)
@RELEASE
@SPLIT
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="iid",
    show_default=True,
    help="Level of the questions.",
)
@click.option(
    "--limit",
    type=COUNT,
    default=200,
    show_default=True,
    help="Questions of each skill; 0 for all.",
)
@click.option(
    "--measure",
    "measures",
    multiple=True,
    type=click.Choice(["pca", "entropy", "ablation", "patching"]),
    help="This measure alone; repeatable. Default: all four.",
)
@click.option(
    "--out",
    type=PATH,
    default=Path("analysis"),
    show_default=True,
    help="Folder for measurements.jsonl, analysis.md and pictures.",
)
@QUIET
def analyse(
    models: tuple[str, ...],
    data: Path,
    split: str,
    level: str,
    limit: int,
    measures: tuple[str, ...],
    out: Path,
    quiet: bool,
) -> None:
    """Look inside MODELS, the base first, then after each stage.

    Four measures: hidden states by skill on common axes (pca), entropy along chains, what each part
    costs when its output is replaced by its mean (ablation), and which states, heads and paths
    bring the next person of a chain back (patching), each for recalled and for read hops.
    docs/analysis.md explains them. Prints one JSON line for each measurement.
    """
    from bioreason_bench.experiments.inside.analyse import MEASURES
    from bioreason_bench.experiments.inside.analyse import analyse as run
    from bioreason_bench.training.data import Corpus
    from bioreason_bench.training.models.load import need_training

    need_training()
    _print_lines(
        run(
            models,
            Corpus(data),
            out,
            level=level,
            split=split,
            limit=limit,
            measures=measures or MEASURES,
            log=_logger(quiet),
        )
    )


@main.command()
@click.option(
    "--preset",
    help="Preset of the worlds; default: that of the study (nano, for people).",
)
@click.option(
    "--data",
    type=PATH,
    help="Folder of a release for all seeds; default: a world for each seed, in releases/.",
)
@click.option(
    "--world-seed",
    type=WORLD_SEED,
    help="Seed of one world for all seeds; default: 42 + seed, a world for each.",
)
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    type=TRAINING_SEED,
    default=(0,),
    show_default=True,
    help="Seed of training; repeatable.",
)
@click.option(
    "--out",
    type=PATH,
    help="Folder of all runs; default: runs/STUDY.",
)
@click.option(
    "--study",
    help="Which arms: a shipped study, or a YAML file; default: main. --list names them.",
)
@click.option(
    "--family",
    type=click.Choice(list(STUDIES_OF)),
    help="The main study of a family of questions: --family strings is --study strings.",
)
@click.option(
    "--arm",
    "names",
    multiple=True,
    metavar="RECIPE",
    help="These recipes in place of the study's arms, with a run for each value of a recipe's "
    "sweep; or arms of the study; repeatable.",
)
@click.option(
    "--passk", "with_passk", is_flag=True, help="Measure pass@k of the study's main arms as well."
)
@click.option("--list", "list_studies", is_flag=True, help="List the shipped studies and exit.")
@click.option(
    "--workers",
    type=click.IntRange(0, 256),
    default=0,
    help="Arms side by side, one thread each; 0: one for each core.",
)
@SET
@QUIET
def reproduce(
    preset: str | None,
    data: Path | None,
    world_seed: int | None,
    seeds: tuple[int, ...],
    out: Path | None,
    study: str | None,
    family: str | None,
    names: tuple[str, ...],
    with_passk: bool,
    list_studies: bool,
    workers: int,
    settings: tuple[str, ...],
    quiet: bool,
) -> None:
    """Run a study: several arms from a common base, with a report that compares them.

    The main study asks for the paper's finding. Call the same command again with the same --out to
    continue where it stopped. Each seed has its own models. Unless --data or --world-seed is given,
    it also has its own world with its own unseen relations. Recipes are those made for the preset
    or its family (train --list). Stages that arms share are trained once.
    """
    from bioreason_bench.experiments.jobs import arms_of, make_arms, with_settings
    from bioreason_bench.experiments.reproduce import reproduce as run
    from bioreason_bench.experiments.studies import load_study, study_names
    from bioreason_bench.training.models.load import need_training

    if list_studies:
        for name in study_names():
            click.echo(f"{name:<12} {load_study(name).about}")
        return
    need_training()
    log = _logger(quiet)
    if study and family:
        raise UsageError("--study and --family both say what is run; give one of them")
    loaded = load_study(study or STUDIES_OF[family or "people"])
    corpora = {
        seed: corpus_at(
            data,
            preset or loaded.preset,
            42 + seed if world_seed is None else world_seed,
            log,
            loaded.world_settings(seed),
        )
        for seed in seeds
    }
    corpus = next(iter(corpora.values()))
    folders = (str(corpus.manifest["config"]["preset"]), corpus.family.name)
    arms = arms_of(loaded, folders, names)
    of_study = {arm.name for arm in arms}
    others = [name for name in names if name not in of_study]
    arms += make_arms(others, folders)
    page = run(
        corpora,
        out or Path("runs") / loaded.name,
        arms=with_settings(arms, _settings(settings)),
        workers=workers,
        log=log,
        command=_command(),
        study=None if others else loaded,
        with_passk=with_passk,
    )
    click.echo(page)


@main.command()
@click.argument("runs", nargs=-1, required=True, type=PATH)
@click.option(
    "--out",
    type=PATH,
    default=Path("report"),
    show_default=True,
    help="Folder for report.md, report.html, pictures, results.jsonl and verdicts.parquet.",
)
@QUIET
def report(runs: tuple[Path, ...], out: Path, quiet: bool) -> None:
    """Write a page (Markdown, and HTML in one file) about RUNS.

    RUNS are run folders, folders of them, or files of results (JSON lines). The folder of the page
    also gets results.jsonl and verdicts.parquet, from which the same page can be made again.
    """
    from bioreason_bench.experiments.report import make_report

    click.echo(make_report(runs, out, log=_logger(quiet)))


if __name__ == "__main__":
    main()
