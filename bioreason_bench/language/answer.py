"""The sentence that ends every chain, in one place for writers, readers and graders."""

from __future__ import annotations

__all__ = ["ANSWER", "MARKER"]

MARKER = "the answer is:"  # what a grader looks for, in lower case
ANSWER = f"So, {MARKER} "  # what a chain ends with, before the answer itself
