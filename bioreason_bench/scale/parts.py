"""Parts of a release: made in any order on any machine, and merged.

    write_part(...)                      PART/data/..., and PART/part.json, written last
    merge_parts([PART, ...], RELEASE)    the release, as one machine would have written it

part.json has the head of the manifest, how many files the release has, and the entry of each file
of the part with its number and the SHA-256 of its bytes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.family import PEOPLE
from bioreason_bench.inputs import MANIFEST as MOST_BYTES
from bioreason_bench.inputs import read_json
from bioreason_bench.release import disk
from bioreason_bench.release.fingerprint import code_digest
from bioreason_bench.release.manifest import MANIFEST, make_manifest, write_manifest
from bioreason_bench.release.partial import PartialFolder, is_taken, partial_folder
from bioreason_bench.release.shards import FILE_NAME, FileEntry
from bioreason_bench.release.write import (
    CARD,
    check_target,
    digest_of,
    plain_errors,
    release_files,
    resumable,
    write_files,
)
from bioreason_bench.scale.shares import Shares, ranges

if TYPE_CHECKING:
    from bioreason_bench.dataset import Dataset

__all__ = ["PART", "Part", "merge_parts", "read_part", "write_part"]

PART = "part.json"
FORMAT = 1
NAMED = 6  # ranges of missing files that a message lists

Advance = Callable[[FileEntry, int], None]


@dataclass(frozen=True)
class Part:
    """A part as its part.json describes it.

    Attributes:
        folder: Where it is.
        head: The head of the manifest.
        made_by: What else decides over the bytes: the code and the rows of a file.
        shares: The shares that it holds, such as 40-59/400.
        total: The number of files of the release.
        files: Number of the file, from 0, -> its entry.
        bytes: Number of the file -> SHA-256 of its bytes.
    """

    folder: Path
    head: Mapping[str, Any]
    made_by: Mapping[str, Any]
    shares: str
    total: int
    files: Mapping[int, FileEntry]
    bytes: Mapping[int, str]


def write_part(
    out: Path,
    dataset: Dataset,
    remake: Callable[[], Dataset],
    head: Mapping[str, Any],
    shares: Shares,
    *,
    workers: int,
    shard_rows: int,
    advance: Advance = lambda entry, total: None,
) -> Part:
    """Write those files of the data set that belong to the shares, and nothing else.

    An interrupted run is resumed, and a part that is complete is left as it is.  The arguments are
    those of `write_release`.

    Raises:
        UsageError: `out` is taken by anything but this part.
    """
    files = dataset.shards(shard_rows)
    begin, _ = shares.bounds(len(files))
    record = {
        "format": FORMAT,
        "shares": str(shares),
        "total": len(files),
        "made_by": {"code": code_digest(str(head.get("family", PEOPLE))), "shard_rows": shard_rows},
        "head": dict(head),
    }
    key = digest_of(record)
    if _is_made(out, key):
        return read_part(out)
    check = partial(_require_free, out)
    number = {shard.file: begin + index for index, shard in enumerate(shares.of(files))}
    with plain_errors(out), partial_folder(out, key, check) as folder, resumable(folder):
        write_files(folder, shares.of(files), dataset, remake, workers, advance)
        entries = [
            {"number": number[entry["file"]], "sha256": folder.digests[entry["file"]], **entry}
            for entry in sorted(folder.done, key=lambda entry: number[entry["file"]])
        ]
        folder.announce([PART])
        text = json.dumps({**record, "key": key, "files": entries}, indent=1, ensure_ascii=False)
        disk.write_whole(folder.root / PART, text + "\n")
        folder.put_in_place(lambda: _require_free(out))
    return read_part(out)


def _is_made(out: Path, key: str) -> bool:
    """Whether `out` is this part already, and complete."""
    with suppress(OSError, ValueError, AttributeError):
        return bool(read_json(out / PART, MOST_BYTES).get("key") == key)
    return False


def _require_free(out: Path) -> None:
    with plain_errors(out):
        if is_taken(out):
            what = "is a part of other settings" if (out / PART).is_file() else "already exists"
            raise UsageError(f"{out} {what}; choose another --out, or remove it")


def read_part(folder: Path) -> Part:
    """The part in a folder.

    Raises:
        UsageError: There is no such folder.
        ReleaseError: The folder is no complete part.
    """
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}; pass one that bioreason generate --shards has written"
        )
    path = folder / PART
    if not path.is_file():
        whole = (folder / MANIFEST).is_file()
        raise ReleaseError(
            f"{folder} has no {PART}, so it is not a complete part"
            + (" but a whole release; leave it out" if whole else "; run its command again")
        )
    try:
        values = read_json(path, MOST_BYTES)
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {values['format']}")
        files: dict[int, FileEntry] = {}
        sums: dict[int, str] = {}
        for entry in values["files"]:
            number = int(entry.pop("number"))
            sums[number] = str(entry.pop("sha256"))
            files[number] = FileEntry(**entry)
            if not FILE_NAME.fullmatch(files[number].file):
                raise ValueError("it names a file that no release has")
        head, made_by = dict(values["head"]), dict(values["made_by"])
        return Part(folder, head, made_by, values["shares"], int(values["total"]), files, sums)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error) or type(error).__name__
        raise ReleaseError(f"{path} is broken ({reason}); make the part again") from None


# merging ------------------------------------------------------------------------------------------


def merge_parts(
    parts: Sequence[Path],
    out: Path,
    *,
    force: bool = False,
    finish: Callable[[Path, dict[str, Any]], None] = lambda folder, manifest: None,
    advance: Advance = lambda entry, total: None,
) -> dict[str, Any]:
    """Put the files of all parts together, and write card and manifest.

    Files are linked where the file system can, and copied elsewhere; the parts stay.

    Args:
        parts: The folders of the parts, in any order.
        out: The folder of the release.
        force: Replace an existing release.
        finish: Called with folder and manifest; may add files before the manifest is written.
        advance: Called with the entry of each finished file and the total number of rows.

    Returns:
        The manifest.

    Raises:
        ReleaseError: A part is broken, or they are not the parts of one release: they differ in
            what they were made of, a file is missing, or there twice.
    """
    read = [read_part(folder) for folder in parts]
    check_same(read)
    holder = holders(read)
    check = partial(check_target, out, force)
    check()
    total = sum(part.files[number].rows for number, part in holder.items())
    key = digest_of({str(number): part.bytes[number] for number, part in holder.items()})
    with plain_errors(out), partial_folder(out, key, check) as folder, resumable(folder):
        _gather(folder, holder, total, advance)
        manifest = make_manifest(read[0].head, [FileEntry(**values) for values in folder.done])
        folder.announce([*CARD, MANIFEST])
        finish(folder.root, manifest)
        write_manifest(folder.root, manifest)
        folder.put_in_place(check, release_files(out))
    return manifest


def check_same(parts: Sequence[Part]) -> None:
    """Check that all parts are of one release.

    The versions of Python and of libraries may differ, because rows do not depend on them.

    Raises:
        ReleaseError: Two parts were made of different settings or by different code.
    """
    first = parts[0]
    for part in parts[1:]:
        for what, one, other in _compared(first, part):
            if one != other:
                raise ReleaseError(
                    f"{first.folder} and {part.folder} are parts of different releases: "
                    f"{what} differs; merge the parts of one release"
                )


def _compared(one: Part, other: Part) -> list[tuple[str, Any, Any]]:
    """What has to be equal in two parts: (name, value in one, value in the other)."""
    pairs: list[tuple[str, Any, Any]] = [("the number of files", one.total, other.total)]
    for what, a, b in (
        ("", one.head, other.head),
        ("config ", one.head["config"], other.head["config"]),
        ("", one.made_by, other.made_by),
    ):
        names = [name for name in {**a, **b} if name not in ("versions", "config")]
        pairs += [(f"{what}{name}", a.get(name), b.get(name)) for name in names]
    return pairs


def holders(parts: Sequence[Part]) -> dict[int, Part]:
    """Number of each file of the release -> the part that holds it.

    Raises:
        ReleaseError: A file is missing, or in two parts.
    """
    holder: dict[int, Part] = {}
    for part in parts:
        for number, entry in part.files.items():
            if number in holder:
                raise ReleaseError(
                    f"{entry.file} is there twice, in {holder[number].folder} and in "
                    f"{part.folder}; leave one of them out"
                )
            holder[number] = part
    total = parts[0].total
    if missing := sorted(set(range(total)) - set(holder)):
        runs = [str(Shares(first, last, total)) for first, last in ranges(missing)]
        more = f" and {len(runs) - NAMED} more ranges" if len(runs) > NAMED else ""
        raise ReleaseError(
            f"{len(missing):,} of {total:,} files are missing; make them with bioreason generate "
            f"--shards {', --shards '.join(runs[:NAMED])}{more}, and merge those parts as well"
        )
    return holder


def _gather(
    folder: PartialFolder, holder: Mapping[int, Part], total: int, advance: Advance
) -> None:
    """Put the files that are not there yet into the folder, and check their bytes."""
    for values in folder.done:
        advance(FileEntry(**values), total)
    finished = {values["file"] for values in folder.done}
    missing = {n: part for n, part in holder.items() if part.files[n].file not in finished}
    folder.announce(part.files[number].file for number, part in missing.items())
    for number, part in missing.items():
        entry, digest = part.files[number], part.bytes[number]
        source, target = part.folder / entry.file, folder.root / entry.file
        if not source.is_file():
            raise ReleaseError(f"{source} is missing; make the part again")
        disk.remove_leftovers(target)
        _link_or_copy(source, target)
        if disk.sha256(target) != digest:
            raise ReleaseError(
                f"{source} is not the file that {PART} describes; make the part again"
            )
        folder.finished(asdict(entry), digest)
        advance(entry, total)


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system, or one without links
        with source.open("rb") as opened:
            disk.write_whole(target, lambda file: shutil.copyfileobj(opened, file))
