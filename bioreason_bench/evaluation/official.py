"""The official release: preset v1, seed 42, known by the digests of its test files.

Its files are made on first use.  Each is checked against the digest that every other installation
gets, so that scores on it can be compared.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.digest import digest_rows

__all__ = ["KNOWN", "OFFICIAL", "check_digest", "official"]

OFFICIAL = ("v1", 42)  # preset and seed
KNOWN = Path(__file__).with_name("official.json")  # written by scripts/write_official.py


@functools.cache
def official() -> dict[str, dict[str, Any]]:
    """What the package knows about the official release.

    Returns:
        `digests`, file -> digest of its rows; and `solvers`, the solvers' scores in its audit.
    """
    if not KNOWN.is_file():
        return {"digests": {}, "solvers": {}}
    return json.loads(KNOWN.read_text(encoding="utf-8"))


def check_digest(file: Path, name: str) -> None:
    """Compare a file of the official release with its known digest.

    Args:
        file: The file.
        name: Its name inside the release, data/comp/iid/test-00000-of-00001.parquet.

    Raises:
        ReleaseError: The rows differ from those of other installations.
    """
    known = official()["digests"].get(name)
    if known is None:
        return
    import pyarrow.parquet as pq

    digest = digest_rows(pq.read_table(file))
    if digest != known:
        raise ReleaseError(
            f"{file.name} has digest {digest[:19]}... instead of {known[:19]}...: "
            "this installation does not reproduce the official release; "
            "install the released version of bioreason-bench again"
        )
