"""An outsider's interpreter of string programs: nothing of the package, slices alone."""

from __future__ import annotations

from typing import Any

A = "abcdefghijkl"


def skill(words: str, s: str) -> str:
    """What a skill makes of a string, by its definition."""
    n, h = len(s), -(-len(s) // 2)
    number = [A.index(c) for c in s]
    vowels = [c for c in s if c in "aei"]
    if " becomes " in words and words.count(" becomes ") == len(A):
        table = dict(part.split(" becomes ") for part in words.split(", "))
        return "".join(table[c] for c in s)
    table = {
        "the letters in reverse order": s[::-1],
        "the first letter is moved to the end": s[1:] + s[:1],
        "the last letter is moved to the front": s[n - 1 :] + s[: n - 1],
        "every letter is written twice": "".join(2 * c for c in s),
        "the string is written twice": 2 * s,
        "the string is followed by its letters in reverse order": s + s[::-1],
        "the first letter is left out, unless it is the only one": s[1:] if n > 1 else s,
        "the last letter is left out, unless it is the only one": s[: n - 1] if n > 1 else s,
        "only the letters at odd places are kept": s[0::2],
        "only the letters at even places are kept, of one letter that one": s[1::2] if n > 1 else s,
        "the letters in the order of the alphabet": "".join(sorted(s)),
        "the letters in the reverse order of the alphabet": "".join(sorted(s))[::-1],
        "every letter becomes the next one, and l becomes a": _by(number, 1),
        "every letter becomes the one before, and a becomes l": _by(number, 11),
        "every letter becomes the fifth after it, with a following l": _by(number, 5),
        "a becomes e, e becomes i, and i becomes a": "".join(
            {"a": "e", "e": "i", "i": "a"}.get(c, c) for c in s
        ),
        "the first and the last letter change places": (s[-1] + s[1:-1] + s[0]) if n > 1 else s,
        "the letters change places in pairs, from the front": "".join(
            s[k : k + 2][::-1] for k in range(0, n, 2)
        ),
        "of equal letters only the first is kept": "".join(
            c for k, c in enumerate(s) if c not in s[:k]
        ),
        "the letters a, e and i come first, then the others, each in their order": "".join(vowels)
        + "".join(c for c in s if c not in "aei"),
        "the letters of the first half and of the second half are taken in turns": "".join(
            s[k : k + 1] + (s[h + k : h + k + 1]) for k in range(h)
        ),
        "a and l, b and k, c and j, d and i, e and h, f and g are swapped": "".join(
            A[11 - k] for k in number
        ),
        "the first letter is added at the end": s + s[:1],
        "the letters a, e and i are written twice": "".join(2 * c if c in "aei" else c for c in s),
    }
    return table[words]


def _by(number: list[int], by: int) -> str:
    return "".join(A[(k + by) % 12] for k in number)


def answer(definitions: dict[str, Any], question: str) -> str:
    """The answer of a question, letters with blanks between them."""
    left, _, right = question.partition(" : ")
    words, x = left.split(), right.replace(" ", "")
    route = definitions["routings"].get(words[0])
    names = words[1:] if route else words

    def go(names: list[str], s: str) -> str:
        for name in names:
            s = s if name == "keep" else skill(definitions["skills"][name], s)[:16]
        return s

    h = -(-len(names) // 2)
    first, second = names[:h], names[h:]
    middle = -(-len(x) // 2)
    whole = go(names[:-1], x)
    cut = -(-len(whole) // 2)
    parts = (x[:middle], x[middle:] or x), (whole[:cut], whole[cut:] or whole)
    one, two = go(first, x), go(second, x)
    every = go(names, x)
    table = {
        None: every,
        "the skills are applied one after another": every,
        "the skills are applied one after another, and the result is joined with x": every + x,
        "the skills are applied one after another, and the result is joined with that of the first "
        "skill": every + go(names[:1], x),
        "the first half of the skills is applied to x, then the second half to x, and the two "
        "results are joined": one + two,
        "the first half of the skills is applied to x, then the second half to x, and the longer "
        "result is taken": two if len(two) > len(one) else one,
        "the skills are applied one after another, the last one twice": go(names[-1:], every),
        "all skills but the last are applied one after another, the last one to the left and to "
        "the right half of the result, and the two results are joined": go(names[-1:], parts[1][0])
        + go(names[-1:], parts[1][1]),
        "the first half of the skills is applied to the left half of x, the second half to the "
        "right half, and the second result is joined with the first": go(second, parts[0][1])
        + go(first, parts[0][0]),
        "the first half of the skills is applied if x begins with a vowel, else the second half": (
            one if x[0] in "aei" else two
        ),
        "the first half of the skills is applied to x, the result is joined with x, and the second "
        "half is applied to that": go(second, (one + x)[:16]),
    }
    return " ".join(table[route][:16])
