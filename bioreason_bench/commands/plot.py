"""`bioreason plot`: pictures of what `bioreason eval --output_path` wrote."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="plot")
@click.argument("results", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--to", type=click.Path(path_type=Path), help="Folder for the pictures; OUT/plots if left out."
)
@click.option(
    "--audit",
    type=click.Path(path_type=Path),
    help="A release or its audit.json, whose shortcuts stand beside the bars.",
)
@click.option("-q", "--quiet", is_flag=True, help="Do not list the files.")
def command(results: Path, to: Path | None, audit: Path | None, quiet: bool) -> None:
    """Draw bars by skill and level, curves by hops and pattern, and pass@k, from the answers below OUT (PNG and SVG).

    Several models below one OUT stand side by side. What shortcuts and chance are worth is taken from the audit of the
    release that the questions are from, where it lies in a folder or is the official one.
    """
    from bioreason_bench.evaluation.plots import lines_of, plot_results, read_lines
    from bioreason_bench.evaluation.results import read_results

    answers = read_results(results)
    files = plot_results(
        answers, to or results / "plots", read_lines(audit) if audit else lines_of(answers)
    )
    if not quiet:
        click.echo("\n".join(str(file) for file in files))
