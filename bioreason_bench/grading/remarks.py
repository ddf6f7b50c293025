"""What follows an answer: a remark, which is harmless, or words that take the answer back.

In the sentence of the answer, only remarks of certain forms may follow, and they may name nothing
else of the answer's kind, except the people of the question.  A later sentence or line may say
anything but a retraction ("No, wait"), another answer ("Answer: Bo Ray", "Or Bo Ray."), or a bare
value of the same kind ("Bo Ray.").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bioreason_bench.grading.text import EDGES, normalise, tidy
from bioreason_bench.grading.values import Expected
from bioreason_bench.world.templates import CAPITAL

__all__ = ["is_remark", "takes_back"]

_CLOSE = re.compile(r"(?:[\"_)\]}>$#]|'(?!s\b))*")
_END_OF_SENTENCE = re.compile(r"[.!?;]+[\"')\]}$_]*(?:\s|$)")
_BRACKET = re.compile(r"\s?[(\[]([^()\[\]]*)[)\]]?")
_SAME_SENTENCE = re.compile(
    rf""",?\s(?:who|whose|whom|which|where|when|because|since|as|according|based|given|from|by)\b
    | ,\s(?:of\scourse|indeed|I\sthink|I\sbelieve)\b
    | ,\s(?:[{CAPITAL}][\w-]*\s)*[{CAPITAL}][\w-]*'s?\s
    | ,\s(?P<apposition>an?|the)\s
    | \s(?:is|was|were|would)\s
    | \s(?:citizenship|nationality|citizen)\b
    | \s?:\s | \s?-+\s""",
    re.VERBOSE,
)
_HEDGE = re.compile(
    r"\b(?:or|not|no|never|maybe|perhaps|either|neither|nor|unless|wrong|false|incorrect|instead"
    r"|rather|alternatively|kidding|joking|actually|but|however|doubt|could|might|mistake"
    r"|mistaken|unlikely)\b|n't\b",
    re.IGNORECASE,
)
_RETRACTION = re.compile(
    r"""(?:(?:hmm+|oh|ah|well|uh|um|and|but|so)[,.]*\s+)*(?:
      no(?:pe)?(?=\s*(?:[,.:;!?-]|$)|\s+(?:wait|it|that|this|sorry|i)\b)
    | (?:not|wrong|false|incorrect|wait|or|alternatively|unless|kidding|just\skidding|oops|whoops
        |correction|disregard|nope)\b
    | (?:scratch|strike|cancel|forget|ignore)\s(?:that|this|it|the)\b
    | never\s?mind\b | hold\son\b | my\s(?:mistake|bad)\b | on\ssecond\sthought
    | i\s(?:was|am)\s(?:wrong|mistaken|kidding|joking) | i'm\s(?:wrong|mistaken|kidding|joking)
    | i\s(?:take|retract|withdraw|doubt|changed|made\san?\s(?:mistake|error))\b
    | i\s(?:don't|do\snot)\s(?:think|believe)\b
    | (?:that|this|it|the\sanswer|my\sanswer|which)(?:\sanswer)?(?:'s|\sis|\swas)\s(?:\w+\s)?
      (?:not|wrong|incorrect|false|mistaken)\b
    | (?:that|this|it|the\sanswer|my\sanswer)\s(?:isn't|wasn't)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_DENIED = re.compile(
    r"(?:'s)?\s(?:is|was)(?:n't|\snot)?\s(?:wrong|incorrect|false|not\s(?:right|correct|the\sanswer)"
    r"|(?<=n't\s)(?:right|correct|the\sanswer)|(?<=not\s)(?:right|correct|the\sanswer))\b"
)
_ANSWER = re.compile(
    r"(?:so,?\s)?(?:my\s|the\s)?(?:final\s|correct\s|right\s|real\s|actual\s)?answer"
    r"(?P<colon>\s?:|\s(?:is|was|should\sbe|must\sbe)\b\s?:?)\s*(?P<answer>.*)",
    re.IGNORECASE,
)
_LEADING_TO = re.compile(
    r"""(?:(?:actually|sorry|rather|instead|otherwise|maybe|perhaps|possibly|probably|but|however
    |and|also|i\smeant?|hmm+|edit|update|no|yes|so|thus|therefore|oh|well|then|in\sfact|mr|mrs|ms|dr
    |more\slikely|an?|the|(?P<copula>(?:it|this|that|he|she|they|(?:right|correct|real|true|actual)
    \s(?:answer|person|name|one))(?:'s|\sis|\swas|\s(?:could|might|may|should|must)\s(?:also\s)?be)
    |could\sbe|might\sbe|should\sbe|may\sbe))
    (?:[\s,.:;-]+|$))*""",
    re.IGNORECASE | re.VERBOSE,
)
_IS_THE_ANSWER = re.compile(
    r"\s(?:is|was)\s(?:the|my)\s(?:right\s|correct\s|real\s|true\s|final\s)?answer\b|\sinstead\b",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed ?\{([^{}]{1,400})\}")
_LIST_NUMBER = re.compile(r"[\s\"'_#>$()\[\].,;:!?\u2022-]*(?:\d{1,2}[.)]\s+)?")
_LINE = re.compile(r"\S[^\n]*")
_SENTENCE = re.compile(r"(?<=[.!?;])[\"')\]]{0,4}\s")
_LONGEST_SENTENCE = 1000  # characters of a sentence that are read
_LONGEST_REST = 20_000  # of a longer text, the beginning and the end are read


def is_remark(text: str, expected: Expected) -> bool:
    """Whether what follows the answer on its line, tidied, leaves the answer as it is."""
    while True:
        close = _CLOSE.match(text)
        text = text[close.end() :] if close else text
        if not text.strip(EDGES):
            return True
        if end := _END_OF_SENTENCE.match(text):
            return not takes_back(text[end.end() :], expected)
        if bracket := _BRACKET.match(text):
            if not _names_nothing_else(bracket[1], expected):
                return False
            text = text[bracket.end() :]
            continue
        if not (opening := _SAME_SENTENCE.match(text)):
            return False
        if opening["apposition"] and not (expected.is_person or expected.values):
            return False
        sentence, *rest = _SENTENCE.split(text, maxsplit=1)
        return _names_nothing_else(sentence, expected) and not (
            rest and takes_back(rest[0], expected)
        )


def _names_nothing_else(text: str, expected: Expected) -> bool:
    """Whether a remark in the sentence of the answer is free of hedges and of other answers."""
    if _HEDGE.search(text) or expected.is_other(text):
        return False
    for begin, end in expected.others(text):
        possessive = text.startswith("'", end) or text.endswith(" of ", 0, begin)
        if not possessive and normalise(text[begin:end]) not in expected.people:
            return False
    return True


def takes_back(text: str, expected: Expected) -> bool:
    """Whether text after the sentence of the answer retracts it or gives another answer."""
    if len(text) > _LONGEST_REST:
        half = _LONGEST_REST // 2
        text = f"{text[:half]}\n{text[-half:]}"
    return any(_takes_back(sentence, expected) for sentence in _sentences(text))


def _sentences(text: str) -> Iterator[str]:
    """The sentences of all lines, tidied and without bullets; what is in boxes comes on its own."""
    for line in _LINE.finditer(text):
        for boxed in _BOXED.finditer(line[0]):
            yield f"answer: {boxed[1]}"
        for sentence in _SENTENCE.split(tidy(line[0])):
            number = _LIST_NUMBER.match(sentence)
            yield sentence[number.end() if number else 0 :][:_LONGEST_SENTENCE]


def _takes_back(sentence: str, expected: Expected) -> bool:
    text = sentence.strip(EDGES)
    if not text:
        return False
    if _RETRACTION.match(text) or expected.is_other(text):
        return True
    if text.casefold().startswith(expected.right) and _DENIED.match(text, len(expected.right)):
        return True
    if answer := _ANSWER.match(text):
        return _is_another(answer["answer"], ":" in answer["colon"], expected)
    leading = _LEADING_TO.match(text)
    begin = leading.end() if leading else 0
    for start, end in expected.others(text):
        if start > begin:
            break
        replaced = leading is not None and leading["copula"] is not None
        follows = text[end : end + 1]
        if replaced or not follows or follows in ",.;!?)/" or _IS_THE_ANSWER.match(text, end):
            return True
    return False


def _is_another(given: str, colon: bool, expected: Expected) -> bool:
    """Whether "Answer: {given}" is another answer; without a colon it may be another remark."""
    given = given.strip(EDGES)
    if not given or normalise(given).startswith(expected.right):
        return False
    if _RETRACTION.match(given):
        return True
    if any(start == 0 for start, _ in expected.others(given)):
        return True
    return colon and not re.match(r"(?:also )?(?:consistent|correct|right|confirmed|clear)", given)
