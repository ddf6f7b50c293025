"""audit.json, as the card and `publish` read it: `bioreason verify DIR --write` is what writes it.

manifest   sha256 of the bytes of manifest.json: which release was audited
ok         whether no law was broken
sample     questions of each file that were solved, 0 for all
laws       {law: {text, checked, broken}}
solvers    {config: {solver: {score, chance, shortcut, ...}}}, shares of 1
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.manifest import MANIFEST

__all__ = ["AUDIT", "check_audit", "manifest_digest", "read_audit"]

AUDIT = "audit.json"


def manifest_digest(folder: Path) -> str:
    return f"sha256:{hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()}"


def read_audit(folder: Path) -> dict[str, Any] | None:
    """audit.json of a release, None where it has none; raises ReleaseError if it is broken."""
    path = folder / AUDIT
    if not path.is_file():
        return None
    try:
        audit = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path} cannot be read ({error}); {_again(folder)}") from None
    if not isinstance(audit, dict) or not {"manifest", "ok", "sample", "laws", "solvers"} <= set(
        audit
    ):
        raise ReleaseError(f"{path} does not hold an audit; {_again(folder)}")
    return audit


def check_audit(folder: Path) -> dict[str, Any]:
    """The audit of a release, if it is of this very release, whole, and passed; raises ReleaseError otherwise."""
    audit, path = read_audit(folder), folder / AUDIT
    if audit is None:
        raise ReleaseError(
            f"{folder} has no {AUDIT}, and only audited releases are published; {_again(folder)}"
        )
    if audit["manifest"] != manifest_digest(folder):
        raise ReleaseError(f"{path} is the audit of another release; {_again(folder)}")
    if not audit["ok"]:
        broken = [law for law, entry in audit["laws"].items() if entry["broken"]]
        raise ReleaseError(
            f"{path} says that this release breaks: {', '.join(broken[:3]) or 'a law'}; look with: bioreason verify {folder}"
        )
    if audit["sample"]:
        raise ReleaseError(
            f"{path} is of a sample of the release; {_again(folder)} (without --sample)"
        )
    return audit


def _again(folder: Path) -> str:
    return f"write it with: bioreason verify {folder} --write"
