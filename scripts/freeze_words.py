"""Freeze Faker's English names into package data, so that no release depends on the version of Faker that is installed.

    python scripts/freeze_words.py            # rewrites bioreason_bench/world/words/{first_names,last_names}.txt

Kept: ASCII letters only, no titles or suffixes, at least two letters, and no last name that is also a first name (so that
"James James" cannot be).  "Mcdonald" becomes "McDonald".  The version of Faker stands in the head of each file.  The other
word lists beside them are written by hand for this project.
"""

from __future__ import annotations

import re
from pathlib import Path

import faker
from faker.providers.person.en_US import Provider

WORDS = Path(__file__).resolve().parent.parent / "bioreason_bench" / "world" / "words"
# Words that stand in the package's own sentences with a capital letter, and months: no name may be one of them.
TAKEN = {"For", "In", "The", "What", "When", "Where", "Which", "Who", "Whom", "April", "August", "June", "May", "So", "To", "At", "On", "Of"}


def keep(names: object, without: frozenset[str] = frozenset()) -> list[str]:
    """The usable names in alphabetical order, each once."""
    fixed = {re.sub(r"^Mc([a-z])", lambda match: "Mc" + match[1].upper(), name) for name in names}
    return sorted(name for name in fixed if name.isascii() and name.isalpha() and len(name) > 1 and name not in TAKEN and name not in without)


def freeze() -> None:
    first = keep(Provider.first_names)
    last = keep(Provider.last_names, frozenset(first))
    for file, words in (("first_names.txt", first), ("last_names.txt", last)):
        head = f"# Faker {faker.VERSION}, en_US; frozen by scripts/freeze_words.py\n"
        (WORDS / file).write_text(head + "\n".join(words) + "\n", encoding="utf-8")
        print(f"{file}: {len(words)} words")


if __name__ == "__main__":
    freeze()
