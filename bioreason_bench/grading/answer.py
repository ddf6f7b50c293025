"""The final answer of a completion: comparing it with the right one.

The answer must equal the right answer after `normalise`.  Words may lead to it ("in Lisbon", "Mr.
Bo Ray"), and remarks may follow it ("Bo Ray, who was her boss"); another answer may not, and
neither may words that take it back.  A text that merely contains the right answer earns nothing.

Every function takes time linear in the length of the text, and none raises, whatever a model wrote.
"""

from __future__ import annotations

import re

from bioreason_bench.grading.markers import Completion, final_answer, split_answer
from bioreason_bench.grading.remarks import is_remark, takes_back
from bioreason_bench.grading.text import normalise, normalised_answer, plain_quotes, tidy
from bioreason_bench.grading.values import Expected, date_at, phone_at

__all__ = [
    "Completion",
    "final_answer",
    "gives",
    "normalise",
    "normalised_answer",
    "plain_quotes",
    "same_answer",
    "split_answer",
]

_LONGEST_ANSWER = 1000  # characters; the longest value of the built-in world has about a tenth
_MOST_LEAD_INS = 5
_EDGE = re.compile(r"(?:[\s\"'_~#$()\[\]{}<>.,;:!?\u2022-]|(?:an?|the)\s+(?=\S))+")
# Words that may precede the answer, in lower case.
_LEAD_IN = re.compile(
    r"""\(?\d{1,2}[.)]\s+                                            # 1. Ann Lee
    | (?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame)\.?\s+         # Mr. Ann Lee
    | (?:at|in|on|by|for|from|with|to|of|as|near|under)\s+           # in Lisbon
    | (?:city|town|cause|field|language|service|company|university|organization|organisation|book
        |award|prize|street|address|date|day|hobby|job|profession|occupation|nationality|name)
      \s+(?:of|called|named|titled)\s+                               # the city of Lisbon
    | (?:mailto|tel):\s*
    | (?:it|this|that|he|she|they)(?:'s|\s+(?:is|was|were|must\s+be|must\s+have\s+been|would\s+be))
      \s+                                                            # It was Ann Lee
    | (?:he|she|they)\s+(?:died|passed\s+away|lived|worked|served|majored|graduated|wrote|won|led)
      \s+                                                            # She died on ...
    | (?:born|employed|married|called|named|titled)\s+""",
    re.VERBOSE,
)


def same_answer(given: str, answer: str) -> bool:
    """Whether the line `given` answers `answer`, and gives no second answer."""
    given = given.strip()
    if given == answer or (given[:-1] == answer and given[-1] == "."):
        return True
    return gives(given, Expected(answer))


def gives(given: str, expected: Expected, rest: str = "") -> bool:
    """Whether a completion gives the expected answer and keeps to it.

    Args:
        given: The line of the answer.
        expected: The right answer.
        rest: The lines after it.
    """
    if not expected.right:
        return False
    if len(given) > _LONGEST_ANSWER:
        given, rest = given[:_LONGEST_ANSWER], f"{given[_LONGEST_ANSWER:]}\n{rest}"
    if normalise(given) != expected.right or "~" in given:
        text = tidy(given)
        end = _answer_end(text, expected)
        if end is None or not is_remark(text[end:], expected):
            return False
    return not rest or not takes_back(rest, expected)


def _answer_end(text: str, expected: Expected) -> int | None:
    """Where the right answer ends with which a tidy text begins; None if it begins otherwise."""
    lower = text.casefold()
    if len(lower) != len(text):
        lower = text.lower() if len(text.lower()) == len(text) else text
    if not (expected.date or expected.phone) and expected.right not in lower:
        return None
    begin = 0
    for _ in range(_MOST_LEAD_INS):
        if edge := _EDGE.match(lower, begin):
            begin = edge.end()
        end = _value_end(lower, begin, expected)
        if end is not None:
            return end
        lead_in = _LEAD_IN.match(lower, begin)
        if not lead_in:
            return None
        begin = lead_in.end()
    return None


def _value_end(text: str, begin: int, expected: Expected) -> int | None:
    """Where the right answer ends that begins here, in any of its usual forms; None without."""
    if text.startswith(expected.right, begin):
        end = begin + len(expected.right)
        return None if text[end : end + 1].isalnum() else end
    if expected.date:
        date = date_at(text, begin)
        return date[1] if date and date[0] == expected.date else None
    if expected.phone:
        phone = phone_at(text, begin)
        return phone[1] if phone and phone[0] == expected.phone else None
    return None
