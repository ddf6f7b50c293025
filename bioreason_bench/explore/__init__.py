"""A release to look at: one page for a browser, everything about a person, what differs."""

from bioreason_bench.explore.page import write_page

__all__ = ["write_page"]
