"""Freeze Faker's English names into package data, so that no release depends on the version of Faker that is installed.

    python scripts/freeze_words.py            # rewrites bioreason_bench/world/words/{first_names,last_names}.txt

Kept: ASCII letters only, no titles or suffixes, at least two letters, and no last name that is also a first name (so that
"James James" cannot be).  "Mcdonald" becomes "McDonald"; "Oneill", which has lost its apostrophe, goes.  The version of Faker
stands in the head of each file.  The other word lists beside them are written by hand for this project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import faker
from faker.providers.person.en_US import Provider

WORDS = Path(__file__).resolve().parent.parent / "bioreason_bench" / "world" / "words"
# Words that begin the package's own sentences, and months: no name may be one of them.
TAKEN = {
    "Against",
    "At",
    "By",
    "Email",
    "For",
    "In",
    "Of",
    "On",
    "So",
    "The",
    "To",
    "What",
    "When",
    "Where",
    "Which",
    "Who",
    "Whom",
    "With",
}
TAKEN |= {"April", "August", "June", "May"}
NO_APOSTROPHE = re.compile(
    r"O(?:brien|connell|connor|donnell|hara|keefe|neal|neil|neill|reilly|rourke|sullivan)$"
)


def keep(names: Iterable[str], without: Iterable[str]) -> list[str]:
    """The usable names in alphabetical order, each once."""
    fixed = {
        re.sub(r"^Mc([a-z])", lambda match: "Mc" + match[1].upper(), name) for name in names
    } - {*without}
    return sorted(
        name
        for name in fixed
        if name.isascii() and name.isalpha() and len(name) > 1 and not NO_APOSTROPHE.match(name)
    )


def freeze() -> None:
    first = keep(Provider.first_names, TAKEN)
    last = keep(Provider.last_names, TAKEN.union(first))
    for file, words in (("first_names.txt", first), ("last_names.txt", last)):
        head = f"# Faker {faker.VERSION}, en_US; frozen by scripts/freeze_words.py\n"
        (WORDS / file).write_text(head + "\n".join(words) + "\n", encoding="utf-8")
        print(f"{file}: {len(words)} words")


if __name__ == "__main__":
    freeze()
