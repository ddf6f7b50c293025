"""Correct the claims of several studies together: `python scripts/all_claims.py FOLDER...`.

A report corrects the claims of its own study (Holm). The studies of people share worlds and arms;
this prints what is left of each claim when all of them are counted as one family.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from bioreason_bench.experiments.claims import findings_of
from bioreason_bench.experiments.evidence import read_evidence
from bioreason_bench.statistics.differences import holm


def main(folders: list[Path]) -> None:
    """Print the claims of the folders' studies by p, before and after the correction."""
    found = [(path.name, each) for path in folders for each in findings_of(read_evidence([path]))]
    ps = [each.test.p if each.test and not each.excluded else math.nan for _, each in found]
    corrected = holm([1.0 if math.isnan(p) else p for p in ps])
    print(f"{len(found)} claims; p before and after Holm's correction over all of them")
    for (study, each), p, after in sorted(
        zip(found, ps, corrected, strict=True), key=lambda row: row[2]
    ):
        claim = each.claim
        told = "does not count" if math.isnan(p) else f"{100 * each.test.value:+.1f}"
        print(f"{p:7.4f} {after:7.4f}  {study}: {claim.second} against {claim.first}, {told}")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
