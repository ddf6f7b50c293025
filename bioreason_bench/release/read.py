"""Reading a release: the files that the manifest lists, in batches, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.config import WorldConfig, from_dict
from bioreason_bench.errors import ReleaseError, UsageError, suggest
from bioreason_bench.family import Family, Settings, family_of
from bioreason_bench.grading.grader import Grader
from bioreason_bench.inputs import Unreadable
from bioreason_bench.parquet import open_parquet
from bioreason_bench.release.files import Files
from bioreason_bench.release.manifest import MANIFEST, read_manifest
from bioreason_bench.schema import arrow_schema
from bioreason_bench.schema import columns as columns_of
from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.table import read_table

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["Release", "read_batches"]


class Release:
    """A release that `bioreason generate` wrote: a folder, or files that are fetched one by one.

    Opening it reads the manifest only.

    Raises:
        UsageError: There is no such folder.
        ReleaseError: The folder holds no complete release.
    """

    def __init__(self, path: str | Path | Files) -> None:
        self.fetched = path if isinstance(path, Files) else Files(Path(path))
        self.path = self.fetched.folder
        self.manifest: dict[str, Any] = read_manifest(self.path)
        self._check_configs()

    @cached_property
    def family(self) -> Family:
        return family_of(self.manifest)

    @cached_property
    def settings(self) -> Settings:
        """Everything that fixes the rows, for a release of any family."""
        settings: Settings = self.family.settings(self.manifest["config"])
        return settings

    @property
    def language(self) -> str:
        """The language of the texts: english, or symbols, in which every word is a token."""
        return str(self.manifest["config"].get("language", "symbols"))

    @cached_property
    def config(self) -> WorldConfig:
        """The configuration of a world of people."""
        return from_dict(self.manifest["config"])

    @cached_property
    def relations(self) -> RelationTable:
        """The relation table, with which every sentence can be read back."""
        return read_table(self.manifest["relations"])

    def grader(self) -> Grader:
        """The grader that knows all of this release: relations, names, values, definitions."""
        grader: Grader = self.family.grader(self.manifest, self.table)
        return grader

    def configs(self) -> list[str]:
        """The names of the configs (`comp_zeroshot`, `biographies`, ...), questions first."""
        return list(self.manifest["configs"])

    def question_configs(self) -> list[str]:
        """The configs whose rows are questions of several hops."""
        return [
            name
            for name, splits in self.manifest["configs"].items()
            if self._schema(next(iter(splits.values()))[0]) == self.family.schema
        ]

    def splits(self, config: str) -> list[str]:
        """The splits of a config, such as train, validation and test.

        Raises:
            UsageError: The release has no such config.
        """
        return list(self._config(config))

    def files(self, config: str, split: str) -> list[Path]:
        """The Parquet files of a split, in order.

        Raises:
            UsageError: The release has no such config, or the config no such split.
        """
        splits = self._config(config)
        if split not in splits:
            raise UsageError(
                f"config {config} of {self.path} has no split {split!r}; it has {', '.join(splits)}"
            )
        return [self.path / file for file in splits[split]]

    def count(self, config: str, split: str) -> int:
        """The number of rows of a split, from the manifest."""
        return sum(map(self.rows_of, self.files(config, split)))

    def rows_of(self, file: Path) -> int:
        """The number of rows of a file, from the manifest."""
        return self.manifest["files"][file.relative_to(self.path).as_posix()]["rows"]

    def read(self, file: Path, columns: Sequence[str] | None = None) -> pa.Table:
        """One file in memory.

        Raises:
            ReleaseError: The file is missing or broken, or not what the manifest says.
        """
        import pyarrow as pa

        return pa.Table.from_batches(
            self._batches(file, columns, rows=65_536), self._arrow_schema(file, columns)
        )

    def rows_at(self, config: str, split: str, indices: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The rows of a split at these indices, which count through all its files."""
        begin = 0
        for file in self.files(config, split):
            end = begin + self.rows_of(file)
            in_file = [index - begin for index in indices if begin <= index < end]
            if in_file:
                yield from self.rows_in(file, in_file)
            begin = end

    def rows_in(self, file: Path, indices: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The rows of a file at these indices, in order; reads their row groups only.

        Raises:
            ReleaseError: The file is missing or broken.
        """
        wanted, begin = sorted(indices), 0
        with _one_sentence(file), self._opened(file) as path, open_parquet(path) as parquet:
            _check_footer(parquet, self._arrow_schema(file, None), self.rows_of(file))
            for number in range(parquet.num_row_groups):
                end = begin + parquet.metadata.row_group(number).num_rows
                inside = [index - begin for index in wanted if begin <= index < end]
                if inside:
                    group = parquet.read_row_group(number)
                    for batch in group.to_batches():
                        _check_batch(batch)
                    yield from group.take(inside).to_pylist()
                begin = end

    def find(self, wanted: str) -> dict[str, Any] | None:
        """The row with this id, in whatever file; None if there is none.

        Files of the folder that the id names are looked at first, ids only, and of the file that
        holds it one row group is read.

        Raises:
            ReleaseError: A file is missing or broken.
        """
        import pyarrow.compute as pc

        files = [file for file in self.manifest["files"] if "id" in columns_of(self._schema(file))]
        for name in sorted(files, key=lambda file: -_named(wanted, file)):
            file, begin = self.path / name, 0
            for batch in self._batches(file, ["id"], rows=65_536):
                index = pc.index(batch["id"], wanted).as_py()
                if index >= 0:
                    return next(self.rows_in(file, [begin + index]))
                begin += batch.num_rows
        return None

    def batches(
        self,
        config: str,
        split: str = "train",
        columns: Sequence[str] | None = None,
        rows: int = 2048,
    ) -> Iterator[pa.RecordBatch]:
        """All rows of a split as Arrow batches of at most `rows`.

        Raises:
            UsageError: The release has no such config, or the config no such split.
            ReleaseError: A file is missing or broken.
        """
        return (
            batch
            for file in self.files(config, split)
            for batch in self._batches(file, columns, rows)
        )

    def _batches(
        self, file: Path, columns: Sequence[str] | None, rows: int
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a file, which has the columns and the number of rows of the manifest."""
        schema = self._arrow_schema(file, columns)
        with self._opened(file) as path:
            yield from read_batches([path], columns, rows, schema, self.rows_of(file))

    def _opened(self, file: Path) -> AbstractContextManager[Path]:
        return self.fetched.opened(file.relative_to(self.path).as_posix())

    def rows(
        self, config: str, split: str = "train", columns: Sequence[str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """All rows of a split as plain dicts, in order."""
        for batch in self.batches(config, split, columns):
            yield from batch.to_pylist()

    def table(
        self, config: str, split: str = "train", columns: Sequence[str] | None = None
    ) -> pa.Table:
        """A whole split in memory: meant for relations, people, facts and paths."""
        import pyarrow as pa

        return pa.concat_tables(self.read(file, columns) for file in self.files(config, split))

    def _config(self, name: str) -> dict[str, list[str]]:
        configs = self.manifest["configs"]
        if name not in configs:
            hint = suggest(name, configs, f"it has {', '.join(configs)}")
            raise UsageError(f"{self.path} has no config {name!r}: {hint}")
        return configs[name]

    def _check_configs(self) -> None:
        """Every config names files that the manifest lists, and at least one holds questions."""
        files = self.manifest["files"]
        for config, splits in self.manifest["configs"].items():
            for file in (file for names in splits.values() for file in names):
                if file not in files:
                    raise ReleaseError(
                        f"{self.path / MANIFEST} is broken: config {config} names {file}, "
                        "which is not among its files; generate or download the release again"
                    )

    def _arrow_schema(self, file: Path, columns: Sequence[str] | None) -> pa.Schema:
        import pyarrow as pa

        schema = arrow_schema(self._schema(file.relative_to(self.path).as_posix()))
        if columns is None:
            return schema
        return pa.schema([schema.field(column) for column in columns])

    def _schema(self, file: str) -> str:
        return self.manifest["files"][file]["schema"]


def _named(wanted: str, file: str) -> int:
    """How many characters of an id the folder of a file has: comp-zeroshot-, or comp-."""
    folder = file.removeprefix("data/").rpartition("/")[0].replace("/", "-")
    return len(folder) if wanted.startswith(f"{folder}-") else 0


def read_batches(
    files: Iterable[Path],
    columns: Sequence[str] | None = None,
    rows: int = 2048,
    schema: pa.Schema | None = None,
    total: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of Parquet files as Arrow batches of at most `rows`.

    Args:
        files: The files.
        columns: The columns to read; all if None.
        rows: Most rows of a batch.
        schema: The columns and types that each file must have.
        total: The number of rows that each file must have.

    Raises:
        ReleaseError: A file, which the message names, is missing or broken.
    """
    for file in files:
        with _one_sentence(file), open_parquet(file, columns) as parquet:
            _check_footer(parquet, schema, total)
            for batch in parquet.iter_batches(batch_size=rows, columns=columns):
                _check_batch(batch)
                yield batch


@contextmanager
def _one_sentence(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into a ReleaseError that names it."""
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise ReleaseError(f"{file} is missing; generate or download the release again") from None
    except (OSError, Unreadable, pa.ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReleaseError(
            f"{file} is broken ({reason}); generate or download the release again"
        ) from None


def _check_footer(parquet: pq.ParquetFile, schema: pa.Schema | None, total: int | None) -> None:
    """Refuse a file without the expected columns or number of rows."""
    found = parquet.schema_arrow
    for field in schema or ():
        if len(found.get_all_field_indices(field.name)) != 1:
            raise Unreadable(f"it has no column {field.name}, or more than one")
        if found.field(field.name).type != field.type:
            raise Unreadable(
                f"column {field.name} is {found.field(field.name).type}, not {field.type}"
            )
    if total is not None and parquet.metadata.num_rows != total:
        raise Unreadable(
            f"it has {parquet.metadata.num_rows:,} rows, and manifest.json says {total:,}"
        )


def _check_batch(batch: pa.RecordBatch) -> None:
    """Refuse texts that are not UTF-8, and values that are missing."""
    batch.validate(full=True)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if column.null_count or (hasattr(column, "values") and column.values.null_count):
            raise Unreadable(f"column {name} has rows without a value")
