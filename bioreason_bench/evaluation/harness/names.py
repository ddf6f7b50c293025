"""The names of the tasks: bioreason_<skill>_<level>[_<variant>].

bioreason_comp_zeroshot_openbook is skill comp, level zeroshot, open book.  Without a level or a
skill the name is that of a group.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bioreason_bench import resources
from bioreason_bench.family import FAMILIES, PEOPLE
from bioreason_bench.taxonomy import KIND_NAMES, LEVELS, SKILLS

__all__ = ["VARIANTS", "TaskName", "all_names", "copy_tasks", "parse"]

VARIANTS = ("openbook", "chat", "openbook_chat", "direct", "passk", "probes")
_NAME = re.compile(
    rf"bioreason(?:_({'|'.join(SKILLS)}))?"
    rf"(?:_({'|'.join(LEVELS + KIND_NAMES)}))?"
    rf"(?:_({'|'.join(VARIANTS)}))?"
)
_FAMILY_NAME = re.compile(  # of another family than people: any level
    rf"bioreason_({'|'.join(name for name in FAMILIES if name != PEOPLE)})(?:_([a-z0-9_]+))?"
)
_LONGEST_FIRST = sorted(VARIANTS, key=len, reverse=True)
_NAME_LINE = re.compile(r"^(?:task|group): (\S+)$", re.MULTILINE)
_MEMBER_LINE = re.compile(r"^  - (bioreason\S*)\n", re.MULTILINE)


class TaskName(NamedTuple):
    """The parts of a task's name.

    Attributes:
        skill: The skill; "" for a group of skills.
        level: The level or kind of question; "" for a group of levels.
        variant: The variant; "" if a chain is asked for.
    """

    skill: str
    level: str
    variant: str

    @property
    def config(self) -> str:
        """The config of questions that a leaf asks, such as comp_zeroshot."""
        return f"{self.skill}_{self.level}"

    @property
    def leaf(self) -> bool:
        """Whether it is a task, not a group."""
        return bool(self.skill and self.level)


def parse(name: str) -> TaskName | None:
    """The parts of a task's name; None for the name of another harness task."""
    match = _NAME.fullmatch(name)
    if match:
        return TaskName(*(part or "" for part in match.groups()))
    match = _FAMILY_NAME.fullmatch(name)
    if not match:
        return None
    family, rest = match.groups()
    variant = next((v for v in _LONGEST_FIRST if f"_{rest}".endswith(f"_{v}")), "")
    return TaskName(family, (rest or "").removesuffix(variant).removesuffix("_"), variant)


@cache
def all_names() -> list[str]:
    """Every task and group, groups first."""
    return sorted(_parsed(), key=lambda name: (_parsed()[name].leaf, name))


@cache
def _parsed() -> dict[str, TaskName]:
    """The parts of the name of every task file."""
    parsed = {}
    for file in resources.folder("tasks").rglob("bioreason*.yaml"):
        name = _name_of(file.read_text(encoding="utf-8"))
        parts = parse(name)
        if parts is not None:
            parsed[name] = parts
    return parsed


def _name_of(text: str) -> str:
    """The task or group that a task file defines, "" for a base file."""
    match = _NAME_LINE.search(text)
    return match[1] if match else ""


def copy_tasks(to: Path, configs: Collection[str]) -> set[str]:
    """Copy the task files to a folder, without the tasks whose questions a source lacks.

    Groups lose those members, and a group without members is left out as well.

    Args:
        to: The folder.
        configs: The configs of questions that the source has.

    Returns:
        The names of the tasks and groups that were left out.
    """
    folder = resources.folder("tasks")
    absent = {
        name for name, parts in _parsed().items() if parts.leaf and parts.config not in configs
    }
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.yaml"))}
    size = -1
    while size != len(absent):  # a group that loses all members is lost to the group above it
        size = len(absent)
        for file, text in texts.items():
            texts[file] = _without_members(text, absent)
            if "\ngroup: " in text and not _MEMBER_LINE.search(texts[file]):
                absent.add(_name_of(text))
    for file, text in texts.items():
        if _name_of(text) not in absent:
            path = to / file.relative_to(folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return absent


def _without_members(text: str, absent: Collection[str]) -> str:
    """A task file without the members of its group that are absent."""
    return _MEMBER_LINE.sub(lambda match: "" if match[1] in absent else match[0], text)
