"""Types of the values on the command lines: paths, seeds and counts, refused where they enter."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from bioreason_bench.errors import UsageError, quoted
from bioreason_bench.scale.urls import is_like_url, is_url

__all__ = [
    "COUNT",
    "PATH",
    "PATH_OR_URL",
    "TRAINING_SEED",
    "WORKERS",
    "WORLD_SEED",
    "Temperature",
    "beside",
]

LONGEST_PATH = 4_096  # bytes, the limit of Linux
DEEPEST_PATH = 200  # folders within each other

WORLD_SEED = click.IntRange(0, 2**64 - 1)
TRAINING_SEED = click.IntRange(0, 2**32 - 1)  # numpy's and torch's generators take no more
WORKERS = click.IntRange(1, 256)
COUNT = click.IntRange(0, 1_000_000_000)


class PathOfUser(click.ParamType):
    """The path of a file or folder, with the user's own folder in place of a ~."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        text = str(value)
        if not text.strip():
            self.fail("the path is empty; name a file or folder", param, ctx)
        if len(text.encode("utf-8", "replace")) > LONGEST_PATH:
            self.fail(f"the path has more than {LONGEST_PATH:,} bytes", param, ctx)
        if is_like_url(text):
            self.fail(f"{quoted(text)} is an address; a path on this machine is needed", param, ctx)
        path = Path(text)
        if len(path.parts) > DEEPEST_PATH:
            self.fail(f"the path has more than {DEEPEST_PATH} folders", param, ctx)
        try:
            return path.expanduser()
        except RuntimeError:
            self.fail(f"there is no user {path.parts[0]}; write the path out", param, ctx)


PATH = PathOfUser()


class PathOrUrl(PathOfUser):
    """The same, or the address of a place in an object store, such as s3://bucket/name."""

    def convert(  # type: ignore[override]
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | str:
        if "://" not in str(value):  # also hf:/datasets/..., which `super` refuses
            return super().convert(value, param, ctx)
        url = str(value)
        if not url.isprintable() or len(url) > LONGEST_PATH or not is_url(url):
            self.fail(f"{quoted(url)} is no address such as s3://bucket/name", param, ctx)
        return url


PATH_OR_URL = PathOrUrl()


class Temperature(click.ParamType):
    """A temperature of sampling: a positive, finite number."""

    name = "float"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = click.FLOAT.convert(value, param, ctx)
        if not (math.isfinite(number) and number > 0):
            self.fail(f"{value} must be a positive number", param, ctx)
        return number


def beside(folder: Path, ending: str) -> Path:
    """The path next to a folder, with this ending, also if the folder is the current one.

    Raises UsageError if the folder is the root, which has nothing beside it.
    """
    if folder.name in ("", ".."):
        folder = folder.resolve()
    if not folder.name:
        raise UsageError(f"{folder} has no folder beside it; say with --out where to write")
    return folder.with_name(f"{folder.name}{ending}")
