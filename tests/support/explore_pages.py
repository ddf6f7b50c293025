"""Pages of `bioreason explore` for tests: data taken out of them, answers, and hostile releases."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bioreason_bench.audit.report import Audit, manifest_digest, write_audit
from bioreason_bench.release.read import Release

HOSTILE = {  # in the place of a person's name, a value, a name of the preset
    "person": """</script><script>window.hacked = 1</script><img src=x onerror="hacked=1">'&amp;""",
    "value": """<svg onload=alert(1)>{script} [x](javascript:hacked=1) $& \\u202e %00 \u202e""",
    "preset": "<script>window.hacked = 1<img src=x onerror=hacked=1>{data}{style}{title}",
}


def data_of(page: Path) -> dict[str, Any]:
    """The data of a page, unpacked as a browser does; biographies with their person's name."""
    text = page.read_text(encoding="utf-8")
    packed = re.search(r'<script id="data"[^>]*>([A-Za-z0-9+/=]*)</script>', text)[1]
    data = json.loads(gzip.decompress(base64.b64decode(packed)))
    for group, texts in data["biographies"].items():
        named = zip(texts, data["people"], strict=True)
        data["biographies"][group] = [text and text.replace("\n", name) for text, name in named]
    return data


def write_answers(release: Path, folder: Path, config: str, count: int = 10) -> list[dict]:
    """A log as the harness writes it: every third answer has a wrong last hop."""
    release_ = Release(release)
    grader, lines = release_.grader(), []
    for number, row in enumerate(release_.table(config, "test").slice(0, count).to_pylist()):
        completion = " " + row["chain"]
        if number % 3 == 0:
            completion = completion.replace(row["answer"], "<b>Nobody & Nothing</b>")
        grade = grader.grade(completion, row)
        lines.append(
            {
                "doc": {
                    **row,
                    "source": str(release),
                    "grade": {
                        "first_error": grade.first_error,
                        "error_kind": grade.error_kind,
                        "failed_group": grade.failed_group,
                    },
                },
                "resps": [[completion]],
                "filtered_resps": [completion],
                **grade.metrics(),
            }
        )
    folder.mkdir(parents=True)
    log = folder / f"samples_bioreason_{config}_2026-01-01T00-00-00.000000.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "results_2026-01-01T00-00-00.000000.json").write_text('{"model_name": "a <model>"}')
    return lines


def write_small_audit(release: Path) -> None:
    """An audit.json in which two laws were checked, one of them broken, and two solvers scored."""
    audit = Audit(release, manifest_digest(release), 0)
    audit.ledger.check("unique names", "data/people", 180)
    audit.ledger.check_whole("relations", "data/relations", "the <b>relations</b> differ")
    right = {"questions": 40, "score": 1.0, "low": 0.9, "high": 1.0, "chance": 1.0}
    guess = {"questions": 14, "score": 0.142857, "low": 0.04, "high": 0.4, "chance": 0.25}
    audit.scores["comp_zeroshot"] = {
        "oracle": {**right, "shortcut": False},
        "context_only": {**guess, "shortcut": True},
    }
    write_audit(audit)


def make_hostile(folder: Path) -> tuple[str, str, str]:
    """Rename a person and a value everywhere in a release, and its preset.

    Returns:
        The names of the person and the value, and the id of a test question about both.
    """
    release = Release(folder)
    for row in release.rows("comp_iid", "test"):
        if row["answer_kind"] != "person" and row["pattern"].endswith("C"):
            break
    person, value = row["entities"][-2], row["answer"]
    new = {person: HOSTILE["person"], value: HOSTILE["value"]}

    def renamed(cell: Any) -> Any:
        if isinstance(cell, list):
            return [renamed(part) for part in cell]
        if isinstance(cell, str):
            for before, after in new.items():
                cell = cell.replace(before, after)
        return cell

    for path in folder.rglob("*.parquet"):
        table = pq.read_table(path)
        rows = [{name: renamed(cell) for name, cell in row.items()} for row in table.to_pylist()]
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["preset"] = manifest["config"]["preset"] = HOSTILE["preset"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return HOSTILE["person"], HOSTILE["value"], row["id"]
