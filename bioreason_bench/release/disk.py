"""Writing to disk: a file is complete or absent, and an OSError becomes one sentence.

    write_whole(path, text)      a new file takes the place of `path` once its bytes are on the disk
    with locked(path): ...       one process at a time
    with plain_errors(path): ... one sentence that names the path and says what to do

Nothing is written through a link that somebody else may have put there: files are made new, under
names that nobody can guess, and renamed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bioreason_bench.errors import BioreasonError, UsageError

__all__ = [
    "is_leftover",
    "locked",
    "plain_errors",
    "remove_leftovers",
    "require_own",
    "sha256",
    "sync",
    "sync_tree",
    "user_path",
    "write_whole",
]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FAILED = {  # what to do about errors that another place does not mend
    errno.EIO: "check the disk, then run the same command again",
    errno.EMFILE: "raise the limit (ulimit -n 1024), then run the same command again",
    errno.ENFILE: "close other programs, then run the same command again",
}
LEFTOVER = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.partial")
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
_held: set[Path] = set()  # locks of this process, which the system does not hold against itself


# paths --------------------------------------------------------------------------------------------


def user_path(path: str | Path, option: str = "--out") -> Path:
    """The absolute path, without links, that a user means.

    Raises:
        UsageError: There is no such home folder, or the path is not UTF-8.
    """
    shown = ascii(str(path))
    try:
        str(path).encode()
        full = os.path.realpath(Path(path).expanduser())
    except RuntimeError:
        user = Path(path).parts[0]
        raise UsageError(
            f"{option} {path}: there is no user {user[1:] or 'with a home folder'}; "
            f"write ./{path} for a folder of that name"
        ) from None
    except UnicodeEncodeError:
        raise UsageError(f"{option} {shown} is not valid UTF-8; choose another {option}") from None
    except ValueError:
        raise UsageError(f"{option} {shown} is not a path; choose another {option}") from None
    except FileNotFoundError:
        raise UsageError(
            f"{option} {path} is in the current folder, which was removed; change to another folder"
        ) from None
    return Path(full)


def require_own(path: Path) -> None:
    """Check that a path is no link and belongs to this user.

    Raises:
        UsageError: It is a link, or belongs to somebody else.
        OSError: It does not exist.
    """
    entry = path.lstat()
    if stat.S_ISLNK(entry.st_mode):
        raise UsageError(f"{path} is a link, through which nothing is written; remove it")
    if hasattr(os, "geteuid") and entry.st_uid != os.geteuid():
        raise UsageError(
            f"{path} belongs to another user, so nothing is written there; choose another folder"
        )


# files --------------------------------------------------------------------------------------------


def write_whole(path: Path, content: str | bytes | Callable[[BinaryIO], object]) -> None:
    """Write a new file next to `path` and rename it, so that no reader sees half a file.

    The bytes are on the disk before the file has its name.  A process that is killed may leave the
    new file; `remove_leftovers` removes it.

    Args:
        path: The file; its folder must exist.
        content: The text or bytes, or a function that writes into the open file it is given.

    Raises:
        OSError: The system refused; `path` is as it was.
    """
    unfinished = path.with_name(f".{path.name}.{os.urandom(4).hex()}.partial")
    number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW, 0o666)
    try:
        with open(number, "wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(number)
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to report
            unfinished.unlink()
        raise


def is_leftover(name: str) -> bool:
    """Whether a killed `write_whole` may have left a file of this name, which may have folders."""
    return LEFTOVER.fullmatch(name.rpartition("/")[2]) is not None


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left of `path`; call it where no other process writes `path`."""
    for other in path.parent.glob(".*.partial"):
        match = LEFTOVER.fullmatch(other.name)
        if match and match["name"] == path.name:
            other.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The SHA-256 of the file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_tree(root: Path) -> None:
    """Return once every file and folder below the folder, and the folder itself, is on the disk."""
    for folder, _, files in os.walk(root):
        for path in (*(Path(folder, file) for file in files), Path(folder)):
            sync(path)


def sync(path: Path) -> None:
    """Return once the file, or the list of what the folder holds, is on the disk."""
    try:
        number = os.open(path, os.O_RDONLY | NO_FOLLOW)
    except PermissionError:
        return  # Windows opens no folders, and a strict umask no files
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.EROFS, errno.ENOTSUP):
            raise  # those are of systems that cannot do it
    finally:
        os.close(number)


# locks --------------------------------------------------------------------------------------------


@contextmanager
def locked(path: Path, wait: bool = False, keep: Callable[[], bool] = lambda: False) -> Iterator:
    """Hold a lock on the file `path`, which exists while it is held.

    Args:
        path: The file; made if it does not exist.
        wait: Wait for another process that holds it.
        keep: Asked at the end whether the file stays.

    Raises:
        BlockingIOError: Another process or thread holds it, and `wait` is False.
        UsageError: `path` is not a file of this user.
        OSError: The system refused.
    """
    number = _lock(path, wait)
    try:
        yield
    finally:
        with suppress(OSError):
            if not keep():
                path.unlink()  # while it is locked: whoever waits for it finds it gone
        os.close(number)
        _held.discard(path)


def _lock(path: Path, wait: bool) -> int:
    """The descriptor of the locked file."""
    while True:
        try:
            number = _try_lock(path)
        except BlockingIOError:
            if not wait:
                raise
            time.sleep(0.05)
        else:
            if number is not None:
                return number


def _try_lock(path: Path) -> int | None:
    """The descriptor of the locked file; None if its last holder removed it meanwhile."""
    if path in _held:
        raise BlockingIOError(errno.EAGAIN, "locked by this process", str(path))
    with suppress(FileNotFoundError):
        require_own(path)
    number = os.open(path, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o600)
    _held.add(path)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise UsageError(f"{path} is not a file; remove it")
        _lock_file(number)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(number), path.lstat()):
                return number
    except BaseException:
        os.close(number)
        _held.discard(path)
        raise
    os.close(number)
    _held.discard(path)
    return None


def _lock_file(number: int) -> None:
    """Lock an open file, where the system and the file system can.

    Unlike flock's, a lock of lockf is not inherited by worker processes.
    """
    with suppress(ImportError):  # Windows
        import fcntl

        try:
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise BlockingIOError(*error.args) from None
        except OSError:
            pass  # a file system without locks


# errors -------------------------------------------------------------------------------------------


@contextmanager
def plain_errors(
    path: Path,
    refused: str = "choose another --out",
    full: str = "make room and run the same command again",
) -> Iterator[None]:
    """Turn an OSError into one sentence about `path`.

    Args:
        path: The file or folder that is written.
        refused: What to do if it cannot be written.
        full: What to do if no room is left.

    Raises:
        BioreasonError: No room is left, or the disk or a limit failed.
        UsageError: The system refused for any other reason.
        BrokenPipeError: A reader has closed its pipe, which says nothing about `path`.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in FULL:
            raise BioreasonError(f"no room to write {path} ({reason}); {full}") from None
        if error.errno in FAILED:
            raise BioreasonError(f"cannot write {path}: {reason}; {FAILED[error.errno]}") from None
        if error.errno == errno.ENOENT:
            refused = f"run the same command again, or {refused}"
        raise UsageError(f"cannot write {path}: {reason}; {refused}") from None
