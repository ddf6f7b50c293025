"""A release as a source of questions; perhaps only some of its files exist locally."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import ReleaseError, UsageError, suggest
from bioreason_bench.family import family_of
from bioreason_bench.grading.grader import Grader
from bioreason_bench.parquet import open_parquet
from bioreason_bench.world.relations import RelationTable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Fetch", "Source", "first_line"]

FEW = 256  # training questions that few-shot prompts are drawn from
Fetch = Callable[[str, str, int], list[Path]]


@dataclass(frozen=True)
class Source:
    """A release that fetches its files when they are read.

    Attributes:
        label: Where the data come from, for messages and logs.
        folder: The local folder, laid out as a release.
        language: The language of its texts.
        configs: Names of its configs of test questions.
        fetch: (folder, split, rows needed or 0 for all) -> its files, made or downloaded if
            necessary.
        relations: Reads its relation table.
        about: Its manifest, or what it would say of family, config and relations or definitions.
    """

    label: str
    folder: Path
    language: str
    configs: tuple[str, ...]
    fetch: Fetch
    relations: Callable[[], RelationTable]
    about: Callable[[], Mapping[str, Any]] = dict

    def table(self, folder: str, split: str, first: int = 0) -> pa.Table:
        """The rows of a split, in order.

        Args:
            folder: The folder inside data/, such as comp/zeroshot.
            split: The split.
            first: Number of rows; 0 for all.

        Raises:
            ReleaseError: There is no such file, or it cannot be read.
        """
        import pyarrow as pa

        files = self.fetch(folder, split, first)
        if not files:
            only_levels = "only the levels have validation questions; use the split test, or "
            raise ReleaseError(
                f"{self.label} has no file data/{folder}/{split}-*.parquet; "
                f"{only_levels if split == 'validation' else ''}"
                "generate or download the release again"
            )
        tables: list[pa.Table] = []
        rows = 0
        for file in files:
            if first and rows >= first:
                break
            try:
                with open_parquet(file) as parquet:
                    tables.append(parquet.read())
                tables[-1].validate(full=True)
            except (OSError, ValueError, pa.ArrowException) as error:
                raise ReleaseError(
                    f"{file} cannot be read ({first_line(error)}); generate or download it again"
                ) from None
            rows += tables[-1].num_rows
        whole = pa.concat_tables(tables)
        return whole.slice(0, first) if first else whole

    def few(self, skill: str) -> pa.Table:
        """The first training questions of a skill, for few-shot prompts."""
        return self.table(skill, "train", FEW)

    def parametric_biographies(self, people: Collection[str]) -> dict[str, str]:
        """Name -> first paraphrase of the parametric biography, for each of the people."""
        known = sum(self.table("people", "train")["known"].to_pylist())
        biographies = self.table("biographies", "parametric", known)
        texts = {
            row["person"]: row["text"]
            for row in biographies.select(["person", "rendering", "text"]).to_pylist()
            if row["rendering"] == 0 and row["person"] in people
        }
        if missing := sorted(set(people) - set(texts)):
            raise ReleaseError(
                f"{self.label} has no parametric biography of {missing[0]}; "
                "generate or download the release again"
            )
        return texts

    def require(self, config: str) -> None:
        """Raise UsageError if the source has no such config of questions."""
        if config not in self.configs:
            hint = suggest(config, self.configs, f"it has {', '.join(self.configs)}")
            raise UsageError(f"{self.label} has no questions {config!r}: {hint}")

    def grader(self) -> Grader:
        """The grader that knows all of the release: relations, names, values, definitions."""
        about = self.about()
        grader: Grader = family_of(about).grader(about, lambda name: self.table(name, "train"))
        return grader


def first_line(error: Exception) -> str:
    """The first line of an error's message."""
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]
