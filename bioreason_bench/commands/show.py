"""`bioreason show`: questions, with the source of each hop marked."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioreason_bench.commands.parameters import PATH
from bioreason_bench.errors import UsageError
from bioreason_bench.escaping import json_text, visible

if TYPE_CHECKING:
    from bioreason_bench.family import Step
    from bioreason_bench.release.hops import Hop
    from bioreason_bench.release.read import Release

Row = Mapping[str, Any]


@click.command(name="show")
@click.argument("folder", metavar="DIR", type=PATH)
@click.argument("config", required=False)
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 1_000_000),
    default=3,
    show_default=True,
    help="How many, spread over the split.",
)
@click.option("--split", help="Split to show; default: test, if there is one.")
@click.option("--id", "wanted", metavar="ID", help="The question with this id, in any config.")
@click.option(
    "--person", metavar="NAME", help="Everything about this person, in place of questions."
)
@click.option(
    "--context",
    "whole_context",
    is_flag=True,
    help="Print the whole context, with the sentences that answer a hop in brackets.",
)
@click.option(
    "--plot",
    type=PATH,
    metavar="FILE",
    help="Draw the chain of the first question (.png, .svg, .pdf).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the hops.")
def command(
    folder: Path,
    config: str | None,
    count: int,
    split: str | None,
    wanted: str | None,
    person: str | None,
    whole_context: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Show questions of DIR: each hop, whether it is recalled or read, and where it is stated.

    CONFIG is comp_zeroshot if not given. Rows of biographies, facts and the other tables are
    printed column by column. --person prints the facts and biographies of a person, the facts of
    others that lead to them, and the ids of all questions about them.
    """
    from bioreason_bench.release.read import Release

    release = Release(folder)
    if person is not None:
        others = {"CONFIG": config, "--id": wanted, "--split": split, "--plot": plot}
        _show_person(release, person, as_json, others)
        return
    if wanted:
        rows = [_find(release, wanted)]
    else:
        rows = _spread(release, *_choose_split(release, config, split), count)
    asks = bool(rows) and "question" in rows[0]
    if plot and not (asks and release.family.steps is None):
        _refuse_plot(release)
    if not asks:
        for row in rows:
            click.echo(json_text(row) if as_json else _table_row(row))
    elif release.family.steps:
        for row in rows:
            click.echo(_steps(row, release.family.steps(row), whole_context, as_json))
    else:
        _show_questions(release, rows, whole_context, as_json, plot)


def _refuse_plot(release: Release) -> None:
    if release.family.steps:
        raise UsageError("--plot draws questions about people; leave it out")
    configs = ", ".join(release.question_configs())
    raise UsageError(f"--plot draws questions; give one of the configs {configs}")


def _show_questions(
    release: Release, rows: Sequence[Row], whole_context: bool, as_json: bool, plot: Path | None
) -> None:
    hops = _hops(release, rows)
    for row, steps in zip(rows, hops, strict=True):
        if as_json:
            click.echo(json_text({**row, "steps": [asdict(hop) for hop in steps]}))
        else:
            click.echo(_question(row, steps, whole_context))
    if plot:
        from bioreason_bench.commands.chain import save_chain

        save_chain(rows[0], hops[0], plot)
        click.echo(f"{plot}: the chain of {rows[0]['id']}", err=True)


def _show_person(release: Release, name: str, as_json: bool, others: Mapping[str, Any]) -> None:
    """Print everything about a person; `others` are options that exclude --person."""
    from bioreason_bench.commands.person import person_text
    from bioreason_bench.explore.person import about_person

    for option, value in others.items():
        if value is not None:
            raise UsageError(f"--person and {option} exclude each other; leave out one of them")
    if release.family.steps:
        raise UsageError(f"--person shows people, and {release.path} has none; leave it out")
    about = about_person(release, name)
    click.echo(json_text(about) if as_json else person_text(about))


# which rows ---------------------------------------------------------------------------------------


def _choose_split(release: Release, config: str | None, split: str | None) -> tuple[str, str]:
    """The config and split to show: those asked for, or comp_zeroshot and test if they exist."""
    if config is None:
        preferred = [*release.family.shown, *release.question_configs()]
        configs = release.configs()
        config = next((name for name in preferred if name in configs), configs[0])
    splits = release.splits(config)
    return config, split or ("test" if "test" in splits else splits[0])


def _spread(release: Release, config: str, split: str, count: int) -> list[dict[str, Any]]:
    """`count` rows at equal distances."""
    total = release.count(config, split)
    count = min(count, total) or 1
    indices = sorted({total * k // count for k in range(count)} & set(range(total)))
    return list(release.rows_at(config, split, indices))


def _find(release: Release, wanted: str) -> dict[str, Any]:
    """The question, probe or biography with the id `wanted`; raises UsageError if there is none."""
    row = release.find(wanted)
    if row is not None:
        return row
    raise UsageError(
        f"{release.path} has no question, probe or biography with the id {wanted!r}; "
        f"bioreason show {release.path} prints some"
    )


def _hops(release: Release, rows: Sequence[Row]) -> list[list[Hop]]:
    from bioreason_bench.language.reader import Reader
    from bioreason_bench.release.hops import find_hops, recalled_biographies

    reader = Reader(release.relations, release.config.language)
    recalled = recalled_biographies(release, rows)
    return [find_hops(row, reader, recalled) for row in rows]


# text ---------------------------------------------------------------------------------------------


def _question(row: Row, hops: Sequence[Hop], whole_context: bool) -> str:
    """A question with its hops, its context and what training has seen of it."""
    from bioreason_bench.explore.words import certificate_in_words, other_columns

    width = min(110, shutil.get_terminal_size().columns)
    hop_count = f"{row['hops']} hop{'s' * (row['hops'] > 1)}"
    head = f"{row['skill']} {row['level']}, pattern {row['pattern']}, {hop_count}"
    lines = [
        "",
        f"{click.style(visible(row['id']), bold=True)}   {visible(head)}",
        *_wrap(row["question"], "  Q  ", width),
        *_wrap(row["answer"], "  A  ", width),
    ]
    for number, hop in enumerate(hops, 1):
        lines.append(_hop(number, hop))
        lines += _wrap(_source(hop, len(row["context_people"])), " " * 13, width)
    if whole_context and row["context"]:
        lines += ["  context", *_marked_context(row, hops, width)]
    elif row["context"]:
        people = f"{len(row['context_people'])} biographies: {', '.join(row['context_people'])}"
        lines += _wrap(people, "  context  ", width)
    lines += _wrap(certificate_in_words(row), "  training  ", width)
    for name, text in other_columns(row).items():
        lines += _wrap(text, f"  {name}  ", width)
    return "\n".join(lines)


def _steps(row: Row, steps: Sequence[Step], whole_context: bool, as_json: bool) -> str:
    """A question with the steps of its trace, its context and what training has seen of it."""
    from bioreason_bench.explore.words import exercise_in_words

    if as_json:
        return json_text({**row, "steps": [asdict(step) for step in steps]})
    width = min(110, shutil.get_terminal_size().columns)
    head = f"{row['skill']} {row['level']}, {row['pattern']}, {row['hops']} deep"
    lines = [
        "",
        f"{click.style(visible(row['id']), bold=True)}   {visible(head)}",
        *_wrap(row["question"], "  Q  ", width),
        *_wrap(row["answer"], "  A  ", width),
    ]
    for number, step in enumerate(steps, 1):
        name = f"{step.name} = " if step.name else ""
        text = f"{name}{step.operation} ( {', '.join(step.inputs)} ) = {step.result}"
        lines += _wrap(text, f"  {number:<3}", width)
    given = row["context"].split("\n") if row["context"] else []
    if whole_context:
        lines += [line for text in given for line in _wrap(text, "  context  ", width)]
    elif given:
        lines.append(f"  context  {len(given)} lines")
    lines += _wrap(exercise_in_words(row), "  training  ", width)
    return "\n".join(lines)


def _hop(number: int, hop: Hop) -> str:
    if hop.recalled:
        word = click.style("RECALL", fg="blue", bold=True)
    else:
        word = click.style("READ  ", fg="yellow", bold=True)
    reached = click.style(visible(hop.object), bold=True)
    return f"  {number}  {word}  {visible(hop.subject)} → {visible(hop.relation)} → {reached}"


def _source(hop: Hop, biographies: int) -> str:
    """Where the hop is stated, with the sentence; `biographies` are in the context."""
    if hop.recalled and hop.text:
        return f"from the weights; {hop.subject}'s biography says: “{hop.text}”"
    if hop.recalled:
        return "from the weights"
    if hop.biography is None:
        return "not stated in the context"
    return (
        f"in the context, biography {hop.biography} of {biographies}, "
        f"sentence {hop.sentence}: “{hop.text}”"
    )


def _marked_context(row: Row, hops: Sequence[Hop], width: int) -> list[str]:
    """The biographies of the context, with each sentence that answers a hop as [number: text]."""
    lines = []
    for number, biography in enumerate(row["context"].split("\n"), 1):
        text = biography
        for step, hop in enumerate(hops, 1):
            if hop.biography == number and hop.text:
                text = text.replace(hop.text, f"[{step}: {hop.text}]", 1)
        lines += _wrap(text, f"  {number:>3}  ", width)
    return lines


def _wrap(text: str, begin: str, width: int) -> list[str]:
    return textwrap.wrap(
        visible(text),
        width,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_on_hyphens=False,
    ) or [begin.rstrip()]


def _table_row(row: Row) -> str:
    from bioreason_bench.explore.words import plain

    return "\n".join(["", *(f"{name}: {visible(plain(value))}" for name, value in row.items())])
