"""Write the task files of tasks/: one small YAML for each config and variant, and the groups over them.

    python scripts/write_tasks.py [FOLDER]

The base files (tasks/_*.yaml) and tasks/README.md are written by hand.  A test holds that the rest is what this writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

LEVELS = ("iid", "composition", "zeroshot", "entity", "depth")
BEYOND = {  # leaves of their own, in no average: (variants, the base files' addition)
    "comp_counterfactual": (("", "openbook", "direct"), "pairs"),
    "comp_conflict": (("", "direct"), "conflict"),
    "mem_direction": (("", "direct"), "pairs"),
}
VARIANTS = {  # variant: (skills, the base file of its groups)
    "": (("mem", "ctx", "comp"), "_group_chain"),
    "openbook": (("mem", "comp"), "_group_chain"),
    "direct": (("mem", "ctx", "comp"), "_group_direct"),
    "passk": (("mem", "ctx", "comp"), "_group_passk"),
    "probes": (("mem", "ctx", "comp"), "_group_chain"),
}


def task_files() -> dict[str, str]:
    """Path inside tasks/ -> text of every generated file."""
    files = {}
    for variant, (skills, base) in VARIANTS.items():
        for skill in skills:
            for level in LEVELS:
                name = _name(f"{skill}_{level}", variant)
                files[f"{skill}/{name}.yaml"] = _leaf(name, f"{skill}_{level}", variant)
            group = _name(skill, variant)
            files[f"{skill}/{group}.yaml"] = _group(
                group, [_name(f"{skill}_{level}", variant) for level in LEVELS], f"../{base}.yaml"
            )
        for questions, (variants, addition) in BEYOND.items():
            if variant in variants:
                name = _name(questions, variant)
                files[f"{questions.partition('_')[0]}/{name}.yaml"] = _leaf(
                    name, questions, variant, addition
                )
        group = _name("", variant)
        files[f"{group}.yaml"] = _group(
            group, [_name(skill, variant) for skill in skills], f"{base}.yaml"
        )
    return files


def _name(stem: str, variant: str) -> str:
    return "_".join(part for part in ("bioreason", stem, variant) if part)


def _leaf(name: str, questions: str, variant: str, addition: str = "") -> str:
    base = f"../_{variant or 'chain'}.yaml"
    if addition:
        base = f"[{base}, ../_{addition}{'_direct' if variant == 'direct' else ''}.yaml]"
    kwargs = f"  questions: {questions}\n" + (
        f"  variant: {variant}\n" if variant in ("openbook", "probes") else ""
    )
    return f"include: {base}\ntask: {name}\ndataset_kwargs:\n{kwargs}"


def _group(name: str, members: list[str], base: str) -> str:
    return "\n".join(
        [
            f"include: {base}",
            f"group: {name}",
            "task:",
            *(f"  - {member}" for member in members),
            "",
        ]
    )


def main(folder: Path) -> None:
    wanted = task_files()
    for file in folder.rglob("bioreason*.yaml"):
        if file.relative_to(folder).as_posix() not in wanted:
            file.unlink()
    for file, text in wanted.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    print(f"{len(wanted)} files in {folder}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "tasks")
