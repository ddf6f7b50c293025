"""The report of a study: `make_report` writes it as Markdown and as HTML, with pictures."""

from bioreason_bench.experiments.report.sections import make_blocks, make_report

__all__ = ["make_blocks", "make_report"]
