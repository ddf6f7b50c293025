"""Prompts: a question as text, for base models and for chat models.

A base model is given the bare prompt, which training uses as well.  A chat model is told in words
where the facts are and in which form to answer; nothing else differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bioreason_bench.family import family_of_row

__all__ = [
    "UNANSWERABLE",
    "UNKNOWN",
    "chat_example",
    "chat_prompt",
    "facts_in",
    "instruction",
    "library_prompt",
    "make_prompt",
]

UNKNOWN = "unknown"  # the answer where a needed fact is stated nowhere
UNANSWERABLE = "unanswerable"  # the level of such questions, and of their answerable twins

# Where the facts of a question are, in words for a chat model.
FACTS = {
    "context": "Below are biographies of fictional people and a question about them. "
    "Every fact that you need is in the biographies.",
    "both": "Below are biographies of fictional people and a question about them. "
    "Some facts that you need are in the biographies, the others you know from training.",
    "memory": "Below is a question about fictional people. "
    "You know every fact that you need from training.",
    UNANSWERABLE: "Below are biographies of fictional people and a question about them. "
    "Use the biographies alone. If they do not state a fact that you need, the answer is "
    f'"{UNKNOWN}".',
}
FORM = (
    "Reason step by step: one short sentence for each step, in the past tense and with full names. "
    'End with the line "So, the answer is: " followed by the answer alone.'
)

# Where the facts are if biographies can be looked up, by which of them can be.
SHELVES = {
    "both": "Below is a question about fictional people. "
    "Every fact that you need is in their biographies, which you can look up.",
    "contextual": "Below is a question about fictional people. "
    "Some facts that you need are in their biographies, which you can look up, "
    "the others you know from training.",
    "parametric": "Below are biographies of fictional people and a question about them. "
    "Some facts that you need are in these biographies, "
    "the others in further biographies, which you can look up.",
}
TOOLS = (
    "Look people up with the tools read_biography and search. Then call the tool answer, once: "
    "one short sentence for each step, in the past tense and with full names, and at the end "
    '"So, the answer is: " followed by the answer alone.'
)


def make_prompt(record: Mapping[str, Any]) -> str:
    """The prompt of a question: its context, if it has one, then the question.

    Training, evaluation and few-shot examples all use it.  A completion begins with a space.
    """
    return f"{_context(record)}Question: {record['question']}\nAnswer:"


def chat_prompt(record: Mapping[str, Any]) -> str:
    """The message to a chat model: the instruction, the context if any, and the question."""
    family = family_of_row(record)
    told = family.instruction(record) if family.instruction else instruction(facts_in(record))
    return f"{told}\n\n{chat_example(record)}"


def chat_example(record: Mapping[str, Any]) -> str:
    """The message of a few-shot example, which precedes a `chat_prompt`: no instruction."""
    return f"{_context(record)}Question: {record['question']}"


def library_prompt(record: Mapping[str, Any], shelf: str) -> str:
    """The message to a chat model that can look biographies up with tools.

    Args:
        record: The question; its context is shown if it has one.
        shelf: Which biographies can be looked up: "both", "contextual" or "parametric".
    """
    return f"{SHELVES[shelf]} {TOOLS}\n\n{_context(record)}Question: {record['question']}"


def instruction(facts: str) -> str:
    """What a chat model is told before the biographies and the question.

    Args:
        facts: Where the facts are: "context", "memory", "both", or "unanswerable" where one may be
            stated nowhere; see `facts_in`.
    """
    return f"{FACTS[facts]} {FORM}"


def facts_in(record: Mapping[str, Any]) -> str:
    """Where the facts of a question are: "context", "memory", "both" or "unanswerable"."""
    if record["level"] == UNANSWERABLE:
        return UNANSWERABLE
    if not record["context"]:
        return "memory"
    support = record.get("support")  # of each hop: the paragraph that states it, -1 for none
    read = all(at >= 0 for at in support) if support else "P" not in record["pattern"]
    return "context" if read else "both"


def _context(record: Mapping[str, Any]) -> str:
    return f"{record['context']}\n\n" if record["context"] else ""
