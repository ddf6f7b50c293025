"""Dates, and the ages of people as far as biographies state their births."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

__all__ = ["TOLERANCE", "YEAR", "age_difference", "day", "fits_window"]

YEAR = 365.2425  # days
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
TOLERANCE = 0.01  # years: calendars of two kinds of years differ by as much


def day(text: str) -> int | None:
    """The day of a date in the text of a release; None if it is no date.

    March 3, 1931    its proleptic ordinal
    date123          124: symbols are numbered from 0, and days are at least 1
    """
    if symbol := re.fullmatch(r"[a-z_]+(\d{1,9})", text):
        return int(symbol[1]) + 1
    match = re.fullmatch(r"([A-Z][a-z]+) (\d{1,2}), (\d{4})", text)
    if match is None or match[1] not in MONTHS:
        return None
    try:
        return date(int(match[3]), MONTHS.index(match[1]) + 1, int(match[2])).toordinal()
    except ValueError:
        return None


def age_difference(births: Sequence[int], subject: int, target: int) -> float | None:
    """By how many years `target` is older than `subject`; None if a birth is not stated.

    Args:
        births: The day of birth of each person, 0 if no biography states it.
        subject: A person.
        target: Another person.
    """
    one, two = births[subject], births[target]
    return (one - two) / YEAR if one and two else None


def fits_window(
    years: float | None, older: tuple[int, int] | None, tolerance: float = TOLERANCE
) -> bool:
    """Whether a difference in age fits the window of a relation; unknown ages fit all windows.

    Args:
        years: The difference.
        older: The window, None for any difference.
        tolerance: Years by which it may miss the window; below 0, by which it must be inside.
    """
    if years is None or older is None:
        return True
    return older[0] - tolerance <= years <= older[1] + tolerance
