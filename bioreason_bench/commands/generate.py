"""`bioreason generate`: write a release."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioreason_bench.commands.parameters import PATH, PATH_OR_URL, WORKERS, WORLD_SEED
from bioreason_bench.errors import UsageError, quoted
from bioreason_bench.escaping import visible
from bioreason_bench.taxonomy import KIND_NAMES

if TYPE_CHECKING:
    from bioreason_bench.config import WorldConfig
    from bioreason_bench.family import Settings
    from bioreason_bench.scale.shares import Shares

WRITTEN = {  # by row schema
    "person": "people",
    "biography": "biographies",
    **dict.fromkeys(("question", *KIND_NAMES), "questions"),
    "probe": "probes",
}
TASKS = 100  # of an engine
FROM_FACTS = ("known", "novel", "in_context", "birth_years", "locale", "pool_sizes")


class Generate(click.Command):
    """The command, whose help lists the presets with the first line of their files."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        from bioreason_bench.family import all_presets, preset_path

        notes = {
            name: preset_path(name).read_text(encoding="utf-8").partition("\n")[0]
            for name in all_presets()
        }
        with formatter.section("Presets"):
            formatter.write_dl([(name, note.lstrip("# ")) for name, note in notes.items()])


@click.command(name="generate", cls=Generate)
@click.option(
    "--preset",
    show_default="v1; graph with --facts; published with --from",
    help="Name of a preset, or path to a preset of your own (.toml).",
)
@click.option(
    "--seed",
    type=WORLD_SEED,
    default=42,
    show_default=True,
    help="Another seed gives another world, such as a private test set.",
)
@click.option(
    "--out",
    type=PATH_OR_URL,
    help="Folder to write, or a place in an object store (s3://bucket/name) or on the Hub "
    "(hf://datasets/OWNER/NAME); default: bioreason-PRESET-SEED.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a field of the preset; repeatable.",
)
@click.option(
    "--facts",
    type=PATH,
    help="Facts of your own (.csv or .parquet with the columns subject, relation, object) in place "
    "of an invented world.",
)
@click.option(
    "--relations",
    type=PATH,
    help="A relation table of your own (.toml); default: the package's.",
)
@click.option(
    "--names",
    type=PATH,
    help="Names of the subjects of --facts in sentences (.csv or .parquet with the columns id, "
    "name); default: the subjects themselves.",
)
@click.option(
    "--from",
    "source",
    type=PATH,
    help="Folder of published files (SCAN, COGS, CFQ or GeoQuery), of which a release is made.",
)
@click.option(
    "--workers",
    type=WORKERS,
    help="Processes; default: all cores. Does not change the rows.",
)
@click.option(
    "--shard-rows",
    type=click.IntRange(100, 10_000_000),
    help="Approximate rows per file. Does not change the rows.",
)
@click.option(
    "--shards",
    metavar="A-B/N",
    help="Make only these shares of the files (0-9/400: the first ten of 400), as a part for "
    "bioreason merge; on any machine, in any order.",
)
@click.option(
    "--plan",
    "plan_file",
    type=PATH,
    help="File that keeps the plan of a large world, for further --shards: read if it is there, "
    "else written.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "slurm", "ray"]),
    help="Let datatrove run the tasks, which resume and are retried one by one; see docs/scale.md.",
)
@click.option(
    "--tasks",
    type=click.IntRange(1, 1_000_000),
    help="Tasks into which the files are dealt with --engine; default: 100.",
)
@click.option(
    "--engine-set",
    "engine_settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the engine, such as partition=cpu and time=4:00:00 for slurm; repeatable.",
)
@click.option(
    "--force", is_flag=True, help="Replace an existing release, once the new one is complete."
)
@click.option("--json", "as_json", is_flag=True, help="Print the number of rows as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no messages.")
def command(
    preset: str | None,
    seed: int,
    out: Path | str | None,
    settings: tuple[str, ...],
    facts: Path | None,
    relations: Path | None,
    names: Path | None,
    source: Path | None,
    workers: int | None,
    shard_rows: int | None,
    shards: str | None,
    plan_file: Path | None,
    engine: str | None,
    tasks: int | None,
    engine_settings: tuple[str, ...],
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a release: people, biographies, and questions graded by distance from the training set.

    \b
      bioreason generate --preset small --out small
      bioreason generate --relations my.toml --seed 7
      bioreason generate --facts triples.csv --relations my.toml --out mine

    Package version, preset and seed determine every row, on any machine. To resume an interrupted
    run, run the same command again.

    With --facts, your graph takes the place of the invented people: each subject is an entity, and
    has at most one object of each relation. Sizes that the graph cannot reach are reduced, with a
    warning; a size that you set yourself is an error instead (docs/data.md).
    """  # noqa: D301 - click reads \b
    from bioreason_bench.config import WorldConfig, own_fields
    from bioreason_bench.dataset import SHARD_ROWS
    from bioreason_bench.family import load_settings
    from bioreason_bench.scale.remote import writable_store_at
    from bioreason_bench.scale.shares import Shares

    shares = Shares.parse(shards) if shards else None
    _check_together(shares, engine, plan_file, force, bool(tasks or engine_settings), out)
    began = time.perf_counter()
    if preset is None:
        preset = "graph" if facts else "v1"
        preset = "published" if source else preset
    set_here = dict(_setting(text) for text in settings)
    files = {"facts": facts, "relations": relations, "names": names}
    files_given: dict[str, Any] = {
        name: str(path) for name, path in files.items() if path is not None
    }
    config = load_settings(preset, seed).override(set_here)
    if isinstance(config, WorldConfig):
        config = replace(config, **files_given)
        if config.facts:
            config = _fitted(config, set_here, own_fields(preset), quiet)
    elif files_given:
        option = next(iter(files_given))
        raise UsageError(f"--{option} is for worlds of people; leave it out with preset {preset}")
    if source is not None:
        if "source" not in config.as_dict():
            raise UsageError(f"--from is for published files; leave it out with preset {preset}")
        config = replace(config, source=str(source))
    out = out or _default_out(config, shares)
    if isinstance(out, str):
        out = writable_store_at(out).url
    how: dict[str, Any] = {"workers": workers, "shard_rows": shard_rows or SHARD_ROWS}
    how |= {"progress": not quiet, "plan_file": plan_file}
    made = _made(config, out, shares, engine, tasks, engine_settings, force, how)
    if isinstance(made, str):
        click.echo(made, err=True)
        return
    rows: Counter[str] = Counter()
    for entry in made:
        rows[entry["schema"]] += entry["rows"]
    if as_json:
        line = {"path": str(out), "preset": config.preset, "seed": config.seed, "rows": rows}
        click.echo(json.dumps(line))
    elif not quiet:
        _say_what_is_there(config, out, rows, time.perf_counter() - began)


def _say_what_is_there(
    config: Settings, out: Path | str, rows: Mapping[str, int], seconds: float
) -> None:
    """Print what was made."""
    from bioreason_bench.family import family_of

    written = WRITTEN | {family_of(config.as_dict()).schema: "questions"}
    counts: Counter[str] = Counter()
    for schema, name in written.items():
        counts[name] += rows.get(schema, 0)
    made = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    click.echo(f"{out}: {made} in {seconds:.1f} s", err=True)
    say_how_it_is_seen(out)


def say_how_it_is_seen(out: Path | str) -> None:
    """Print how visitors get to see a release that was drafted on the Hub."""
    from bioreason_bench.scale.hub_branch import repo_at
    from bioreason_bench.scale.urls import is_on_hub

    if isinstance(out, str) and is_on_hub(out):
        repo, _ = repo_at(out)
        click.echo(
            "visitors do not see it yet; next: "
            f"bioreason verify {out} --write && bioreason publish {out} --repo {repo}",
            err=True,
        )


def _made(
    config: Settings,
    out: Path | str,
    shares: Shares | None,
    engine: str | None,
    tasks: int | None,
    engine_settings: tuple[str, ...],
    force: bool,
    how: dict[str, Any],
) -> list[Any] | str:
    """What the manifest says of each file that was made, or what is still to be done."""
    from bioreason_bench.build import (
        generate,
        generate_by_engine,
        generate_part,
        generate_to_store,
    )
    from bioreason_bench.scale.urls import is_url

    if is_url(out):
        manifest = generate_to_store(config, str(out), shares=shares, **how)
        if manifest is None:
            return f"{out}: shares {shares} are there; then: bioreason merge {out} --out {out}"
        return list(manifest["files"].values())
    if shares:
        return [asdict(entry) for entry in generate_part(config, out, shares, **how).files.values()]
    if engine:
        del how["plan_file"]
        how |= {"tasks": tasks or TASKS, "settings": dict(map(_setting, engine_settings))}
        manifest = generate_by_engine(config, out, engine, force=force, **how)
        if manifest is None:
            return f"{out}: tasks are submitted; run this again when they are done"
        return list(manifest["files"].values())
    return list(generate(config, out, force=force, **how)["files"].values())


def _check_together(
    shares: Shares | None,
    engine: str | None,
    plan_file: Path | None,
    force: bool,
    engine_options: bool,
    out: Path | str | None,
) -> None:
    """Refuse options that do not go together."""
    if shares and force:
        raise UsageError("--force does not go with --shards; remove the part to make it again")
    if shares and engine:
        raise UsageError("--engine does not go with --shards; it deals all files to its tasks")
    if engine and plan_file:
        raise UsageError("--plan does not go with --engine, which keeps the plan with its tasks")
    if isinstance(out, str) and (engine or force):
        option = "--engine" if engine else "--force"
        raise UsageError(f"{option} does not go with --out {out}; it needs a folder")
    if engine_options and not engine:
        raise UsageError("--tasks and --engine-set need --engine, such as --engine local")


def _default_out(config: Settings, shares: Shares | None) -> Path:
    name = f"bioreason-{config.preset}-{config.seed}"
    return Path(f"{name}-{shares.first}-{shares.last}-of-{shares.total}" if shares else name)


def _fitted(
    config: WorldConfig, set_here: Collection[str], set_in_file: Collection[str], quiet: bool
) -> WorldConfig:
    """The configuration with the sizes that the facts can reach; say what was reduced."""
    from bioreason_bench.dataset.fit import fit_sizes

    for field in FROM_FACTS:
        if field in {key.partition(".")[0] for key in set_here}:
            raise UsageError(
                f"--set {field} does not go with facts of your own, which decide it; leave it out"
            )
    config, changes = fit_sizes(config, {*set_here, *set_in_file})
    if changes and not quiet:
        reduced = [f"{field} to {left:,} of {asked:,}" for field, (asked, left) in changes.items()]
        fewer = "; fewer distractors leave more" if config.distractors else ""
        click.echo(
            f"bioreason: {visible(Path(config.facts).name)} has fewer questions than preset "
            f"{config.preset} asks for; reduced {', '.join(reduced)}{fewer}",
            err=True,
        )
    return config


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {quoted(text)} is not KEY=VALUE, such as --set comp.train=1000")
    return key.strip(), value.strip()
