"""The questions of the page: which are shown, and each with the sentences that support its hops."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bioreason_bench.explore.words import certificate_in_words, other_columns
from bioreason_bench.language.reader import Reader
from bioreason_bench.release.hops import Hop, find_hops, recalled_biographies
from bioreason_bench.release.read import Release
from bioreason_bench.schema import columns

__all__ = ["choose_indices", "question_splits", "questions_of"]


def question_splits(release: Release) -> list[tuple[str, str]]:
    """(config, split) of the test questions of every config, probes included."""
    return [
        (config, "test")
        for config in release.configs()
        if "test" in release.splits(config)
        and "question" in columns(_schema_of(release, config, "test"))
    ]


def _schema_of(release: Release, config: str, split: str) -> str:
    """The name of the schema of the rows of a split."""
    file = release.files(config, split)[0].relative_to(release.path).as_posix()
    return release.manifest["files"][file]["schema"]


def questions_of(
    release: Release, most: int, answered: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """Test questions of every config.

    Args:
        release: The release.
        most: About how many questions, shared by the configs.
        answered: Ids of questions to take before others.

    Yields:
        id, config, pattern, path, entities, question, answer, chain;
        context (a list of biographies) and people (whom each is about);
        hops (the values of a Hop, and `printed`: its sentence as the context prints it);
        training, and more (what only this kind of question has), both in words.
    """
    splits = question_splits(release)
    share = max(1, most // max(1, len(splits)))
    reader = Reader(release.relations, release.config.language)
    for config, split in splits:
        ids = release.table(config, split, ["id"])["id"].to_pylist()
        asked = [index for index, name in enumerate(ids) if name in answered]
        rows = list(release.rows_at(config, split, choose_indices(len(ids), asked, share, most)))
        recalled = recalled_biographies(release, rows)
        for row in rows:
            yield _question(row, config, find_hops(row, reader, recalled), reader)


def choose_indices(total: int, asked: Sequence[int], share: int, most: int) -> list[int]:
    """Row numbers of one split: those that were asked, then others at equal distances.

    Args:
        total: The number of rows.
        asked: Row numbers to take first, at most `most` of them.
        share: How many rows in all, if fewer were asked.
        most: The most rows.
    """
    chosen = set(asked[:most])
    for k in range(min(share, total)):
        if len(chosen) >= share:
            break
        chosen.add(total * k // min(share, total))
    return sorted(chosen)


def _question(
    row: Mapping[str, Any], config: str, hops: Sequence[Hop], reader: Reader
) -> dict[str, Any]:
    context = row["context"].split("\n") if row["context"] else []
    shown = ("id", "pattern", "path", "entities", "question", "answer", "chain")
    return {
        "config": config,
        **{name: row[name] for name in shown},
        "context": context,
        "people": row["context_people"],
        "hops": [{**asdict(hop), "printed": _printed(reader, context, hop)} for hop in hops],
        "training": certificate_in_words(row),
        "more": other_columns(row),
    }


def _printed(reader: Reader, context: Sequence[str], hop: Hop) -> str | None:
    """The sentence of a hop as the context prints it: with a pronoun, or joined to another.

    Facts that one sentence states together count as sentences of their own.
    """
    if hop.biography is None or hop.sentence is None:
        return None
    number = hop.sentence
    for sentence in reader.sentences(context[hop.biography - 1]):
        number -= len(reader.biography_sentences(sentence))
        if number <= 0:
            return sentence
    return None
