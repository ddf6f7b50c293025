"""The audit of string programs: from text alone, by code that the generator does not use."""

from __future__ import annotations

from bioreason_bench.families.strings.audit.check import check_strings
from bioreason_bench.families.strings.audit.laws import LAWS

__all__ = ["LAWS", "check_strings"]
