"""A place in an object store: s3://bucket/name, gs://, memory:// and whatever else fsspec opens."""

from __future__ import annotations

import errno
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar, NamedTuple

from bioreason_bench.errors import (
    BioreasonError,
    MissingExtra,
    UsageError,
    one_line,
)
from bioreason_bench.escaping import without_token
from bioreason_bench.scale.urls import is_on_hub

__all__ = ["AGAIN", "Store", "Upload", "quiet_hub", "store_errors", "unpacked_bytes"]

AGAIN = "run the same command again"
KEPT = f"{AGAIN}: finished files are kept"
OBJECTS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "r2", "oci", "hf"}
FULL = ("quota", "storagefull", "no space", "insufficient storage", "507")


class Upload(NamedTuple):
    """A data file that was uploaded.

    Attributes:
        note: The name of the file that says so.
        text: What is known of the data file.
        receipt: What `Store.upload` returned.
    """

    note: str
    text: str
    receipt: Any


@dataclass(frozen=True)
class Store:
    """A place in an object store; every failure is one sentence that names it."""

    url: str

    batch: ClassVar[int] = 1  # data files that are noted together

    @property
    def removal(self) -> str:
        """How a user gets rid of what is there, for messages."""
        return f"remove everything in {self.url}"

    def _open(self) -> tuple[Any, str]:
        import fsspec

        if is_on_hub(self.url):
            quiet_hub()
        logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it also logs what it raises
        try:
            return fsspec.core.url_to_fs(self.url)
        except ImportError as error:
            if error.name:
                raise MissingExtra(error.name, "scale") from None
            raise UsageError(f"{self.url} cannot be opened: {_reason(error)}") from None
        except ValueError as error:
            raise UsageError(f"{self.url} cannot be opened: {error}") from None

    def prepare(self) -> None:
        """Make the place, where a store has to be told so."""

    def upload(self, path: Path, name: str) -> Any:
        """Upload a data file, in whatever process made it; what `record` must know of it."""
        self.put(path, name)

    def record(self, uploads: Sequence[Upload]) -> None:
        """Note which data files are there; the store asks for `batch` of them at a time."""
        for upload in uploads:
            self.write(upload.note, upload.text)

    def finish(self, files: Mapping[str, Path], obsolete: Sequence[str]) -> None:
        """Upload the last files, in this order, and remove what is not needed any more."""
        for name, path in files.items():
            self.put(path, name)
        self.remove(obsolete)

    def put(self, path: Path, name: str) -> None:
        """Upload a file."""
        with store_errors(self.url, KEPT):
            files, root = self._open()
            _make_folder(files, f"{root}/{name}")
            files.put_file(str(path), f"{root}/{name}")

    def get(self, name: str, path: Path) -> None:
        """Download a file."""
        with store_errors(self.url):
            files, root = self._open()
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                files.get_file(f"{root}/{name}", str(path))
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def write(self, name: str, text: str) -> None:
        """Write a small file."""
        with store_errors(self.url, KEPT):
            files, root = self._open()
            _make_folder(files, f"{root}/{name}")
            files.pipe_file(f"{root}/{name}", text.encode())

    def read(self, name: str) -> str | None:
        """A small file; None if there is none."""
        with store_errors(self.url):
            files, root = self._open()
            try:
                content: bytes = files.cat_file(f"{root}/{name}")
            except Exception as error:  # of the Hub it is an EntryNotFoundError
                if isinstance(error, FileNotFoundError) or "EntryNotFound" in type(error).__name__:
                    return None
                raise
            return content.decode(errors="replace")

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name below the folder -> bytes of each file there, as the store tells now."""
        with store_errors(self.url):
            files, root = self._open()
            base = f"{root}/{folder}".rstrip("/")
            files.invalidate_cache()
            try:
                found = files.find(base, detail=True)
            except FileNotFoundError:
                return {}
            return {path.removeprefix(f"{base}/"): info["size"] for path, info in found.items()}

    def unpacked(self, name: str) -> int:
        """The bytes of a Parquet file's columns without compression: reads its footer only."""
        with store_errors(self.url):
            files, root = self._open()
            with files.open(f"{root}/{name}", "rb") as file:
                return unpacked_bytes(file)

    def remove(self, names: Sequence[str]) -> None:
        """Delete files."""
        with store_errors(self.url, KEPT):
            files, root = self._open()
            for name in names:
                files.rm_file(f"{root}/{name}")


def quiet_hub() -> None:
    """No bars and no warnings of the Hub's client, one for each file, across our own line."""
    from huggingface_hub.utils import disable_progress_bars, logging

    disable_progress_bars()
    logging.set_verbosity_error()


def _make_folder(files: Any, path: str) -> None:
    """Make the folder of a file, in a store that has folders."""
    kinds = (files.protocol,) if isinstance(files.protocol, str) else files.protocol
    if not OBJECTS.intersection(kinds):
        files.makedirs(path.rpartition("/")[0], exist_ok=True)


@contextmanager
def store_errors(url: str, again: str = AGAIN) -> Iterator[None]:
    """Turn whatever a store raises into one sentence.

    Args:
        url: The place.
        again: What to do if it may work next time.

    Raises:
        UsageError: The store refused: credentials, a bucket that does not exist.
        BioreasonError: The store failed: no room, a dropped connection.
    """
    try:
        yield
    except BioreasonError:
        raise
    except Exception as error:  # noqa: BLE001 - each store has its own
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            place = tempfile.gettempdir()
            raise BioreasonError(
                f"no room in {place} for a file of {url}; make room or set TMPDIR, then {again}"
            ) from None
        reason = _reason(error)
        account = url.partition("://")[2].partition("/")[0].rpartition("@")[0]
        reason = reason.replace(account, "***") if account else reason
        name = type(error).__name__
        if any(word in f"{name} {reason}".lower() for word in FULL):
            raise BioreasonError(f"no room in {url} ({reason}); make room, then {again}") from None
        if isinstance(error, PermissionError) or "Credential" in name:
            raise UsageError(f"{url} refused access ({reason}); check the credentials") from None
        if isinstance(error, FileNotFoundError):
            raise UsageError(f"{url} does not exist ({reason}); make the bucket first") from None
        raise BioreasonError(f"{url} failed ({reason}); {again}") from None


def _reason(error: Exception) -> str:
    return without_token(one_line(" ".join(str(error).split())) or type(error).__name__)


def unpacked_bytes(file: Path | IO[bytes]) -> int:
    """The bytes of a Parquet file's columns without compression, from its footer."""
    import pyarrow.parquet as pq

    footer = pq.read_metadata(file)
    return sum(footer.row_group(k).total_byte_size for k in range(footer.num_row_groups))
