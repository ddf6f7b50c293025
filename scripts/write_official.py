"""Write down what the official release is: python scripts/write_official.py FOLDER

FOLDER is the release of preset v1, seed 42, with its audit:

    bioreason generate --out releases/v1 && bioreason verify releases/v1 --write

The evaluation checks every test file that it makes against these digests; a changed one needs a new version of the package
and a CHANGELOG entry under "Data".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bioreason_bench.evaluation.source import KNOWN, OFFICIAL
from bioreason_bench.release.read import Release


def main(folder: Path) -> None:
    release = Release(folder)
    found = (release.manifest["preset"], release.manifest["seed"])
    if found != OFFICIAL:
        sys.exit(
            f"{folder} is preset {found[0]}, seed {found[1]}, not the official release (preset {OFFICIAL[0]}, seed {OFFICIAL[1]})"
        )
    audit = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    tested = {
        file: entry["digest"]
        for file, entry in sorted(release.manifest["files"].items())
        if file.split("/")[-1].startswith("test-")
    }
    KNOWN.write_text(
        json.dumps({"digests": tested, "solvers": audit["solvers"]}, indent=1) + "\n",
        encoding="utf-8",
    )
    print(f"{len(tested)} digests and {len(audit['solvers'])} configs in {KNOWN}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
