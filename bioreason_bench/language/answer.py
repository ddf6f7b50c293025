"""The sentence that ends every chain, defined once for writers, readers and graders."""

from __future__ import annotations

__all__ = ["ANSWER", "MARKER"]

MARKER = "the answer is:"  # the text that a grader looks for, in lower case
ANSWER = f"So, {MARKER} "  # the text between a chain's sentences and the answer
