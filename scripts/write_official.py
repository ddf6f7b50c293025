"""Record what the official release is: python scripts/write_official.py FOLDER

FOLDER is the release of preset v1, seed 42, with its audit:

    bioreason generate --out releases/v1 && bioreason verify releases/v1 --write

The evaluation checks every test file that it makes against these digests.  A changed digest needs a
new version of the package and a CHANGELOG entry under "Data".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bioreason_bench.evaluation.official import KNOWN, OFFICIAL
from bioreason_bench.release.read import Release


def main(folder: Path) -> None:
    release = Release(folder)
    preset, seed = release.manifest["preset"], release.manifest["seed"]
    if (preset, seed) != OFFICIAL:
        sys.exit(
            f"{folder} is preset {preset}, seed {seed}, not the official release "
            f"(preset {OFFICIAL[0]}, seed {OFFICIAL[1]})"
        )
    solvers = json.loads((folder / "audit.json").read_text(encoding="utf-8"))["solvers"]
    digests = {
        file: entry["digest"]
        for file, entry in sorted(release.manifest["files"].items())
        if file.split("/")[-1].startswith("test-")
    }
    text = json.dumps({"digests": digests, "solvers": solvers}, indent=1) + "\n"
    KNOWN.write_text(text, encoding="utf-8")
    print(f"{len(digests)} digests and {len(solvers)} configs in {KNOWN}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
