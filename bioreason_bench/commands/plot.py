"""`bioreason plot`: figures of the answers that `bioreason eval --output_path` wrote."""

from __future__ import annotations

from pathlib import Path

import click

from bioreason_bench.commands.parameters import PATH


@click.command(name="plot")
@click.argument("results", metavar="OUT", type=PATH)
@click.option("--to", type=PATH, help="Folder for the figures; default: OUT/plots.")
@click.option(
    "--audit",
    type=PATH,
    help="A release or its audit.json, whose shortcut scores are drawn next to the bars.",
)
@click.option("-q", "--quiet", is_flag=True, help="Do not list the files.")
def command(results: Path, to: Path | None, audit: Path | None, quiet: bool) -> None:
    """Draw bars by skill and level, curves by hops and pattern, and pass@k, of the answers in OUT.

    Of questions with long contexts also maps by their length and the depth of what is needed.
    Several models below one OUT are drawn side by side, as PNG and SVG. The scores of shortcuts and
    of chance come from the audit of the release that the questions are from, if that is a folder or
    the official release.
    """
    from bioreason_bench.evaluation.figures.plots import plot_results
    from bioreason_bench.evaluation.results import read_results
    from bioreason_bench.evaluation.solver_scores import read_solver_scores, solver_scores_of

    answers = read_results(results)
    solvers = read_solver_scores(audit) if audit else solver_scores_of(answers)
    files = plot_results(answers, to or results / "plots", solvers)
    if not quiet:
        click.echo("\n".join(str(file) for file in files))
