"""Freeze Faker's English names as package data, so that releases do not depend on its version.

    python scripts/freeze_words.py    # rewrites first_names.txt and last_names.txt in world/words

The lists keep names of at least two ASCII letters, without titles and suffixes, and no last name
that is also a first name ("James James" cannot occur).  "Mcdonald" becomes "McDonald"; "Oneill",
which has lost its apostrophe, is left out.  The head of each file names the version of Faker.  The
other word lists in the folder were written by hand for this project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import faker
from faker.providers.person.en_US import Provider

WORDS = Path(__file__).resolve().parent.parent / "bioreason_bench" / "world" / "words"
# No name may begin one of the package's own sentences, or be a month.
OPENINGS = "Against At By Email For In Of On So The To What When Where Which Who Whom With"
MONTHS = "April August June May"
LOST_APOSTROPHE = re.compile(
    r"O(?:brien|connell|connor|donnell|hara|keefe|neal|neil|neill|reilly|rourke|sullivan)$"
)


def keep(names: Iterable[str], without: Iterable[str]) -> list[str]:
    """Return the usable names in alphabetical order, without duplicates."""
    fixed = {re.sub(r"^Mc([a-z])", lambda match: "Mc" + match[1].upper(), name) for name in names}
    return sorted(
        name
        for name in fixed - {*without}
        if name.isascii() and name.isalpha() and len(name) > 1 and not LOST_APOSTROPHE.match(name)
    )


def freeze() -> None:
    """Write both lists."""
    reserved = {*OPENINGS.split(), *MONTHS.split()}
    first = keep(Provider.first_names, reserved)
    last = keep(Provider.last_names, reserved.union(first))
    for file, words in (("first_names.txt", first), ("last_names.txt", last)):
        head = f"# Faker {faker.VERSION}, en_US; frozen by scripts/freeze_words.py\n"
        (WORDS / file).write_text(head + "\n".join(words) + "\n", encoding="utf-8")
        print(f"{file}: {len(words)} words")


if __name__ == "__main__":
    freeze()
