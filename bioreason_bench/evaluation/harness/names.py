"""The names of the tasks, and what a name says: bioreason_comp_zeroshot_openbook is skill comp, level zeroshot, open book."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bioreason_bench import resources
from bioreason_bench.config import LEVELS, SKILLS

__all__ = ["BEYOND", "VARIANTS", "TaskName", "all_names", "copy_tasks", "parse"]

BEYOND = ("counterfactual", "conflict", "direction")  # kinds of questions beyond the levels
VARIANTS = ("openbook", "direct", "passk", "probes")
_NAME = re.compile(
    rf"bioreason(?:_({'|'.join(SKILLS)}))?(?:_({'|'.join(LEVELS + BEYOND)}))?(?:_({'|'.join(VARIANTS)}))?"
)
_LINE = re.compile(r"^(?:task|group): (\S+)$", re.MULTILINE)
_MEMBER = re.compile(r"^  - (bioreason\S*)\n", re.MULTILINE)


class TaskName(NamedTuple):
    skill: str  # "" in a group of skills
    level: str  # "" in a group of levels
    variant: str  # "" where a chain is asked for

    @property
    def config(self) -> str:
        """The config of questions that a leaf asks, such as comp_zeroshot."""
        return f"{self.skill}_{self.level}"

    @property
    def leaf(self) -> bool:
        return bool(self.skill and self.level)


def parse(name: str) -> TaskName | None:
    """What a task's name says; None for another harness task."""
    found = _NAME.fullmatch(name)
    return TaskName(*(part or "" for part in found.groups())) if found else None


@cache
def all_names() -> list[str]:
    """Every task and group, groups first."""
    texts = [
        file.read_text(encoding="utf-8")
        for file in resources.folder("tasks").rglob("bioreason*.yaml")
    ]
    names = {found[1] for text in texts if (found := _LINE.search(text))}
    return sorted(names, key=lambda name: (parse(name).leaf, name))


def copy_tasks(to: Path, configs: Collection[str]) -> set[str]:
    """Copy the task files to a folder, without the leaves whose questions a source lacks; returns the names left out.

    Groups lose those members, and are left out where no member remains.
    """
    source = resources.folder("tasks")
    gone = {
        name for name in all_names() if (task := parse(name)).leaf and task.config not in configs
    }
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(source.rglob("*.yaml"))}
    size = -1
    while size != len(gone):  # a group that loses all members is lost to the group above it
        size = len(gone)
        for file, text in texts.items():
            text = texts[file] = _MEMBER.sub(
                lambda found: "" if found[1] in gone else found[0], text
            )
            if "\ngroup: " in text and not _MEMBER.search(text):
                gone.add(_LINE.search(text)[1])
    for file, text in texts.items():
        name = _LINE.search(text)
        if not (name and name[1] in gone):
            place = to / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    return gone
