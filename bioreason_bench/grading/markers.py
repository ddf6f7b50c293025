r"""Where a completion gives its answer: the text after the last marker.

The marker is "the answer is:".  If a completion has none, the last of the other usual ones counts:
"the answer is" without a colon, "Answer:" or "Final answer:" at the beginning of a line,
"#### X", "\boxed{X}", "<answer>X</answer>" and "<|begin_of_box|>X".  A marker that is denied ("I
doubt that the answer is: X") gives no answer.

Every function takes time linear in the length of the text, and none raises.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from bioreason_bench.grading.text import EDGES, tidy, visible
from bioreason_bench.grading.thoughts import strip_thoughts
from bioreason_bench.language.answer import MARKER

__all__ = ["Completion", "final_answer", "split_answer"]

_THE_ANSWER_IS = r"\bthe\s{1,9}(?:final\s{1,9}|correct\s{1,9})?answer\s{1,9}is"
_COLON = re.compile(_THE_ANSWER_IS + r"[\s*_\"'`]{0,4}[:\uff1a]", re.IGNORECASE)
_NO_COLON = re.compile(_THE_ANSWER_IS + r"\b(?!\s*:)", re.IGNORECASE)
_SIGNS = ("answer:", "answer*", "Answer", "ANSWER", "####", "\\boxed", "<")  # of other markers
_OTHERS = re.compile(
    rf"""{_THE_ANSWER_IS}\b(?!\s*:)
    | ^[ \t>*_#`-]{{0,12}}(?:so,?\ |thus,?\ |therefore,?\ |hence,?\ )?(?:my\ |the\ )?
      (?:final\ |correct\ )?answer[ \t*_`]{{0,4}}(?:[:\uff1a][ \t*_`]{{0,4}}|$)
    | ^[ \t]{{0,3}}\#{{4}}[ \t]
    | (?=\\boxed\ ?\{{)
    | <answer>
    | <\|begin_of_box\|>""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
# "The answer is: consistent with the text" checks an answer and gives none.
_CONFIRMATION = re.compile(
    r"[\s*_]{0,9}(?:also )?(?:consistent|correct|right|confirmed|verified|supported|based|derived"
    r"|clear|found|given)\b",
    re.IGNORECASE,
)
_CLAUSE_BREAK = re.compile(
    r"[.!?;:,\n]|\b(?:so|thus|therefore|hence|then|and|but)\b", re.IGNORECASE
)
_DENIAL = re.compile(
    r"\b(?:not|never|no|nobody|none|nothing|neither|nor|cannot|doubt|doubts|deny|denies|hardly"
    r"|unlikely|false|wrong|untrue|incorrect|whether|unless)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_LONGEST_CLAUSE = 120  # characters before a marker in which a denial is looked for
_NEXT_QUESTION = re.compile(r"(?:^|[\s*#_])(?:Question|Q)(?: \d{1,3})?:")
_NEW_SENTENCE = re.compile(r"[.!?;][\"')*_]{0,4}\s+\S")
_LINES_AFTER_MARKER = 6  # lines in which an answer is looked for; the first ones may be empty


class Completion(NamedTuple):
    """A completion cut at its last marker, without thoughts.

    Attributes:
        chain: The text before the marker; the whole text if there is no marker.
        answer: The answer's line without markup, None if there is no answer.
        well_formed: Whether there is exactly one marker, in the form asked for, and an answer that
            ends the text.
        rest: The text after the answer's line, up to a question that follows.
        truncated: Whether a thought never ended, so that there is no answer.
        marked: Whether there is a marker, even if it is denied or nothing follows it.
    """

    chain: str
    answer: str | None
    well_formed: bool
    rest: str = ""
    truncated: bool = False
    marked: bool = True


def final_answer(text: str) -> str | None:
    """The text after the last marker, to the end of its line; None if there is none.

    If a model continues with a question of its own ("Question: ..."), the text is cut there.
    """
    return split_answer(text).answer


def split_answer(text: str) -> Completion:
    """The completion cut at its last marker."""
    text, truncated = strip_thoughts(text)
    if truncated:
        return Completion(visible(text), None, False, truncated=True)
    text = visible(text)
    start, end = _last_marker(text)
    if start >= 0 and (
        "Question" in text or "\nQ" in text
    ):  # a base model may continue with its own
        first = _COLON.search(text) or _OTHERS.search(text)
        if first and (following := _NEXT_QUESTION.search(text, first.end())):
            text = text[: following.start()]
            start, end = _last_marker(text)
    if start < 0:
        return Completion(text, None, False, marked=False)
    chain, tail = text[:start], text[end:].lstrip()
    if chain and not chain.endswith(("So, ", ". ", "\n")) and _is_denied(chain):
        return Completion(chain, None, False)
    lines = tail.split("\n", _LINES_AFTER_MARKER)
    for number, line in enumerate(lines[:_LINES_AFTER_MARKER], 1):
        line = line.strip(" \t\r*_`")
        if line and not line.endswith("{") and (line[0].isalnum() or tidy(line).strip(EDGES)):
            well_formed = (
                text.find(MARKER) == start
                and "\n" not in tail.rstrip()
                and not _NEW_SENTENCE.search(line)
            )
            return Completion(chain, line, well_formed, "\n".join(lines[number:]))
    return Completion(chain, None, False)


def _last_marker(text: str) -> tuple[int, int]:
    """Start and end of the last marker, (-1, -1) if there is none."""
    start = text.rfind(MARKER)
    end = start + len(MARKER) if start >= 0 else -1
    if text.find(":", max(end, 0)) >= 0 or "\uff1a" in text:
        later = deque(_COLON.finditer(text, max(end, 0)), maxlen=1)
        if later:
            start, end = later[0].span()
    if start < 0 or _CONFIRMATION.match(text, end):
        confirmed = start, end
        given = deque(_not_confirming(_COLON, text), maxlen=1) if start >= 0 else None
        if not given:
            others = _NO_COLON
            for sign in _SIGNS:
                if sign in text:
                    others = _OTHERS
            given = deque(_not_confirming(others, text), maxlen=1)
        return given[0].span() if given else confirmed
    return start, end


def _not_confirming(marker: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    return (match for match in marker.finditer(text) if not _CONFIRMATION.match(text, match.end()))


def _is_denied(chain: str) -> bool:
    """Whether the clause that leads to the marker denies it, as in "I doubt that"."""
    clause = _CLAUSE_BREAK.split(chain[-_LONGEST_CLAUSE:])[-1]
    denial = _DENIAL.search(clause.replace("no doubt", "").replace("not only", ""))
    return denial is not None
