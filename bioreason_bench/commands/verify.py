"""`bioreason verify`: check a release against every law, from its own text."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bioreason_bench.commands.parameters import COUNT, PATH_OR_URL, WORKERS
from bioreason_bench.commands.tables import score_table, table
from bioreason_bench.escaping import visible
from bioreason_bench.taxonomy import LEVELS, SKILLS

if TYPE_CHECKING:
    from tqdm import tqdm

    from bioreason_bench.audit.report import Audit, Scores

COMPOSING = [f"comp_{level}" for level in LEVELS]  # configs with a line for each shortcut


def _seed(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> int | Literal["own"] | None:
    """The seed to compare with: a whole number, "own" if none is given, None without the option."""
    if value is None:
        return None
    if value == "own":
        return "own"
    try:
        return int(value)
    except ValueError:
        problem = f"{value[:40]!r} is no seed; give a whole number, or put --against behind DIR"
        raise click.BadParameter(problem, context, parameter) from None


@click.command(name="verify")
@click.argument("place", metavar="DIR", type=PATH_OR_URL)
@click.option(
    "--sample",
    type=COUNT,
    default=0,
    metavar="N",
    help="Solve only N questions of each file, for a quick look.",
)
@click.option(
    "--against",
    is_flag=False,
    flag_value="own",
    default=None,
    metavar="SEED",
    callback=_seed,
    help="Make all rows again with this seed (if none is given, that of the manifest) and compare.",
)
@click.option(
    "--write",
    is_flag=True,
    help="Write the outcome to DIR/audit.json and, unless it was edited, to the data card.",
)
@click.option("--workers", type=WORKERS, help="Processes; all cores if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress; print broken laws only.")
def command(
    place: Path | str,
    sample: int,
    against: int | Literal["own"] | None,
    write: bool,
    workers: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Check the release in DIR from its own text; exit code 1 if any law is broken.

    Every sentence is read back to facts, and every question to its path, and solved. Certificates
    are computed again from the training files, digests from the rows. Solvers that take shortcuts
    are scored. Nothing is taken from the generator, so that a downloaded or edited folder can be
    checked as well.

    Who changes rows, digests and config together may keep every law. The official release is
    therefore compared with known digests; any other with rows made again, by --against.

    DIR may be a place in an object store or on the Hub, such as s3://bucket/name or
    hf://datasets/OWNER/NAME: files are downloaded one by one, and deleted when they are read.
    """
    from bioreason_bench.audit.report import audit_json
    from bioreason_bench.audit.verify import verify
    from bioreason_bench.evaluation.official import OFFICIAL, official
    from bioreason_bench.hub.store_card import write_outcome
    from bioreason_bench.scale.remote import files_at

    with files_at(place, write=write) as files, closing(_ProgressBar(hidden=quiet)) as bar:
        audit = verify(
            files,
            workers=workers,
            sample=sample,
            against=against,
            known={OFFICIAL: official()["digests"]},
            replaced=write,
            advance=bar.advance,
        )
        click.echo(audit_json(audit) if as_json else _report(audit, files.name, quiet))
        if write:
            write_outcome(files, audit)
    sys.exit(0 if audit.ok else 1)


class _ProgressBar:
    """One line on stderr for each stage: the share of its rows that are done."""

    def __init__(self, hidden: bool) -> None:
        self.hidden = hidden
        self.stage = ""
        self.bar: tqdm | None = None

    def advance(self, stage: str, done: int, total: int) -> None:
        if self.bar is None or stage != self.stage:
            self.close()
            self.stage, self.bar = stage, self._start(stage, total)
        self.bar.update(done - self.bar.n)

    def _start(self, stage: str, total: int) -> tqdm:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no monitor thread: worker processes are forked
        return tqdm(
            total=total,
            desc=stage,
            unit=" rows",
            unit_scale=True,
            disable=self.hidden,
            miniters=1,
            mininterval=0.1 if sys.stderr.isatty() else 5.0,
            dynamic_ncols=True,
        )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _report(audit: Audit, name: str, quiet: bool) -> str:
    """The laws that were checked, the scores, and a last line; with `quiet`, broken laws only."""
    laws = {
        law: entry
        for law, entry in audit.ledger.as_dict().items()
        if entry["checked"] and (entry["broken"] or not quiet)
    }
    width = max(map(len, laws), default=0)
    lines = []
    for law, entry in laws.items():
        state = "BROKEN" if entry["broken"] else "ok"
        counts = f"{entry['checked']:>11,} checked  {entry['broken']:>9,} broken"
        lines.append(f"{state:6}  {law:<{width}}  {counts}")
        if entry["broken"]:
            lines += [f"        {entry['text']}", f"        {audit.ledger.entries[law].first}"]
    if quiet:
        return "\n".join(map(visible, lines))
    if audit.scores:
        lines += ["", *_score_tables(audit.scores)]
    return "\n".join(map(visible, [*lines, "", _verdict(audit, name)]))


def _score_tables(scores: Scores) -> list[str]:
    """The scores by config, then those of the levels of comp with chance and interval."""
    from bioreason_bench.audit.solvers.solvers import SOLVERS

    general = {
        config: {
            name: score
            for name, score in solvers.items()
            if name in SOLVERS or config.partition("_")[0] not in SKILLS
        }
        for config, solvers in scores.items()
    }
    rows = [
        [config, name, f"{score['questions']:,}", *map(_percent, _shares(score))]
        for config, solvers in scores.items()
        if config in COMPOSING
        for name, score in solvers.items()
        if score["shortcut"]
    ]
    if not rows:
        return score_table(general)
    head = ["shortcuts, %", "", "questions", "score", "chance", "low", "high"]
    return [*score_table(general), "", *table([head, *rows], left=2)]


def _shares(score: Mapping[str, Any]) -> list[float]:
    return [score[name] for name in ("score", "chance", "low", "high")]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _verdict(audit: Audit, name: str) -> str:
    entries = [entry for entry in audit.ledger.entries.values() if entry.checked]
    checks, broken = sum(entry.checked for entry in entries), sum(entry.broken for entry in entries)
    part = f" (only {audit.sample} questions of each file were solved)" if audit.sample else ""
    return f"{name}: {len(entries)} laws, {checks:,} checks, {broken:,} broken{part}"
