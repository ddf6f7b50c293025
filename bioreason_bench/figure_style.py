"""The style of every figure: one colour for what is recalled, one for what is read.

Figures stay readable in black and white: recalled is dark and dashed, read is lighter and solid,
and lines differ in marker and dash pattern as well as in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import MissingExtra
from bioreason_bench.release.disk import plain_errors, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "ANSWER",
    "CONTEXT",
    "DASHES",
    "ENTITY",
    "FAINT",
    "GREYS",
    "INK",
    "MARKERS",
    "READ",
    "RECALLED",
    "RECALLED_DASH",
    "figure_context",
    "pyplot",
    "require_matplotlib",
    "save_figure",
]

RECALLED, READ = "#1f4e9c", "#b4560f"  # a parametric hop, a contextual hop
RECALLED_DASH = (0, (3, 1.5))  # offset, (dash, gap) in line widths
INK, FAINT = "#1c2430", "#8b929b"  # text; what is not needed to answer
# (fill, edge) of a box:
ENTITY, ANSWER, CONTEXT = ("#eef2f7", "#56657a"), ("#fff3c9", "#8a6d1b"), ("#faf6f0", "#e3d5c0")
GREYS = ("#1b1b1b", "#5f6f8f", "#a9b7cf", "#dfe5ee", "#ffffff")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
RC = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 110,
    "hatch.linewidth": 0.7,
    "svg.hashsalt": "bioreason",  # the same SVG bytes on every run
}


def require_matplotlib() -> Any:
    """The matplotlib module; raises MissingExtra if it is not installed."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtra("matplotlib", "plot") from None
    return mpl


def figure_context() -> AbstractContextManager[None]:
    """A context manager within which figures have this style."""
    return require_matplotlib().rc_context(RC)


def pyplot() -> Any:
    """The module matplotlib.pyplot in this style, with a backend that needs no screen."""
    mpl = require_matplotlib()
    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: ICN001 - plt is this function

    pyplot.rcParams.update(RC)
    return pyplot


def save_figure(figure: Figure, stem: Path, formats: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write the figure as STEM.png, STEM.svg, ... and return the paths.

    Each file is complete or absent.  It holds no date, so the same figure gives the same bytes.
    """
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    written = []
    for suffix in formats:
        path = stem.with_name(f"{stem.name}.{suffix}")
        draw = partial(figure.savefig, format=suffix, dpi=150, metadata=undated.get(suffix))
        with plain_errors(path, refused="choose another folder for the figures"):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, draw)
        written.append(path)
    return written
