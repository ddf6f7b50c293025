"""The audit of a release, from its files alone.

1. `check_folder` checks manifest, schemas, shards, canary and what else is in the folder, and
   `check_card` the card: they are the same for every release.
2. A family of questions opens its files by `open_file` (directly, or in worker processes by
   `AuditRun.read_files`), which checks rows, digests and schemas. Then it checks its own laws.

The manifest names the family, and `Family.check` is a function from an `AuditRun` to the scores of
its solvers. That of people is in people.py; the others are in families/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bioreason_bench.audit.against import Known, check_official, check_rows_again
from bioreason_bench.audit.catalogue import laws_of
from bioreason_bench.audit.laws.card import check_card
from bioreason_bench.audit.reading.files import check_folder
from bioreason_bench.audit.report import Audit, check_report, manifest_digest
from bioreason_bench.audit.run import Advance, AuditRun
from bioreason_bench.family import family_of
from bioreason_bench.release.files import Files
from bioreason_bench.workers import available_cores

__all__ = ["verify"]


def verify(
    release: str | Path | Files,
    *,
    workers: int | None = None,
    sample: int = 0,
    against: int | Literal["own"] | None = None,
    known: Known | None = None,
    replaced: bool = False,
    advance: Advance = lambda stage, done, total: None,
) -> Audit:
    """Check a release against every law of the catalogue; only read it.

    A stage whose files cannot be read is the last one.

    Args:
        release: Its folder, or its files wherever they are.
        workers: The number of worker processes; all cores if None.
        sample: Solve only this many questions of each file, and read one paraphrase of each
            biography; 0 for all. Certificates, counts and files are checked completely.
        against: A seed: make every file again with this installation and this seed, and compare;
            "own" for the seed in the manifest.
        known: Digests of official releases, with which a release of their name is compared.
        replaced: Whether audit.json will be written anew, so that an old one need not fit.
        advance: Called with (stage, rows done, rows in total) as files are read.

    Raises:
        UsageError: There is no folder; or rows cannot be made again.
    """
    files = release if isinstance(release, Files) else Files(Path(release))
    audit = Audit(files.folder, manifest_digest(files.folder), sample)
    manifest = check_folder(files, audit.ledger)
    if manifest is not None:
        workers = available_cores() if workers is None else workers
        family = family_of(manifest)
        audit.ledger.laws = laws_of(family)
        check_card(files.folder, manifest, audit.ledger)
        run = AuditRun(files, manifest, audit.ledger, sample, workers, advance)
        audit.scores = family.check(run)
        check_official(manifest, known or {}, audit.ledger)
        if against is not None and not audit.ledger.broken_in("config"):
            check_rows_again(run, None if against == "own" else against)
    if not replaced:
        check_report(audit)
    return audit
