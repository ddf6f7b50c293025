"""The door: a family of questions is data and a few functions.

People are the first family.  Another one (programs over strings, a grammar) is a package in
`bioreason_bench/families/` with a module that holds `FAMILY = Family(...)`, and one row in the
table `FAMILIES`.  Nothing else in the package names a family: generating, auditing, grading,
showing, publishing and training ask `family_of(manifest)` for what differs.

What a family may rely on, and everybody else relies on in turn:

- Its preset files are presets/families/NAME.toml with the line `family = "NAME"`, and so may be a
  user's own files.  A manifest without `family` is one of people.
- The folders below data/ that hold its questions are called like the family, or begin with its name
  and an underscore, and so do the skill of its rows and its configs: data/strings/iid/test-* is
  config strings_iid; data/scan_length/test-* is config scan_length.  data/X/train-* is the training
  set of every data/X/LEVEL/ with a level of `taxonomy.LEVELS`; data/X/rl-* is config X_rl.
- Its questions have at least the columns of schemas/exercise.schema.json, in that order, then its
  own.  `chain` is one line: the steps, then "So, the answer is: X".
- Its rows are a function of (settings, file, number of the row), whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bioreason_bench import inputs
from bioreason_bench.errors import UsageError, quoted, suggest

if TYPE_CHECKING:
    from bioreason_bench.audit.report import Scores
    from bioreason_bench.audit.run import AuditRun
    from bioreason_bench.dataset.sharding import Shard
    from bioreason_bench.grading.grader import Grade

__all__ = [
    "FAMILIES",
    "PEOPLE",
    "Family",
    "FamilyDataset",
    "FamilyGrader",
    "Place",
    "Settings",
    "Step",
    "Words",
    "all_presets",
    "family_named",
    "family_of",
    "family_of_file",
    "family_of_row",
    "family_presets",
    "later",
    "load_settings",
    "preset_path",
]

PEOPLE = "people"
FAMILIES = {  # name → the module that holds its FAMILY; the only table of families
    PEOPLE: "bioreason_bench.families.people",
    "strings": "bioreason_bench.families.strings.family",
    "scan": "bioreason_bench.families.scan.family",
    "cogs": "bioreason_bench.families.cogs.family",
    "published": "bioreason_bench.families.published.family",
}
PRESETS = Path(__file__).parent / "presets"

Row = Mapping[str, Any]
ReadTable = Callable[[str], Any]  # name → the rows of data/NAME/train-*, as an Arrow table


class Settings(Protocol):
    """Everything that fixes the rows of a release: a preset with the user's changes.

    A frozen dataclass that refuses invalid values when it is made, with a UsageError of one
    sentence (see families/settings.py).
    """

    @property
    def preset(self) -> str: ...

    @property
    def seed(self) -> int: ...

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, from which `Family.settings` makes the same settings again."""

    def override(self, settings: Mapping[str, str]) -> Settings:
        """The same settings with some fields set from texts, as by --set KEY=VALUE."""


class FamilyDataset(Protocol):
    """Every file of a release as a function of its number (see families/parts.py)."""

    def shards(self, shard_rows: int = ...) -> list[Shard]:
        """Every file, in the order of the layout."""

    def make(self, shard: Shard) -> dict[str, list[Any]]:
        """The columns of one file."""


class FamilyGrader(Protocol):
    """Grades completions (see families/grading.py)."""

    def grade(self, completion: str, record: Row) -> Grade:
        """The verdict on a completion: never raises, whatever a model wrote."""

    def grade_direct(self, completion: str, record: Row) -> Grade:
        """The verdict on an answer without a chain."""

    def share_stated(self, chain: str, record: Row) -> float:
        """Share of the gold steps that a chain states in any order, in [0, 1]."""


@dataclass(frozen=True)
class Step:
    """One step of a trace, read back from its text.

    Attributes:
        operation: What is applied: a primitive's name.
        inputs: What it is applied to.
        result: What comes out.
        name: The name that the trace gives to the result; "" without one.
    """

    operation: str
    inputs: tuple[str, ...]
    result: str
    name: str = ""


@dataclass(frozen=True)
class Place:
    """What may be in a folder below data/.

    Attributes:
        schema: The schema of its rows, schemas/NAME.schema.json.
        splits: The splits that it may have.
    """

    schema: str
    splits: frozenset[str]


@dataclass(frozen=True)
class Words:
    """What the card says of a family.

    Attributes:
        title: pretty_name of the data set.
        description: One paragraph of plain text: what is asked, and what for.
        question: Markdown: how a question and a trace are to be read.
        levels: Level or config → what its questions are.
        solvers: Solver → what it does, in the order of the card.
        limits: Markdown: what the release cannot show.
        tags: Further tags for the Hub.
    """

    title: str
    description: str
    question: str
    levels: Mapping[str, str]
    solvers: Mapping[str, str]
    limits: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """A family of questions.

    Attributes:
        name: Its name; begins the names of its folders, configs and skills.
        summary: One sentence, for help texts.
        schema: The schema of its questions, schemas/SCHEMA.schema.json.
        layout: Folder below data/ → what may be in it.
        laws: Law → the invariant in one sentence; those of files (`catalogue.FILE_LAWS`) are added.
            A function, so that making a release does not import its audit.
        settings: Makes settings from plain values.  UsageError if they are wrong.
        make: The data set of settings.  UsageError if they ask for more than there is.
        head: What the manifest says of the family beside its settings, as JSON values: all that is
            needed to read and solve its questions, such as `definitions`.
        check: Checks the family's own laws, returns the scores of its solvers.  Files are read by
            `AuditRun.open_table` or `AuditRun.read_files`, which check digests and schemas.  A law
            is checked on text alone, by code that the generator does not use.
        grader: (manifest, table) → the grader of a release; `table(name)` reads data/NAME/train-*.
            Of a question whose release is not known the manifest is {}.
        steps: The steps of a question's gold trace; None where a release is needed (people).
        words: What the card says of a release with this manifest.
        instruction: What a chat model is told before the context and the question.
        shown: The configs that `bioreason show`, `load` and the card prefer to begin with.
    """

    name: str
    summary: str
    schema: str
    layout: Mapping[str, Place]
    laws: Callable[[], Mapping[str, str]]
    settings: Callable[[Mapping[str, Any]], Any]
    make: Callable[[Any], Any]
    head: Callable[[Any], dict[str, Any]]
    check: Callable[[AuditRun], Scores]
    grader: Callable[[Mapping[str, Any], ReadTable], Any]
    steps: Callable[[Row], Sequence[Step]] | None = None
    words: Callable[[Mapping[str, Any]], Words] | None = None
    instruction: Callable[[Row], str] | None = None
    shown: tuple[str, ...] = ()

    @property
    def skills(self) -> tuple[str, ...]:
        """The folders whose training files several levels share, such as strings."""
        levelled = {folder.partition("/")[0] for folder in self.layout if "/" in folder}
        return tuple(folder for folder in self.layout if folder in levelled)

    @property
    def alone(self) -> tuple[str, ...]:
        """The folders that hold nothing but training questions, such as strings_atoms."""
        return tuple(
            folder
            for folder, place in self.layout.items()
            if folder not in self.skills
            and place.schema == self.schema
            and place.splits == {"train"}
        )

    def place(self, file: str) -> Place | None:
        """What may be in the folder of a data file; None if no release has such a split."""
        folder, _, name = file.removeprefix("data/").rpartition("/")
        place = self.layout.get(folder)
        return place if place and name.split("-")[0] in place.splits else None


def later(module: str, name: str) -> Callable[..., Any]:
    """The function `name` of a module that is imported when it is called, not before.

    What makes rows and what judges them stay apart: an edit of a grader does not change the key of
    cached rows (release/fingerprint.py).
    """

    def call(*args: Any) -> Any:
        return getattr(import_module(module), name)(*args)

    return call


@cache
def family_named(name: str) -> Family:
    """The family called `name`; UsageError if there is none."""
    if name not in FAMILIES:
        raise UsageError(f"there is no family {quoted(name)}: {suggest(name, FAMILIES)}")
    family: Family = import_module(FAMILIES[name]).FAMILY
    return family


def family_of(manifest: Mapping[str, Any]) -> Family:
    """The family of a release."""
    return family_named(manifest.get("family", PEOPLE))


def family_of_row(record: Row) -> Family:
    """The family of a question, by the name of its skill; people if it has none."""
    return _family_by_prefix(str(record.get("skill", "")))


def family_of_file(file: str) -> Family:
    """The family of a data file, by the name of its folder."""
    return _family_by_prefix(file.removeprefix("data/").partition("/")[0])


def _family_by_prefix(text: str) -> Family:
    name = text.partition("_")[0]
    return family_named(name if name in FAMILIES else PEOPLE)


# presets ------------------------------------------------------------------------------------------


def family_presets() -> list[str]:
    """The names of the shipped presets of families other than people."""
    return sorted(path.stem for path in (PRESETS / "families").glob("*.toml"))


def all_presets() -> list[str]:
    """The names of all shipped presets, those of people first."""
    return [*sorted(path.stem for path in PRESETS.glob("*.toml")), *family_presets()]


def preset_path(name: str) -> Path:
    """The file of a shipped preset, or the path `name` itself."""
    below = "families/" if name in family_presets() else ""
    return PRESETS / f"{below}{name}.toml" if name in all_presets() else Path(name)


def load_settings(name: str, seed: int = 42) -> Any:
    """The settings of the preset called `name`, or in the TOML file of that path, of any family.

    Raises UsageError if there is none, or if it cannot be read.
    """
    path = preset_path(name)
    try:
        values = inputs.read_toml(path, inputs.SETTINGS) if path.suffix == ".toml" else {}
    except (OSError, inputs.Unreadable):  # the loader of people says what is wrong
        values = {}
    like = values.pop("like", None)
    if like in family_presets():
        values = {**inputs.read_toml(preset_path(str(like)), inputs.SETTINGS), **values}
        like = None
    if "family" not in values:
        from_people: Callable[[str, int], Settings] = import_module(
            "bioreason_bench.config"
        ).load_preset
        return from_people(name, seed)
    if like is not None:
        known = ", ".join(family_presets())
        raise UsageError(f"preset file {path}: like is {quoted(like)}; it must be one of {known}")
    family = family_named(str(values["family"]))
    return family.settings({"preset": path.stem, "seed": seed, **values})
