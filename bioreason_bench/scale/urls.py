"""Which texts name a place in an object store."""

from __future__ import annotations

import re

__all__ = ["URL", "is_url"]

URL = re.compile(r"[a-z][a-z0-9+.-]*://.+", re.DOTALL)


def is_url(text: object) -> bool:
    """Whether a text names a place in a store, rather than a folder."""
    return URL.fullmatch(str(text)) is not None
