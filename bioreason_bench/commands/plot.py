"""`bioreason plot`: pictures of what `bioreason eval --output_path` wrote."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="plot")
@click.argument("results", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), help="Folder for the pictures; OUT/plots if left out.")
@click.option("--audit", type=click.Path(path_type=Path), help="A release, or its audit.json: its shortcuts stand beside the bars.")
@click.option("-q", "--quiet", is_flag=True, help="Do not list the files.")
def command(results: Path, to: Path | None, audit: Path | None, quiet: bool) -> None:
    """Draw bars by skill and level, curves by hops and pattern, and pass@k, from the answers below OUT (PNG and SVG).

    Several models below one OUT stand side by side.
    """
    from bioreason_bench.evaluation.plots import plot_results, read_lines
    from bioreason_bench.evaluation.results import read_results

    answers = read_results(results)
    files = plot_results(answers, to or results / "plots", read_lines(audit) if audit else None)
    if not quiet:
        click.echo("\n".join(str(file) for file in files))
