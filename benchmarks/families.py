"""Speed of the families other than people, in CPU seconds of one process: ratios, not minutes.

    python benchmarks/families.py strings
    python benchmarks/families.py strings --set train=10000

CPU seconds are those of the process itself, so that other load on the machine counts little.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.family import load_settings


def main() -> None:
    """Generate a release and verify it, each once, and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    changes = dict(text.split("=", 1) for text in arguments.set)
    settings = load_settings(arguments.preset, arguments.seed).override(changes)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "release"
        begin = time.process_time()
        manifest = generate(settings, out, workers=1)
        made = time.process_time()
        audit = verify(out, workers=1)
        checked = time.process_time()
    rows = sum(entry["rows"] for entry in manifest["files"].values())
    print(f"{arguments.preset}: {rows:,} rows")
    generating, verifying = made - begin, checked - made
    print(f"generate  {generating:7.2f} CPU s  {rows / generating:10,.0f} rows a second and core")
    print(f"verify    {verifying:7.2f} CPU s  {verifying / generating:10.2f} x generate")
    print(f"{audit.ledger.broken} laws broken")
    for config, solvers in audit.scores.items():
        scores = ", ".join(f"{name} {100 * entry['score']:.1f}" for name, entry in solvers.items())
        print(f"{config}: {scores}")


if __name__ == "__main__":
    main()
