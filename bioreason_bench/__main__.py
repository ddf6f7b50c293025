"""`python -m bioreason_bench` is `bioreason`."""

from bioreason_bench.cli import main

main(prog_name="bioreason")
