"""All that is known of a study: its result lines and the verdict on each question.

    OUT/results.jsonl, OUT/verdicts.parquet     what is committed; both are made from run folders

A report is a function of `Evidence`, and comes out the same from the run folders and from the two
files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from bioreason_bench.errors import ReleaseError
from bioreason_bench.experiments.results import (
    RESULTS,
    VERDICTS,
    Line,
    Lines,
    composed_skill,
    read_lines,
    skill_of,
    sweep_number,
    without_path,
    write_json_lines,
)
from bioreason_bench.experiments.verdicts import METRICS, Key, Part, Verdicts
from bioreason_bench.experiments.verdicts import VERDICTS as VERDICTS_FILE
from bioreason_bench.release.disk import plain_errors
from bioreason_bench.taxonomy import KIND_NAMES, LEVELS

FIRST_PARTS = (  # of an arm's name, in the order of a report
    *("base", "sft_comp", "sft_comp_atoms", "sft_mem", "sft_ctx"),
    *("sft_mem_ctx", "sft_mem_ctx_comp"),
)
LATER_PARTS = ("", "skills", "gold", "rft", "grpo")
TOLD_APART = 10_000  # questions of which a share of four decimals is one number
ROUNDED = 1e-3  # by which the mean of verdicts may differ from that of a result line
World = tuple[str, int]  # preset and seed of a release


class Evidence:
    """The lines and verdicts of several runs, by arm and seed.

    Attributes:
        study: The line of type "study", {} if there is none.
        runs: Lines of type "run".
        passk: Lines of type "passk".
        lines: Lines of type "result" of the last stage of each run.
        verdicts: The verdicts that these lines sum up, as far as they are there.
        arms: Names of the arms in the order of the report.
        seeds: Seeds of training, sorted.
        bases: Arm -> the arm whose model it was trained from.
    """

    def __init__(self, lines: Lines, verdicts: Verdicts | None = None) -> None:
        self.study: Line = next((line for line in lines if line.get("type") == "study"), {})
        results = of_last_stage([line for line in lines if line.get("type") == "result"])
        listed = {arm: number for number, arm in enumerate(self.study.get("arms", ()))}
        self.arms = sorted(
            {line["arm"] for line in results},
            key=lambda arm: (listed.get(arm, len(listed)), arm_order(arm)),
        )
        order = {arm: number for number, arm in enumerate(self.arms)}

        def place(line: Line) -> tuple[int, str, int, str]:
            """Sorts lines by arm, seed and test set."""
            arm = line["arm"]
            return order.get(arm, len(order)), arm, line["seed"], line.get("config", "")

        self.lines = sorted(results, key=place)
        self.runs, self.passk = (
            sorted((line for line in lines if line.get("type") == kind), key=place)
            for kind in ("run", "passk")
        )
        self.seeds = sorted({line["seed"] for line in self.lines})
        self.verdicts = verdicts or Verdicts()
        self.bases = bases_of(self.runs)
        self._worlds = {(run["arm"], run["seed"]): world_of(run) for run in self.runs}

    def of(self, arm: str, config: str = "") -> list[Line]:
        """The result lines of an arm, or those on one test set."""
        return [line for line in self._by_arm[arm] if config in ("", line["config"])]

    @cached_property
    def _by_arm(self) -> Mapping[str, list[Line]]:
        by_arm: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            by_arm[line["arm"]].append(line)
        return by_arm

    @cached_property
    def configs(self) -> list[str]:
        """The test sets that were measured: by skill, then in the order of levels and kinds."""
        names = (*LEVELS, *KIND_NAMES)
        measured = {line["config"] for line in self.lines}
        skills = dict.fromkeys(("comp", "mem", "ctx", *sorted(map(skill_of, measured))))
        known = [f"{skill}_{name}" for skill in skills for name in names]
        return [config for config in known if config in measured] + sorted(
            measured.difference(known, ["probes"])
        )

    @cached_property
    def skill(self) -> str:
        """The skill that is composed: `comp`, or that of the questions of another family."""
        return composed_skill(self.configs)

    @property
    def of_people(self) -> bool:
        """Whether the questions are those on people, whose chains have one step for each hop."""
        return self.skill == "comp"

    @property
    def composed(self) -> list[str]:
        """The test sets of that skill: comp_iid, comp_composition, ..."""
        return [config for config in self.configs if skill_of(config) == self.skill]

    @property
    def zeroshot(self) -> str:
        """The test set that decides where nothing else is said: comp_zeroshot."""
        return f"{self.skill}_zeroshot"

    def world(self, line: Line) -> World:
        """The world of a line's run; the seed stands for it if nothing else is known."""
        return self._worlds.get((line["arm"], line["seed"]), ("", line["seed"]))

    @property
    def worlds(self) -> list[World]:
        """The worlds of all runs with results, sorted."""
        return sorted({self.world(line) for line in self.lines})

    def by_world(self, arm: str, config: str, metric: str) -> dict[World, float]:
        """The score of an arm in each world: the mean over its seeds there."""
        scores: dict[World, list[float]] = defaultdict(list)
        for line in self.of(arm, config):
            scores[self.world(line)].append(_exact(line, metric))
        return {world: sum(values) / len(values) for world, values in sorted(scores.items())}

    def parts(self, arm: str, config: str) -> list[tuple[Line, Part]]:
        """The verdicts of an arm on a test set, seed by seed, as far as they are there."""
        found = [
            (line, self.verdicts.of(arm, line["seed"], config)) for line in self.of(arm, config)
        ]
        return [(line, part) for line, part in found if part is not None]

    def all_lines(self) -> list[Line]:
        """The lines as they are written to results.jsonl."""
        study = [self.study] if self.study else []
        return [*study, *self.runs, *self.lines, *self.passk]


def read_evidence(paths: Sequence[Path]) -> Evidence:
    """Read run folders, folders of them, and files of results with the verdicts next to them.

    Raises:
        UsageError: There is no result, or a file is not made of result lines.
        ReleaseError: Verdicts cannot be read, or are not those of the result lines.
    """
    lines = read_lines(paths)
    parts: dict[Key, Part] = {}
    for path in paths:
        file = (path.parent if path.is_file() else path) / VERDICTS_FILE
        if file.is_file():
            parts |= Verdicts.read(file).parts
    last = of_last_stage([line for line in lines if line["type"] == "result"])
    in_folders = {
        key: line[VERDICTS]
        for line in last
        if VERDICTS in line and (key := key_of(line)) not in parts
    }
    from_folders = Verdicts.from_files(in_folders).parts
    for line in last:
        key = key_of(line)
        # a run folder of the same name may hold another run than the one that the line is about
        if key in from_folders and agree(line, from_folders[key]):
            parts[key] = from_folders[key]
        elif key in parts and not agree(line, parts[key]):
            raise ReleaseError(
                f"{VERDICTS_FILE} and {RESULTS} disagree about {key.arm}, seed {key.seed}, "
                f"{key.config}; get both again, or make them anew from the run folders"
            )
    known = {key_of(line) for line in last}
    verdicts = Verdicts({key: part for key, part in parts.items() if key in known})
    return Evidence([without_path(line) for line in lines], verdicts)


def write_evidence(evidence: Evidence, folder: Path) -> None:
    """Write results.jsonl and verdicts.parquet into a folder: what is committed of a study."""
    with plain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_json_lines(folder / RESULTS, evidence.all_lines())
    evidence.verdicts.write(folder / VERDICTS_FILE)


def key_of(line: Line) -> Key:
    return Key(line["arm"], line["seed"], line["config"])


def agree(line: Line, part: Part) -> bool:
    """Whether verdicts have the means that a result line states."""
    return len(part.questions) == line["questions"] and all(
        abs(float(part.right(metric).mean()) - line[metric]) < ROUNDED for metric in METRICS
    )


def _exact(line: Line, metric: str) -> float:
    """A score of a result line, whose shares have four decimals, as right questions of all."""
    score, questions = float(line[metric]), int(line["questions"])
    if metric in METRICS and 0 < questions < TOLD_APART:
        return round(score * questions) / questions
    return score


def world_of(run: Line) -> World:
    return str(run["world"]["preset"]), int(run["world"]["seed"])


def of_last_stage(lines: Lines) -> list[Line]:
    """The lines whose stage is the last one measured in their run."""
    last: dict[tuple[str, int], int] = {}
    for line in lines:
        run = (line["arm"], line["seed"])
        last[run] = max(last.get(run, 0), line["stage"])
    return [line for line in lines if line["stage"] == last[line["arm"], line["seed"]]]


def arm_order(arm: str) -> tuple[int, str, int, str, float]:
    """A sort key: by the first part of the name, then the second, then the value of a sweep.

    "sft_comp" comes before "sft_comp+grpo", and "few_shot=8" before "few_shot=16".
    """
    name, _, value = arm.partition("=")
    first, _, second = name.partition("+")
    return (
        FIRST_PARTS.index(first) if first in FIRST_PARTS else len(FIRST_PARTS),
        first,
        LATER_PARTS.index(second) if second in LATER_PARTS else len(LATER_PARTS),
        second,
        sweep_number(value) or 0.0,
    )


def start_of_rl(arm: str) -> str | None:
    """What an arm of GRPO begins from: "sft_mem_ctx" of "sft_mem_ctx+grpo=8"; None for others."""
    start, plus, last = arm.partition("=")[0].rpartition("+")
    return start if plus and last.partition("_")[0] == "grpo" else None


def controls_of(start: str, arms: Sequence[str]) -> list[str]:
    """The controls of GRPO from `start`: SFT on gold chains of its prompts, of any amount."""
    return [arm for arm in arms if arm.partition("=")[0] == f"{start}+gold"]


def bases_of(runs: Lines) -> dict[str, str]:
    """The base of each arm: as its run states it, else the arm with most of its first stages."""
    recipes = {run["arm"]: run["recipe"] for run in runs}
    bases = {run["arm"]: run["base"] for run in runs if run.get("base")}
    for arm, recipe in recipes.items():
        for other, other_recipe in recipes.items():
            longest = len(recipes.get(bases.get(arm, ""), {}).get("stages", []))
            if longest < len(other_recipe.get("stages", [])) and _begins_with(recipe, other_recipe):
                bases[arm] = other
    return bases


def _begins_with(recipe: Line, other: Line) -> bool:
    """Whether `recipe` has all stages of `other`, on the same model, and then some."""
    stages, first = recipe.get("stages", []), other.get("stages", [])
    return (
        len(first) < len(stages)
        and stages[: len(first)] == first
        and recipe.get("model") == other.get("model")
    )
