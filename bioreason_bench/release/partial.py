"""A folder that appears whole: made next to its place, and renamed when it is complete.

    OUT.partial/             one process at a time; nobody else may look into it
        .bioreason.lock      held until OUT is in its place; says that this module made the folder
        run-1f2e3d4c/        becomes OUT
        run-1f2e3d4c.jsonl   its journal
        old-5a6b7c8d/        the old OUT, until the new one is in its place
        old-5a6b7c8d.jsonl   its journal

The first line of a run's journal is {"key": what is made}.  {"files": [names]} comes before the
files, {"done": entry} after each of them.  Only files that a journal names are ever removed, so
what anybody else puts into these folders stays.

Each run has a folder with a new name, and moves finished files of interrupted runs there if the
key is the same.  So a worker process that outlives its run by a moment disturbs no other run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bioreason_bench.errors import UsageError
from bioreason_bench.release import disk

__all__ = ["PartialFolder", "is_taken", "partial_folder"]

LOCK = ".bioreason.lock"


def is_taken(out: Path) -> bool:
    """Whether something is there that a new folder would replace: anything but an empty folder."""
    if out.is_dir():
        return any(out.iterdir())
    return os.path.lexists(out)


@dataclass
class PartialFolder:
    """A folder in the making.

    Attributes:
        out: The place where it will be.
        root: The place where it is made.
        done: The entries of finished files, those of interrupted runs included.
        digests: The SHA-256 of the bytes of each of these files, by name.
    """

    out: Path
    root: Path
    done: list[dict[str, Any]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def announce(self, files: Iterable[str]) -> None:
        """Tell the journal which files will be made below `root`, and make their folders."""
        names = list(files)
        _append(self.root, {"files": names})
        for folder in {(self.root / name).parent for name in names}:
            folder.mkdir(parents=True, exist_ok=True)

    def finished(self, entry: Mapping[str, Any], digest: str) -> None:
        """Tell the journal that `entry["file"]` is complete and has this SHA-256."""
        self.done.append(dict(entry))
        self.digests[entry["file"]] = digest
        _append(self.root, {"done": {**entry, "sha256": digest}})

    def put_in_place(self, check: Callable[[], None], old_files: Iterable[str] = ()) -> None:
        """Rename `root` to `out`, and then remove what was there.

        Args:
            check: Called just before; raises an error unless `out` may be replaced.
            old_files: The files of an old `out`.

        Raises:
            OSError: The system refused; `out` is as it was.
        """
        disk.sync_tree(self.root)
        check()
        old = self.root.with_name(f"old-{os.urandom(4).hex()}") if is_taken(self.out) else None
        if old is not None:
            _append(old, {"new": self.root.name, "files": list(old_files)})
            self.out.rename(old)
        try:
            self.root.rename(self.out)
        except BaseException:  # Ctrl-C as well
            if old is not None and not self.out.exists():
                old.rename(self.out)
            raise
        disk.sync(self.out.parent)


@contextmanager
def partial_folder(out: Path, key: str, check: Callable[[], None]) -> Iterator[PartialFolder]:
    """A folder that will be `out`; to be put in its place before the context ends.

    If the context ends with an error, the finished files are kept for the next run with this key,
    and nothing else is.

    Args:
        out: The place; a path of `disk.user_path`.
        key: What is made: finished files of interrupted runs with another key are removed.
        check: Called while no other run writes there; raises an error unless `out` may be made.

    Raises:
        UsageError: Another run writes there, or the folder next to `out` is not ours.
        OSError: The system refused.
    """
    if not out.name:
        raise UsageError(f"--out {out} is not a folder that can be made; choose one below it")
    folder = out.with_name(f"{out.name}.partial")
    with _locked(folder, out):
        _settle_old(folder, out)
        check()
        earlier = _folders(folder, "run")
        made = PartialFolder(out, folder / f"run-{os.urandom(4).hex()}")
        _append(made.root, {"key": key})
        made.root.mkdir()
        try:
            for root in earlier:
                _take_over(made, root, key)
                _clear(root)
            yield made
        except BaseException:
            with suppress(OSError):  # the first error is the one to report
                _clear(made.root, keep=[entry["file"] for entry in made.done])
                _settle_old(folder, out)
            raise
        with suppress(OSError):  # the next run removes what stays
            _settle_old(folder, out)
            for root in _folders(folder, "run"):
                _clear(root)


@contextmanager
def _locked(folder: Path, out: Path) -> Iterator[None]:
    """The folder, made if necessary, while this process alone writes there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        while not _try_lock(folder, out, stack):
            pass
        yield


def _try_lock(folder: Path, out: Path, stack: ExitStack) -> bool:
    """Lock the folder until the stack closes; False if the last run removed it in this moment."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    stack.callback(_remove_empty, folder)  # after the lock
    try:
        _require_ours(folder)
        lock = disk.locked(folder / LOCK, keep=lambda: _names(folder) != [LOCK])
        stack.enter_context(lock)
    except BlockingIOError:
        raise UsageError(
            f"another run is writing {out}; wait for it, or choose another --out"
        ) from None
    except FileNotFoundError:
        return False
    return True


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _require_ours(folder: Path) -> None:
    disk.require_own(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is in the way; remove or rename it, or choose another --out")
    names = _names(folder)
    if names and LOCK not in names:
        raise UsageError(
            f"{folder} holds {names[0]}, which bioreason did not put there; "
            "remove or rename the folder, or choose another --out"
        )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _settle_old(folder: Path, out: Path) -> None:
    """Remove an old `out` if the new one is in its place, else put it back.

    If somebody else put something there meanwhile, the old one stays where it is.
    """
    for old in _folders(folder, "old"):
        lines = _lines(old)
        new = str(lines[0].get("new", ".")) if lines else "."
        if not (folder / new).is_dir():
            _clear(old)
            continue
        if old.is_dir() and not is_taken(out):
            old.rename(out)
        _journal(old).unlink()


def _take_over(made: PartialFolder, earlier: Path, key: str) -> None:
    """Move the finished files of an interrupted run, if it made the same."""
    lines = _lines(earlier)
    if not lines or lines[0].get("key") != key:
        return
    for line in lines:
        with suppress(OSError, TypeError, KeyError, AttributeError):
            entry = dict(line["done"])
            digest = entry.pop("sha256")
            name = entry["file"]
            if _is_inside(name) and disk.sha256(earlier / name) == digest:
                made.announce([name])
                (earlier / name).rename(made.root / name)
                made.finished(entry, digest)


# journals -----------------------------------------------------------------------------------------


def _folders(folder: Path, kind: str) -> list[Path]:
    """The folders of this kind that have a journal, whether they exist or not."""
    return sorted(path.with_suffix("") for path in folder.glob(f"{kind}-*.jsonl"))


def _journal(root: Path) -> Path:
    return root.with_name(f"{root.name}.jsonl")


def _append(root: Path, line: Mapping[str, Any]) -> None:
    with _journal(root).open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(line) + "\n")


def _lines(root: Path) -> list[dict[str, Any]]:
    """The lines of the folder's journal; lines that a power failure tore are left out."""
    lines = []
    with suppress(FileNotFoundError):
        text = _journal(root).read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            with suppress(ValueError):
                value = json.loads(line)
                if isinstance(value, dict):
                    lines.append(value)
    return lines


def _clear(root: Path, keep: Iterable[str] = ()) -> None:
    """Remove the files that the folder's journal names, and then the journal and empty folders."""
    kept = set(keep)
    for line in _lines(root):
        for name in line.get("files", []):
            if _is_inside(name) and name not in kept:
                (root / name).unlink(missing_ok=True)
                disk.remove_leftovers(root / name)
    if kept:
        return
    for path, _, _ in os.walk(root, topdown=False):
        _remove_empty(Path(path))
    if not root.exists():
        _journal(root).unlink(missing_ok=True)


def _is_inside(name: object) -> bool:
    """Whether this is the name of a file below a folder."""
    path = PurePosixPath(str(name))
    return bool(path.name) and not path.is_absolute() and ".." not in path.parts
