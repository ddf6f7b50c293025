"""Where each hop of a question is to be found: recalled from a biography of the training data, or read in the context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioreason_bench.language.reader import Reader
    from bioreason_bench.release.read import Release

__all__ = ["CONTEXT", "WEIGHTS", "Hop", "find_hops", "recalled_biographies"]

WEIGHTS, CONTEXT = "weights", "context"


@dataclass(frozen=True)
class Hop:
    """One step of a chain, and where it stands."""

    relation: str
    subject: str
    object: str
    source: str  # "weights" (recall it) or "context" (read it)
    biography: int | None = (
        None  # of the context: 1 is the first; None where it is not stated there, and for weights
    )
    sentence: int | None = None  # of that biography: 1 is the first
    text: str | None = None  # the sentence that states it, None where none does

    @property
    def recalled(self) -> bool:
        return self.source == WEIGHTS


def find_hops(
    record: Mapping[str, Any], reader: Reader, recalled: Mapping[str, str] | None = None
) -> list[Hop]:
    """The hops of a question, in order.

    `recalled` gives parametric biographies by person, so that the sentence that taught a recalled hop can be quoted.
    """
    lines = record["context"].split("\n") if record["context"] else []
    hops = []
    for step, letter in enumerate(record["pattern"]):
        relation, subject, reached = record["path"][step], *record["entities"][step : step + 2]
        if letter == "P":
            place = _statement(reader, [(recalled or {}).get(subject, "")], subject, relation)
            hops.append(Hop(relation, subject, reached, WEIGHTS, None, place[1], place[2]))
        else:
            hops.append(
                Hop(
                    relation,
                    subject,
                    reached,
                    CONTEXT,
                    *_statement(reader, lines, subject, relation),
                )
            )
    return hops


def _statement(
    reader: Reader, lines: Iterable[str], subject: str, relation: str
) -> tuple[int | None, int | None, str | None]:
    """(biography, sentence, text) of the first sentence that states the relation of the subject, counted from 1."""
    for number, line in enumerate(lines, 1):
        for place, sentence in enumerate(reader.sentences(line), 1):
            fact = reader.sentence(sentence)
            if fact and fact[:2] == (subject, relation):
                return number, place, sentence
    return None, None, None


def recalled_biographies(release: Release, records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The first rendering of the parametric biography of everybody whose facts these questions ask to recall."""
    import pyarrow as pa
    import pyarrow.compute as pc

    people = {
        record["entities"][step]
        for record in records
        for step, letter in enumerate(record["pattern"])
        if letter == "P"
    }
    found: dict[str, str] = {}
    if people and "parametric" in release.splits("biographies"):
        wanted = pa.array(sorted(people))
        for batch in release.batches("biographies", "parametric", ["person", "text"], rows=16_384):
            for row in batch.filter(pc.is_in(batch["person"], wanted)).to_pylist():
                found.setdefault(row["person"], row["text"])
            if len(found) == len(people):
                break
    return found
