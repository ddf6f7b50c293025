"""`bioreason show`: questions, with the source of each hop marked."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioreason_bench.errors import UsageError

if TYPE_CHECKING:
    from bioreason_bench.release.hops import Hop
    from bioreason_bench.release.read import Release


@click.command(name="show")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("config", required=False)
@click.option(
    "-n",
    "count",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How many, spread over the split.",
)
@click.option("--split", help="Split to show; test if there is one.")
@click.option("--id", "wanted", metavar="ID", help="The question with this id, wherever it is.")
@click.option(
    "--context",
    "whole",
    is_flag=True,
    help="Print the whole context, its sentences that answer a hop marked.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw the first one's chain (.png, .svg, .pdf).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the hops.")
def command(
    folder: Path,
    config: str | None,
    count: int,
    split: str | None,
    wanted: str | None,
    whole: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Show questions of DIR: each hop, whether it is to be recalled or read, and where it stands.

    CONFIG is comp_zeroshot if not given; biographies, facts and the other tables are shown as they are.
    """
    from bioreason_bench.release.read import Release

    release = Release(folder)
    rows = (
        [_find(release, wanted)]
        if wanted
        else _spread(release, *_split(release, config, split), count)
    )
    if rows and "question" not in rows[0]:
        if plot:
            raise UsageError(
                "--plot draws questions; give one of the configs "
                + ", ".join(release.question_configs())
            )
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False) if as_json else _plain(row))
        return
    hops = _hops(release, rows)
    for row, steps in zip(rows, hops, strict=True):
        if as_json:
            click.echo(
                json.dumps(row | {"steps": [asdict(hop) for hop in steps]}, ensure_ascii=False)
            )
        else:
            click.echo(_question(row, steps, whole))
    if plot:
        from bioreason_bench.commands.chain import save_chain

        save_chain(rows[0], hops[0], plot)
        click.echo(f"{plot}: the chain of {rows[0]['id']}", err=True)


def _split(release: Release, config: str | None, split: str | None) -> tuple[str, str]:
    """The config and split to show: what was asked for, else the most telling one there is."""
    if config is None:
        config = next(
            (
                name
                for name in ("comp_zeroshot", *release.question_configs())
                if name in release.configs()
            ),
            release.configs()[0],
        )
    splits = release.splits(config)
    return config, split or ("test" if "test" in splits else splits[0])


def _spread(release: Release, config: str, split: str, count: int) -> list[dict[str, Any]]:
    """`count` rows at equal distances."""
    total = release.count(config, split)
    places = sorted({total * k // count for k in range(count)} & set(range(total)))
    return list(_at(release, config, split, places))


def _at(release: Release, config: str, split: str, places: list[int]) -> Iterator[dict[str, Any]]:
    begin = 0
    for file in release.files(config, split):
        end = begin + release.rows_of(file)
        here = [place - begin for place in places if begin <= place < end]
        if here:
            table = release.read(file)
            yield from table.take(here).to_pylist()
        begin = end


def _find(release: Release, wanted: str) -> dict[str, Any]:
    """The question, probe or biography called `wanted`; raises UsageError if there is none."""
    import pyarrow.compute as pc

    for file, entry in release.manifest["files"].items():
        if entry["schema"] in ("question", "probe", "biography"):
            place = pc.index(release.read(release.path / file, ["id"])["id"], wanted).as_py()
            if place >= 0:
                return release.read(release.path / file).slice(place, 1).to_pylist()[0]
    raise UsageError(
        f"{release.path} has no question, probe or biography with the id {wanted!r}; bioreason show {release.path} prints some"
    )


def _hops(release: Release, rows: list[dict[str, Any]]) -> list[list[Hop]]:
    from bioreason_bench.release.hops import find_hops, recalled_biographies
    from bioreason_bench.language.reader import Reader

    reader = Reader(release.relations, release.config.language)
    recalled = recalled_biographies(release, rows)
    return [find_hops(row, reader, recalled) for row in rows]


def _question(row: dict[str, Any], hops: list[Hop], whole: bool) -> str:
    """A question as a person reads it."""
    from bioreason_bench.schema import columns

    width = min(110, shutil.get_terminal_size().columns)
    hops_in_words = f"{row['hops']} hop{'s' * (row['hops'] > 1)}"
    head = f"{click.style(row['id'], bold=True)}   {row['skill']} {row['level']}, pattern {row['pattern']}, {hops_in_words}"
    lines = [
        "",
        head,
        *_wrap(row["question"], "  Q  ", width),
        *_wrap(row["answer"], "  A  ", width),
    ]
    for number, hop in enumerate(hops, 1):
        word = (
            click.style("RECALL", fg="blue", bold=True)
            if hop.recalled
            else click.style("READ  ", fg="yellow", bold=True)
        )
        lines.append(
            f"  {number}  {word}  {hop.subject} → {hop.relation} → {click.style(hop.object, bold=True)}"
        )
        lines += _wrap(_where(hop, row), " " * 13, width)
    if whole and row["context"]:
        lines += ["  context", *_context(row, hops, width)]
    elif row["context"]:
        lines += _wrap(
            f"{len(row['context_people'])} biographies: {', '.join(row['context_people'])}",
            "  context  ",
            width,
        )
    lines += _wrap(_certificate(row), "  training  ", width)
    further = {
        name: value
        for name, value in row.items()
        if name not in columns("question") and name != "probe_of"
    }
    return "\n".join(
        [
            *lines,
            *(
                line
                for name, value in further.items()
                for line in _wrap(_words(value), f"  {name}  ", width)
            ),
        ]
    )


def _where(hop: Hop, row: dict[str, Any]) -> str:
    quoted = f": “{hop.text}”" if hop.text else ""
    if hop.recalled:
        return (
            f"from the weights; {hop.subject}'s biography says" + quoted
            if quoted
            else "from the weights"
        )
    if hop.biography is None:
        return "not stated in the context"
    return (
        f"in the context, biography {hop.biography} of {len(row['context_people'])}, sentence {hop.sentence}"
        + quoted
    )


def _certificate(row: dict[str, Any]) -> str:
    """What training has and has not shown of this question."""
    if row["level"] == "probe":
        return f"probe of {', '.join(row['probe_of'])}"
    says = ["path seen" if row["path_in_train"] else "path never seen"]
    says += (
        [f"unseen relations: {', '.join(row['unseen_relations'])}"]
        if row["unseen_relations"]
        else ["every relation seen"]
    )
    says += (
        [f"longer than any trained path by {row['hops_beyond_train']}"]
        if row["hops_beyond_train"]
        else []
    )
    says += [
        "this start on this path seen"
        if row["start_in_train"]
        else "this start on this path never seen"
    ]
    says += [] if row["direction_seen"] else ["a recalled fact is stated from the other end only"]
    return "; ".join([*says, f"{row['people_in_train']} of its people seen"])


def _context(row: dict[str, Any], hops: list[Hop], width: int) -> list[str]:
    """The biographies of the context; sentences that answer a hop stand in brackets with its number."""
    lines = []
    for number, text in enumerate(row["context"].split("\n"), 1):
        for step, hop in enumerate(hops, 1):
            if hop.biography == number and hop.text:
                text = text.replace(hop.text, f"[{step}: {hop.text}]", 1)
        lines += _wrap(text, f"  {number:>3}  ", width)
    return lines


def _wrap(text: str, begin: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_on_hyphens=False,
    ) or [begin.rstrip()]


def _plain(row: dict[str, Any]) -> str:
    return "\n".join(["", *(f"{name}: {_words(value)}" for name, value in row.items())])


def _words(value: object) -> str:
    return (
        " > ".join(value)
        if isinstance(value, list)
        else {True: "yes", False: "no"}[value]
        if isinstance(value, bool)
        else str(value)
    )
