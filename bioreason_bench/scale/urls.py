"""Which texts name a place in an object store."""

from __future__ import annotations

import re

__all__ = ["URL", "is_like_url", "is_on_hub", "is_url"]

URL = re.compile(r"[a-z][a-z0-9+.-]*://.+", re.DOTALL)
LIKE_URL = re.compile(r"(?:hf|s3|gs|memory|file|https?):/|[a-z][a-z0-9+.-]+://")


def is_url(text: object) -> bool:
    """Whether a text names a place in a store, rather than a folder."""
    return URL.fullmatch(str(text)) is not None


def is_like_url(text: str) -> bool:
    """Whether a text is meant as an address, though perhaps misspelt: hf:/datasets/org/name."""
    return LIKE_URL.match(text) is not None


def is_on_hub(url: str) -> bool:
    """Whether an address is one on the Hub, right or wrong."""
    return url.startswith("hf:")
