"""`bioreason verify`: a release held to every law, from its own text."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioreason_bench.commands.tables import score_table

if TYPE_CHECKING:
    from bioreason_bench.audit.verify import Audit


@click.command(name="verify")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Solve only N questions of each file, for a quick look.",
)
@click.option(
    "--write", is_flag=True, help="Write what was found to DIR/audit.json, and nothing else."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes; all cores if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress; print broken laws only.")
def command(
    folder: Path, sample: int, write: bool, workers: int | None, as_json: bool, quiet: bool
) -> None:
    """Prove the release in DIR from its own text; exit code 1 if any law is broken.

    Every sentence is read back to facts, every question to its path, and solved; certificates are worked out again from the
    training files, digests from the rows; and shortcuts that need no model are scored. Nothing is taken from the generator, so
    that a downloaded or an edited folder can be verified as well.
    """
    from bioreason_bench.audit.verify import verify

    with closing(_Progress(shown=not quiet)) as bar:
        audit = verify(folder, workers=workers, sample=sample, advance=bar.advance)
    if write:
        _write(folder / "audit.json", audit)
    click.echo(
        json.dumps(audit.as_dict(), indent=1, ensure_ascii=False)
        if as_json
        else _text(audit, quiet)
    )
    sys.exit(0 if audit.ok else 1)


class _Progress:
    """One line on stderr: the stage, and the share of its rows that are done."""

    def __init__(self, shown: bool) -> None:
        self.shown, self.bar, self.stage = shown, None, ""

    def advance(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage != self.stage:
            self.close()
            tqdm.monitor_interval = 0  # no thread of its own beside the processes
            interval = 0.1 if sys.stderr.isatty() else 5.0
            self.stage = stage
            self.bar = tqdm(
                total=total,
                desc=stage,
                unit=" rows",
                unit_scale=True,
                disable=not self.shown,
                mininterval=interval,
                dynamic_ncols=True,
            )
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _write(path: Path, audit: Audit) -> None:
    """Whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(
            json.dumps(audit.as_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _text(audit: Audit, quiet: bool) -> str:
    laws = {
        law: entry
        for law, entry in audit.ledger.as_dict().items()
        if entry["checked"] and (entry["broken"] or not quiet)
    }
    wide = max(map(len, laws), default=0)
    lines = []
    for law, entry in laws.items():
        state = "BROKEN" if entry["broken"] else "ok"
        lines.append(
            f"{state:6}  {law:<{wide}}  {entry['checked']:>11,} checked  {entry['broken']:>9,} broken"
        )
        if entry["broken"]:
            first = entry["first"]
            row = "" if first["row"] is None else f" row {first['row']}"
            lines += [
                f"        {entry['text']}",
                f"        {first['file']}{row}: {first['expected']}",
            ]
    if audit.scores and not quiet:
        lines += ["", *score_table(audit.as_dict()["solvers"])]
    lines += [] if quiet else ["", _verdict(audit)]
    return "\n".join(lines)


def _verdict(audit: Audit) -> str:
    entries = [entry for entry in audit.ledger.entries.values() if entry.checked]
    checks, broken = sum(entry.checked for entry in entries), sum(entry.broken for entry in entries)
    part = f" (only {audit.sample} questions of each file were solved)" if audit.sample else ""
    return f"{audit.folder}: {len(entries)} laws, {checks:,} checks, {broken:,} broken{part}"
