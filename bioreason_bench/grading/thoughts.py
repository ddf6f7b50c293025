"""What a completion says to its reader: its thoughts and what follows its end are removed."""

from __future__ import annotations

import re

__all__ = ["opens_thought", "strip_thoughts"]

_OPENING = (
    "<think>",
    "<thinking>",
    "<thought>",
    "<thoughts>",
    "<reasoning>",
    "<reflection>",
    "<scratchpad>",
    "<seed:think>",
    "<|begin_of_thought|>",
    "<|channel|>analysis<|message|>",
    "<|channel|>commentary<|message|>",
    "[THINK]",
    "\u25c1think\u25b7",
)
_CLOSING = (
    "</think>",
    "</thinking>",
    "</thought>",
    "</thoughts>",
    "</reasoning>",
    "</reflection>",
    "</scratchpad>",
    "</seed:think>",
    "<|end_of_thought|>",
    "<|channel|>final<|message|>",
    "[/THINK]",
    "\u25c1/think\u25b7",
)
_END = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<|return|>",
    "<end_of_turn>",
    "</s>",
    "<eos>",
    "[EOS]",
)
_KINDS = (
    dict.fromkeys(map(str.lower, _OPENING), "opening")
    | dict.fromkeys(map(str.lower, _CLOSING), "closing")
    | dict.fromkeys(map(str.lower, _END), "end")
)
_TAG = re.compile(
    r"<\|channel\|>[a-z]{1,20}<\|message\|>|[<\[\u25c1][/|]?[a-z_:]{1,20}\|?[>\]\u25b7]",
    re.IGNORECASE,
)


def strip_thoughts(text: str) -> tuple[str, bool]:
    """Remove thoughts, and whatever follows the token that ends a turn.

    A closing tag without an opening one ends a thought that began in the prompt.

    >>> strip_thoughts("<think>Bo? No.</think> Ann Lee<|im_end|> Thanks!")
    (' Ann Lee', False)
    >>> strip_thoughts("It is <think>Bo or Ann")
    ('It is ', True)

    Args:
        text: A completion.

    Returns:
        The text outside of thoughts, and whether a thought never ended: such a completion was cut
        before it gave an answer.
    """
    if "<" not in text and "[" not in text and "\u25c1" not in text:
        return text, False
    parts: list[str] = []
    begin, thinking = 0, False
    for tag in _TAG.finditer(text):
        kind = _KINDS.get(tag[0].lower())
        if kind == "closing":
            if not thinking:
                parts.clear()
            begin, thinking = tag.end(), False
        elif thinking or kind is None:
            continue
        elif kind == "opening":
            parts.append(text[begin : tag.start()])
            thinking = True
        elif text[begin : tag.start()].strip() or any(map(str.strip, parts)):
            parts.append(text[begin : tag.start()])
            return "".join(parts), False
    if not thinking:
        parts.append(text[begin:])
    return "".join(parts), thinking


def opens_thought(prompt: str) -> bool:
    """Whether a prompt ends in the tag that begins a thought, as some chat templates do.

    >>> opens_thought("<|user|>Who was it?<|assistant|><think> ")
    True
    """
    return prompt.rstrip().lower().endswith(tuple(map(str.lower, _OPENING)))
