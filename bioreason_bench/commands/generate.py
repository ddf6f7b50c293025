"""`bioreason generate`: write a release."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from bioreason_bench.errors import UsageError

WRITTEN = {
    "person": "people",
    "biography": "biographies",
    "question": "questions",
    "probe": "probes",
}


class Generate(click.Command):
    """The command, whose help lists the presets with the first line of their files."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        from bioreason_bench.config import PRESETS, preset_names

        notes = {
            name: (PRESETS / f"{name}.toml").read_text(encoding="utf-8").partition("\n")[0]
            for name in preset_names()
        }
        with formatter.section("Presets"):
            formatter.write_dl([(name, note.lstrip("# ")) for name, note in notes.items()])


@click.command(name="generate", cls=Generate)
@click.option(
    "--preset",
    default="v1",
    show_default=True,
    help="Name of a preset, or path to a preset of your own (.toml).",
)
@click.option(
    "--seed",
    type=int,
    default=42,
    show_default=True,
    help="Another seed gives another world, such as a private test set.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write; default: bioreason-PRESET-SEED.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a field of the preset; repeatable.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes; default: all cores. Does not change the rows.",
)
@click.option(
    "--shard-rows",
    type=click.IntRange(min=100),
    help="Approximate rows per file. Does not change the rows.",
)
@click.option(
    "--force", is_flag=True, help="Replace an existing release, once the new one is complete."
)
@click.option("--json", "as_json", is_flag=True, help="Print the number of rows as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no messages.")
def command(
    preset: str,
    seed: int,
    out: Path | None,
    settings: tuple[str, ...],
    workers: int | None,
    shard_rows: int | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a release: people, biographies, and questions graded by distance from the training set.

    \b
      bioreason generate --preset small --out small
      bioreason generate --set relations=my.toml --seed 7

    Package version, preset and seed determine every row, on any machine. To resume an interrupted
    run, run the same command again.
    """  # noqa: D301 - click reads \b
    from bioreason_bench.build import generate
    from bioreason_bench.config import load_preset
    from bioreason_bench.dataset import SHARD_ROWS

    began = time.perf_counter()
    config = load_preset(preset, seed).override(dict(_setting(text) for text in settings))
    out = out or Path(f"bioreason-{config.preset}-{config.seed}")
    manifest = generate(
        config,
        out,
        workers=workers,
        shard_rows=shard_rows or SHARD_ROWS,
        force=force,
        progress=not quiet,
    )
    rows: dict[str, int] = {}
    for entry in manifest["files"].values():
        rows[entry["schema"]] = rows.get(entry["schema"], 0) + entry["rows"]
    if as_json:
        written = {"path": str(out), "preset": config.preset, "seed": config.seed, "rows": rows}
        click.echo(json.dumps(written))
    elif not quiet:
        seconds = time.perf_counter() - began
        counts = [f"{rows[schema]:,} {name}" for schema, name in WRITTEN.items() if schema in rows]
        click.echo(f"{out}: {', '.join(counts)} in {seconds:.1f} s", err=True)


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {text!r} is not KEY=VALUE, such as --set comp.train=1000")
    return key.strip(), value.strip()
