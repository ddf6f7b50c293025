"""The forms of published files, and how each is read.

| data set | files, anywhere below the folder |
|---|---|
| scan | tasks_train_SPLIT.txt and tasks_test_SPLIT.txt: `IN: jump OUT: I_JUMP`; or tasks.txt with mcd1.json ...: {"trainIdxs": [...], "testIdxs": [...]} |
| cogs | train.tsv, test.tsv and gen.tsv, perhaps dev.tsv: sentence, logical form, kind |
| cfq | dataset.json: [{"questionPatternModEntities": ..., "sparqlPatternModEntities": ...}, ...], and splits/SPLIT.json with lists of indices |
| geoquery | train.tsv and test.tsv, perhaps dev.tsv: question, program |

Whatever else is in the folder is left alone.
"""  # noqa: E501 - a table

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bioreason_bench import inputs
from bioreason_bench.errors import UsageError, quoted, suggest
from bioreason_bench.families.cogs.kinds import KINDS
from bioreason_bench.release.disk import sha256

__all__ = ["DATASETS", "Pair", "Published", "PublishedSplit", "read_folder"]

SCAN_LEVELS = {
    "simple": "iid",
    "length": "depth",
    "addprim_jump": "zeroshot",
    "addprim_turn_left": "zeroshot",
    **{f"template_{name}": "composition" for name in ("jump_around_right", "right")},
    **{f"template_{name}_right": "composition" for name in ("opposite", "around")},
    **{f"filler_num{number}": "composition" for number in range(4)},
    **{f"mcd{number}": "composition" for number in (1, 2, 3)},
}
CFQ_LEVELS = {
    "random_split": "iid",
    **{f"mcd{number}": "composition" for number in (1, 2, 3)},
    **{f"{what}_pattern_split": "composition" for what in ("question", "query")},
    **{f"{what}_complexity_split": "depth" for what in ("question", "query")},
}
DATASETS: Mapping[str, Mapping[str, str]] = {  # data set → split → level of its test
    "scan": SCAN_LEVELS,
    "cogs": {"cogs": "iid"},
    "cfq": CFQ_LEVELS,
    "geoquery": {"given": "iid"},
}
QUESTION, QUERY = "questionPatternModEntities", "sparqlPatternModEntities"
SCAN_LINE = re.compile(r"IN: (?P<command>[a-z ]+) OUT: (?P<actions>[A-Z_ ]+)")
PLAIN = "in_distribution"
LONGEST = 20_000  # characters of a question or an answer
LARGEST = 2_000_000_000  # bytes of a file; dataset.json of CFQ is the largest


class Pair(NamedTuple):
    """A question, its answer, and the kind of generalisation that the files say."""

    question: str
    answer: str
    kind: str = PLAIN


@dataclass(frozen=True)
class PublishedSplit:
    """One division into training and tests.

    Attributes:
        name: Its name.
        train: The training questions.
        tests: (level, split) → test questions.
    """

    name: str
    train: list[Pair]
    tests: Mapping[tuple[str, str], list[Pair]]


@dataclass(frozen=True)
class Published:
    """What a folder has.

    Attributes:
        dataset: One of DATASETS.
        splits: Its splits.
        digests: File, relative to the folder → SHA-256 of its bytes.
    """

    dataset: str
    splits: list[PublishedSplit]
    digests: Mapping[str, str]


def read_folder(source: str, wanted: Iterable[str]) -> Published:
    """Read the files of a folder.

    Args:
        source: The folder.
        wanted: The splits to read; all if there are none.

    Raises:
        UsageError: There is no such folder, no file of a known form, or a file of another form.
    """
    if not source:
        raise UsageError("preset published reads the files of a benchmark; give --from FOLDER")
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise UsageError(f"--from {source}: there is no such folder; give that of published files")
    try:
        files = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file()}
    except OSError as error:
        raise UsageError(f"--from {source}: {error.strerror}; choose another folder") from None
    dataset = next((name for name, (found, _) in FORMS.items() if found(files)), "")
    if not dataset:
        raise UsageError(
            f"--from {source} has none of tasks_train_*.txt (SCAN), gen.tsv (COGS), dataset.json "
            "(CFQ) and train.tsv (GeoQuery); give the folder of published files"
        )
    found, read = FORMS[dataset]
    names = found(files)
    chosen = list(wanted) or names
    for name in chosen:
        if name not in names:
            raise UsageError(f"--from {source} has no split {quoted(name)}: {suggest(name, names)}")
    used: dict[str, Path] = {}
    splits = [read(files, name, used) for name in chosen]
    digests = {path.relative_to(folder).as_posix(): sha256(path) for path in used.values()}
    return Published(dataset, splits, dict(sorted(digests.items())))


Files = Mapping[str, Path]
Used = dict[str, Path]


# scan ---------------------------------------------------------------------------------------------


def _scan_splits(files: Files) -> list[str]:
    plain = [name for name in SCAN_LEVELS if f"tasks_train_{name}.txt" in files]
    mcd = [name for name in ("mcd1", "mcd2", "mcd3") if {f"{name}.json", "tasks.txt"} <= {*files}]
    return [*plain, *mcd]


def _read_scan(files: Files, name: str, used: Used) -> PublishedSplit:
    if name.startswith("mcd"):
        pairs = list(_scan_lines(_path(files, "tasks.txt", used)))
        return _by_indices(pairs, _path(files, f"{name}.json", used), name, SCAN_LEVELS[name])
    train, test = (
        list(_scan_lines(_path(files, f"tasks_{which}_{name}.txt", used)))
        for which in ("train", "test")
    )
    return PublishedSplit(name, train, {(SCAN_LEVELS[name], "test"): test})


def _scan_lines(path: Path) -> Iterator[Pair]:
    for number, line in enumerate(_lines(path), 1):
        match = SCAN_LINE.fullmatch(line.strip())
        if not match:
            raise _other_form(path, number, "IN: COMMAND OUT: ACTIONS")
        yield Pair(*(" ".join(text.split()) for text in match.groups()))


# cogs and geoquery --------------------------------------------------------------------------------


def _cogs_splits(files: Files) -> list[str]:
    return ["cogs"] if {"train.tsv", "gen.tsv"} <= {*files} else []


def _read_cogs(files: Files, name: str, used: Used) -> PublishedSplit:
    train = list(_table(_path(files, "train.tsv", used), 3))
    tests: dict[tuple[str, str], list[Pair]] = {}
    for file, split in (("dev", "validation"), ("test", "test")):
        if f"{file}.tsv" in files or file == "test":
            tests["iid", split] = list(_table(_path(files, f"{file}.tsv", used), 3))
    path = _path(files, "gen.tsv", used)
    for number, pair in enumerate(_table(path, 3), 1):
        if pair.kind not in KINDS:
            raise _other_form(path, number, f"a kind of COGS, such as {next(iter(KINDS))}")
        tests.setdefault((KINDS[pair.kind].level, "test"), []).append(pair)
    return PublishedSplit(name, train, tests)


def _geo_splits(files: Files) -> list[str]:
    return ["given"] if {"train.tsv", "test.tsv"} <= {*files} else []


def _read_geo(files: Files, name: str, used: Used) -> PublishedSplit:
    tests = {("iid", "test"): list(_table(_path(files, "test.tsv", used), 2))}
    if "dev.tsv" in files:
        tests["iid", "validation"] = list(_table(_path(files, "dev.tsv", used), 2))
    return PublishedSplit(name, list(_table(_path(files, "train.tsv", used), 2)), tests)


def _table(path: Path, width: int) -> Iterator[Pair]:
    for number, line in enumerate(_lines(path), 1):
        cells = [" ".join(cell.split()) for cell in line.split("\t")]
        if len(cells) != width or not all(cells):
            columns = ("a sentence", "its form", "its kind")[:width]
            raise _other_form(path, number, f"{', '.join(columns)} between tabs")
        yield Pair(*cells)


# cfq ----------------------------------------------------------------------------------------------


def _cfq_splits(files: Files) -> list[str]:
    return [name for name in CFQ_LEVELS if {f"{name}.json", "dataset.json"} <= {*files}]


def _read_cfq(files: Files, name: str, used: Used) -> PublishedSplit:
    path = _path(files, "dataset.json", used)
    rows = _json(path)
    if not isinstance(rows, list):
        raise _other_form(path, 1, "a list of questions")
    pairs = []
    for number, row in enumerate(rows, 1):
        texts = [row.get(key) for key in (QUESTION, QUERY)] if isinstance(row, dict) else [None]
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise _other_form(path, number, f"an object with {QUESTION} and {QUERY}")
        pairs.append(Pair(*(" ".join(str(text).split()) for text in texts)))
    return _by_indices(pairs, _path(files, f"{name}.json", used), name, CFQ_LEVELS[name])


def _by_indices(pairs: list[Pair], path: Path, name: str, level: str) -> PublishedSplit:
    """A split that is given as places in a list."""
    lists = _json(path)
    found: dict[str, list[Pair]] = {}
    for key in ("trainIdxs", "devIdxs", "testIdxs"):
        places = {"devIdxs": [], **lists}.get(key) if isinstance(lists, dict) else None
        if not isinstance(places, list) or not all(
            type(place) is int and 0 <= place < len(pairs) for place in places
        ):
            raise _other_form(path, 1, f"{key} with places from 0 to {len(pairs) - 1:,}")
        found[key] = [pairs[place] for place in places]
    tests = {(level, "test"): found["testIdxs"]}
    if found["devIdxs"]:
        tests[level, "validation"] = found["devIdxs"]
    return PublishedSplit(name, found["trainIdxs"], tests)


# files --------------------------------------------------------------------------------------------


def _path(files: Files, name: str, used: Used) -> Path:
    if name not in files:
        folder = next(iter(files.values())).parent
        raise UsageError(f"--from: {folder} lacks {name}; copy it there, or leave out its split")
    used[name] = files[name]
    return files[name]


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}); download it again") from None
    lines = text.removesuffix("\n").split("\n")
    if not text.strip():
        raise UsageError(f"{path} is empty; download it again")
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST:
            raise _other_form(path, number, f"at most {LONGEST:,} characters")
        yield line


def _json(path: Path) -> Any:
    try:
        return inputs.read_json(path, LARGEST)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({error}); download it again") from None


def _other_form(path: Path, number: int, wanted: str) -> UsageError:
    return UsageError(
        f"{path} row {number}: it must be {wanted}; give the files as they were published"
    )


Read = Callable[[Files, str, Used], PublishedSplit]
FORMS: Mapping[str, tuple[Callable[[Files], list[str]], Read]] = {
    "scan": (_scan_splits, _read_scan),
    "cogs": (_cogs_splits, _read_cogs),
    "cfq": (_cfq_splits, _read_cfq),
    "geoquery": (_geo_splits, _read_geo),
}
