"""Make `python -m bioreason_bench` run the command `bioreason`."""

from bioreason_bench.commands.main import main

main(prog_name="bioreason")
