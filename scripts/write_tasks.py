"""Write the task files of tasks/: a small YAML for each config and variant, and their groups.

    python scripts/write_tasks.py [FOLDER]

The base files (tasks/_*.yaml) and tasks/README.md are written by hand.  A test compares the other
files with what this script writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bioreason_bench.taxonomy import LEVELS, QUESTION_KINDS, SKILLS

VARIANTS = {  # variant: (skills, the base file of its groups)
    "": (SKILLS, "_group_chain"),
    "openbook": (("mem", "comp"), "_group_chain"),
    "chat": (SKILLS, "_group_chat"),
    "openbook_chat": (("mem", "comp"), "_group_chat"),
    "direct": (SKILLS, "_group_direct"),
    "passk": (SKILLS, "_group_passk"),
    "probes": (SKILLS, "_group_chain"),
}
FAMILY_LEVELS = {  # of families other than people; their groups are in no other group
    "strings": ("iid", "composition", "zeroshot", "depth"),
    "scan": ("iid", "composition", "zeroshot", "depth"),
    "cogs": ("iid", "composition", "zeroshot", "depth"),
}
FAMILY_TOKENS = {  # that a chain and an answer may take: twice the words of the longest gold one
    "strings": (512, 64),
    "scan": (1024, 256),
    "cogs": (3072, 1536),
}
FAMILY_VARIANTS = {name: VARIANTS[name][1] for name in ("", "openbook", "chat", "direct")}
FAMILY_VARIANTS["openbook_chat"] = "_group_chat"
BASES = {"": "_chain", "openbook_chat": "_chat"}  # of leaves; of other variants: _{variant}
DOCUMENTS = {"openbook": "openbook", "openbook_chat": "openbook", "probes": "probes"}
FORMS = {"direct": "_direct", "chat": "_chat", "openbook_chat": "_chat"}  # of a kind's base file
CHAINS_OF = {"chat": "", "openbook_chat": "openbook"}  # every task with chains has a chat variant


def task_files() -> dict[str, str]:
    """Path inside tasks/ -> text of every generated file."""
    files = {}
    for variant, (skills, base) in VARIANTS.items():
        for skill in skills:
            for level in LEVELS:
                name = _name(f"{skill}_{level}", variant)
                files[f"{skill}/{name}.yaml"] = _leaf(name, f"{skill}_{level}", variant)
            group = _name(skill, variant)
            members = [_name(f"{skill}_{level}", variant) for level in LEVELS]
            files[f"{skill}/{group}.yaml"] = _group(group, members, f"../{base}.yaml")
        for kind in QUESTION_KINDS:  # in no group, and so in no average
            if {variant, CHAINS_OF.get(variant, variant)} & {*kind.variants}:
                name = _name(kind.config, variant)
                text = _leaf(name, kind.config, variant, kind.task)
                files[f"{kind.skill}/{name}.yaml"] = text
        group, members = _name("", variant), [_name(skill, variant) for skill in skills]
        files[f"{group}.yaml"] = _group(group, members, f"{base}.yaml")
    for family, levels in FAMILY_LEVELS.items():
        for variant, base in FAMILY_VARIANTS.items():
            for level in levels:
                name = _name(f"{family}_{level}", variant)
                text = _leaf(name, f"{family}_{level}", variant, "family") + _limit(family, variant)
                files[f"{family}/{name}.yaml"] = text
            group = _name(family, variant)
            members = [_name(f"{family}_{level}", variant) for level in levels]
            files[f"{family}/{group}.yaml"] = _group(group, members, f"../{base}.yaml")
    return files


def _name(stem: str, variant: str) -> str:
    return "_".join(part for part in ("bioreason", stem, variant) if part)


def _leaf(name: str, questions: str, variant: str, addition: str = "") -> str:
    base = f"../{BASES.get(variant, f'_{variant}')}.yaml"
    if addition:
        form = "" if addition == "family" else FORMS.get(variant, "")
        base = f"[{base}, ../_{addition}{form}.yaml]"
    kwargs = f"  questions: {questions}\n"
    if variant in DOCUMENTS:
        kwargs += f"  variant: {DOCUMENTS[variant]}\n"
    return f"include: {base}\ntask: {name}\ndataset_kwargs:\n{kwargs}"


def _limit(family: str, variant: str) -> str:
    """The generation_kwargs of a family's task: those of its base file but for the limit."""
    if variant in {"chat", "openbook_chat"}:
        return ""
    tokens = FAMILY_TOKENS[family][variant == "direct"]
    stop = '["\\nQuestion:", " Question:"]'
    return f"generation_kwargs:\n  until: {stop}\n  do_sample: false\n  max_gen_toks: {tokens}\n"


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
    files = task_files()
    for file in folder.rglob("bioreason*.yaml"):
        if file.relative_to(folder).as_posix() not in files:
            file.unlink()
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    print(f"{len(files)} files in {folder}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "tasks")
