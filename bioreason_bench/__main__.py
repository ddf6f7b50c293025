"""`python -m bioreason_bench` is `bioreason`."""

from bioreason_bench.commands.main import main

main(prog_name="bioreason")
