"""Whether two answers say the same, where that is defined without a database.

| data set | two answers say the same if |
|---|---|
| scan | they are the same actions |
| cogs | they have the same conjuncts, in any order: variables are places of words |
| cfq | they select the same, and have the same conditions in any order |
| geoquery | they are the same program, the arguments of `intersection` in any order |

The queries of CFQ are about Freebase and those of GeoQuery about a database of the United States;
both are compared as texts and not executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

__all__ = ["same_meaning"]

TOKEN = re.compile(r"'[^']*'|[^\s(),']+|[(),]")
DEEPEST = 60  # parentheses in each other
SYMMETRIC = "intersection"


def same_meaning(dataset: str, one: str, other: str) -> bool:
    """Whether two answers of a data set say the same; False for what cannot be read."""
    return PLAIN_FORMS[dataset](one) == PLAIN_FORMS[dataset](other)


def _cogs(form: str) -> object:
    parts = [text for part in form.split(" ; ") for text in part.split(" AND ")]
    return sorted(" ".join(part.split()) for part in parts)


def _cfq(query: str) -> object:
    head, brace, body = " ".join(query.split()).partition("{")
    conditions = [" ".join(part.split()) for part in body.rstrip("} ").split(" . ")]
    return head.strip(), brace, sorted(part.rstrip(" .") for part in conditions)


def _program(program: str) -> object:
    """The program as a tree, in which the arguments of a symmetric function are sorted."""
    stack: list[list[object]] = [[]]
    for word in TOKEN.findall(program):
        if word == "(" and len(stack) < DEEPEST:
            stack.append([])
        elif word == ")" and len(stack) > 1:
            inside = stack.pop()
            name = stack[-1].pop() if stack[-1] else ""
            stack[-1].append((name, *(sorted(inside, key=repr) if name == SYMMETRIC else inside)))
        elif word != ",":
            stack[-1].append(word)
    return stack


PLAIN_FORMS: Mapping[str, Callable[[str], object]] = {
    "scan": str.split,
    "cogs": _cogs,
    "cfq": _cfq,
    "geoquery": _program,
}
