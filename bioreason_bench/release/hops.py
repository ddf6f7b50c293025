"""Where the fact of each hop is stated: in the question's context, or only in training texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioreason_bench.questions.prompts import UNANSWERABLE

if TYPE_CHECKING:
    import pyarrow as pa

    from bioreason_bench.language.reader import Reader
    from bioreason_bench.release.read import Release

__all__ = [
    "CONTEXT",
    "WEIGHTS",
    "Hop",
    "find_hops",
    "first_biographies",
    "recalled_biographies",
    "recalled_people",
    "source_in_words",
]

WEIGHTS, CONTEXT = "weights", "context"


@dataclass(frozen=True)
class Hop:
    """One hop of a question, and the sentence that states its fact.

    Attributes:
        relation: The relation of the fact.
        subject: The person whom the fact is about.
        object: The person or value that the hop leads to.
        source: WEIGHTS if the fact is to be recalled, CONTEXT if it is to be read.
        biography: Number of the biography in the context, from 1; None for a recalled hop, or if
            the context does not state the fact.
        sentence: Number of the sentence in that biography (for a recalled hop: in the subject's
            parametric biography), from 1; None if no sentence was found.
        text: That sentence; None if no sentence was found.
    """

    relation: str
    subject: str
    object: str
    source: str
    biography: int | None = None
    sentence: int | None = None
    text: str | None = None

    @property
    def recalled(self) -> bool:
        return self.source == WEIGHTS


def find_hops(
    record: Mapping[str, Any], reader: Reader, recalled: Mapping[str, str] | None = None
) -> list[Hop]:
    """The hops of a question, in order.

    Args:
        record: The row of the question.
        reader: The reader of the release's relation table and language.
        recalled: Parametric biographies by person; with them the sentence of a recalled hop is
            found too.
    """
    biographies = record["context"].split("\n") if record["context"] else []
    opened = _is_open_book(record)
    hops = []
    for step, letter in enumerate(record["pattern"]):
        relation = record["path"][step]
        subject, reached = record["entities"][step], record["entities"][step + 1]
        if not biographies or (letter == "P" and not opened):
            training = [(recalled or {}).get(subject, "")]
            _, sentence, text = _find_statement(reader, training, subject, relation)
            hops.append(Hop(relation, subject, reached, WEIGHTS, None, sentence, text))
        else:
            statement = _find_statement(reader, biographies, subject, relation)
            hops.append(Hop(relation, subject, reached, CONTEXT, *statement))
    return hops


def _is_open_book(record: Mapping[str, Any]) -> bool:
    """Whether parametric facts are to be read, too: the context states one, or should."""
    stated = zip(record["pattern"], record.get("support", ()), strict=False)
    return record["level"] == UNANSWERABLE or any(
        letter == "P" and line >= 0 for letter, line in stated
    )


def source_in_words(hop: Hop, biographies: int) -> str:
    """Where the fact of a hop is stated, as a phrase.

    Args:
        hop: The hop.
        biographies: How many biographies the context of the question has.
    """
    if hop.recalled:
        return f"recalled from {hop.subject}'s parametric biography"
    if hop.biography is None:
        return "not stated in the context"
    return (
        f"read in the context, biography {hop.biography} of {biographies}, sentence {hop.sentence}"
    )


def _find_statement(
    reader: Reader, biographies: Iterable[str], subject: str, relation: str
) -> tuple[int | None, int | None, str | None]:
    """The first sentence that states this relation of the subject: (biography, sentence, text).

    Biographies and sentences are counted from 1; all three are None if no sentence states it.
    """
    for biography, lines in enumerate(biographies, 1):
        for number, sentence in enumerate(reader.biography_sentences(lines), 1):
            fact = reader.sentence(sentence)
            if fact and fact[:2] == (subject, relation):
                return biography, number, sentence
    return None, None, None


def recalled_biographies(release: Release, records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The parametric biographies, by person, from which these questions ask to recall facts."""
    if "parametric" not in release.splits("biographies"):
        return {}
    columns = ["person", "text"]
    batches = release.batches("biographies", "parametric", columns, rows=16_384)
    return first_biographies(recalled_people(records), batches)


def recalled_people(records: Iterable[Mapping[str, Any]]) -> set[str]:
    """The subjects of all recalled hops of these questions."""
    return {
        record["entities"][step]
        for record in records
        for step, letter in enumerate(record["pattern"])
        if letter == "P"
    }


def first_biographies(people: Set[str], batches: Iterable[pa.RecordBatch]) -> dict[str, str]:
    """The first biography of each of these people; stops reading once all are found.

    Args:
        people: Names.
        batches: Biographies with the columns `person` and `text`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    biographies: dict[str, str] = {}
    if not people:
        return biographies
    wanted = pa.array(sorted(people))
    for batch in batches:
        for row in batch.filter(pc.is_in(batch["person"], wanted)).to_pylist():
            biographies.setdefault(row["person"], row["text"])
        if len(biographies) == len(people):
            break
    return biographies
