"""audit.json: the outcome of an audit, its one writer and its one reader.

`bioreason verify DIR --write` writes it; the card and `bioreason publish` read it.

manifest   sha256 of the bytes of manifest.json: which release was audited
ok         whether no law is broken
sample     questions of each file that were solved, 0 for all
laws       {law: {text, checked, broken, first}}
solvers    {config: {solver: {score, chance, shortcut, ...}}}, shares of 1
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioreason_bench._version import __version__
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.errors import ReleaseError
from bioreason_bench.escaping import json_text
from bioreason_bench.inputs import read_json
from bioreason_bench.release.disk import locked, plain_errors, remove_leftovers, write_whole
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.validation import problems

__all__ = [
    "AUDIT",
    "Audit",
    "Scores",
    "audit_json",
    "check_audit",
    "manifest_digest",
    "read_audit",
    "write_audit",
]

AUDIT = "audit.json"
FORMAT = 1
VARYING = {"audit", "against", "official", "files"}  # laws whose counts depend on options
COUNTS = ("text", "checked", "broken")
TOLERANCE = 0.02  # of a score: as much as ties may make
Scores = dict[str, dict[str, dict[str, Any]]]  # config → solver → score, chance, shortcut, ...


@dataclass
class Audit:
    """The outcome of the audit of one release.

    Attributes:
        folder: The release.
        manifest: `manifest_digest` of the folder.
        sample: Questions of each file that were solved, 0 for all.
        ledger: Checks and violations by law.
        scores: Scores of the solvers, by config and solver.
    """

    folder: Path
    manifest: str
    sample: int
    ledger: Ledger = field(default_factory=Ledger)
    scores: Scores = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.ledger.broken

    def as_dict(self) -> dict[str, Any]:
        """The values of audit.json, as schemas/audit.schema.json describes them."""
        return {
            "format": FORMAT,
            "bioreason_bench": __version__,
            "manifest": self.manifest,
            "ok": self.ok,
            "sample": self.sample,
            "laws": self.ledger.as_dict(),
            "solvers": self.scores,
        }


def manifest_digest(folder: Path) -> str:
    """The sha256 of the bytes of manifest.json, of no bytes if there is no such file."""
    path = folder / MANIFEST
    content = path.read_bytes() if path.is_file() else b""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def audit_json(audit: Audit) -> str:
    """The text of audit.json, without a final newline."""
    return json_text(audit.as_dict(), indent=1)


def write_audit(audit: Audit) -> None:
    """Write audit.json into the folder of the release, completely or not at all.

    Raises:
        UsageError: The folder cannot be written.
        BioreasonError: No room is left.
    """
    path = audit.folder / AUDIT
    with (
        plain_errors(
            path,
            refused="leave out --write, or copy the release to a folder that can be written",
            full="make room and verify again",
        ),
        locked(path.with_name(f".{AUDIT}.lock"), wait=True),
    ):
        remove_leftovers(path)
        write_whole(path, audit_json(audit) + "\n")


def read_audit(folder: Path) -> dict[str, Any] | None:
    """Read audit.json of a release; None if there is none, ReleaseError if it is broken."""
    path = folder / AUDIT
    if not path.is_file():
        return None
    try:
        audit = read_json(path)
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path} cannot be read ({error}); {_write_again(folder)}") from None
    if wrong := problems("audit", audit):
        raise ReleaseError(f"{path} does not hold an audit: {wrong[0]}; {_write_again(folder)}")
    return audit


def check_report(audit: Audit) -> None:
    """Compare the audit.json of a release, if there is one, with the audit just made.

    Of another version of the package, or of a sample, it says other things; a score may differ
    between machines where two candidates are equal.
    """
    path = audit.folder / AUDIT
    if not path.exists():
        return
    try:
        report = read_audit(audit.folder)
    except ReleaseError:
        report = None
    problem = _report_problem(report, audit) if report else "cannot be read as an audit"
    audit.ledger.check_whole("audit", AUDIT, problem)


def _report_problem(report: Mapping[str, Any], audit: Audit) -> str | None:
    """What is wrong with an audit.json, None if nothing is; `audit` is the one just made."""
    if report["manifest"] != audit.manifest:
        return "is the audit of another release; write it again with --write"
    if report["ok"] != audit.ok and not report["sample"]:
        return f"says ok {report['ok']}, and {audit.ledger.broken:,} laws are broken"
    if report["bioreason_bench"] != __version__ or report["sample"] != audit.sample:
        return None
    for law, entry in audit.ledger.as_dict().items():
        found = report["laws"].get(law, {})
        if law not in VARYING and any(found.get(key) != entry[key] for key in COUNTS):
            return f"counts otherwise than this audit in the law {law!r}"
    return _scores_problem(report["solvers"], audit.scores)


def _scores_problem(found: Mapping[str, Any], scores: Scores) -> str | None:
    for config, solvers in scores.items():
        for solver, score in solvers.items():
            value = found.get(config, {}).get(solver, {}).get("score")
            if not isinstance(value, (int, float)) or abs(value - score["score"]) > TOLERANCE:
                return f"says {value} for the solver {solver} on {config}, it has {score['score']}"
    if extra := {config for config in found if config not in scores}:
        return f"has scores of {min(extra)}, which this audit has not"
    return None


def check_audit(folder: Path) -> dict[str, Any]:
    """Read the audit that allows a release to be published.

    Raises:
        ReleaseError: There is no audit, or it is of another release or of a sample, or it failed.
    """
    audit, path = read_audit(folder), folder / AUDIT
    if audit is None:
        raise ReleaseError(
            f"{folder} has no {AUDIT}, and only audited releases are published; "
            f"{_write_again(folder)}"
        )
    if audit["manifest"] != manifest_digest(folder):
        raise ReleaseError(f"{path} is the audit of another release; {_write_again(folder)}")
    if not audit["ok"]:
        broken = [law for law, entry in audit["laws"].items() if entry["broken"]]
        raise ReleaseError(
            f"{path} says that this release breaks: {', '.join(broken[:3]) or 'a law'}; "
            f"look with: bioreason verify {folder}"
        )
    if audit["sample"]:
        raise ReleaseError(
            f"{path} is of a sample of the release; {_write_again(folder)} (without --sample)"
        )
    return audit


def _write_again(folder: Path) -> str:
    return f"write it with: bioreason verify {folder} --write"
