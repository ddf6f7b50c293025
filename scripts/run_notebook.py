"""Run the code of a notebook in one process and store what it prints, without Jupyter.

    python scripts/run_notebook.py docs/tour.ipynb            # run it and store the outputs
    python scripts/run_notebook.py docs/tour.ipynb --check    # exit code 1 if an output differs

Outputs are what a cell prints, the value of its last expression, and open figures of matplotlib.
Pictures are stored and not compared: their bytes depend on fonts.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import sys
from pathlib import Path

DPI = 80  # of pictures


def run(notebook: dict) -> list[list[dict]]:
    """The outputs of every code cell, in order; all cells share one namespace."""
    os.environ["MPLBACKEND"] = "agg"
    namespace: dict = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [_run_cell("".join(cell["source"]), namespace, n) for n, cell in enumerate(cells, 1)]


def _run_cell(source: str, namespace: dict, number: int) -> list[dict]:
    tree = ast.parse(source)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), namespace)  # noqa: S102 - our own notebook
        if last is not None:
            value = eval(compile(last, f"cell {number}", "eval"), namespace)  # noqa: S307
    outputs = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed.getvalue()})
    if value is not None:
        data = {"text/plain": repr(value)}
        outputs.append(
            {
                "output_type": "execute_result",
                "execution_count": number,
                "data": data,
                "metadata": {},
            }
        )
    return outputs + _figures()


def _figures() -> list[dict]:
    """The open figures of matplotlib as PNG; they are closed."""
    if "matplotlib.pyplot" not in sys.modules:
        return []
    plots = sys.modules["matplotlib.pyplot"]
    outputs = []
    for number in plots.get_fignums():
        buffer = io.BytesIO()
        plots.figure(number).savefig(buffer, format="png", dpi=DPI, bbox_inches="tight")
        picture = base64.b64encode(buffer.getvalue()).decode()
        data = {"image/png": picture, "text/plain": "<Figure>"}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
        plots.close(number)
    return outputs


def texts(outputs: list[dict]) -> list[str]:
    """What a cell shows as text."""
    shown = [one.get("text") or one.get("data", {}).get("text/plain", "") for one in outputs]
    return ["".join(text) for text in shown]


def main(path: str, *options: str) -> int:
    notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = run(notebook)
    if "--check" in options:
        differ = [
            number
            for number, (cell, outputs) in enumerate(zip(cells, found, strict=True), 1)
            if texts(cell["outputs"]) != texts(outputs)
        ]
        print(f"{path}: cells {differ} print something else" if differ else f"{path}: as stored")
        return int(bool(differ))
    for number, (cell, outputs) in enumerate(zip(cells, found, strict=True), 1):
        cell["outputs"], cell["execution_count"] = outputs, number
    Path(path).write_text(
        json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
