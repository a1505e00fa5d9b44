"""What an address asks for, checked: a value that is none of ours is refused with those that are, never passed over.

A filter that was misspelt and quietly left out would show, save or forget more than somebody meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import TypeVar

from bonsai.web.problems import Problem

MOST_DIGITS = 15
YEARS = range(1970, 3000)
SHOWN_CHARACTERS = 60
"Of a wrong value."
Name = TypeVar("Name", bound=str)


def one_of(given: Mapping[str, str], name: str, valid: Sequence[Name]) -> Name | None:
    """The value as it is written in `valid`; None where none is given. Raises Problem."""
    said = given.get(name, "").strip()
    found = next((one for one in valid if one == said), None)
    if said and found is None:
        raise _refused(name, said, ", ".join(valid))
    return found


def number(given: Mapping[str, str], name: str, otherwise: int) -> int:
    """A whole number from 0 on. Raises Problem."""
    said = given.get(name, "")
    if not said:
        return otherwise
    if not (said.isascii() and said.isdecimal() and len(said) <= MOST_DIGITS):
        raise _refused(name, said, "0, 1, 2 …")
    return int(said)


def day(given: Mapping[str, str], name: str) -> date | None:
    """A day as a date field sends it. Raises Problem."""
    said = given.get(name, "").strip()
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise _refused(name, said, "YYYY-MM-DD") from None


def month(given: Mapping[str, str], name: str) -> date | None:
    """The first day of a month. Raises Problem."""
    said = given.get(name, "").strip()
    if not said:
        return None
    with suppress(ValueError):
        found = date.fromisoformat(f"{said}-01")
        if found.year in YEARS:  # a calendar shows days of the month before and after, too
            return found
    raise _refused(name, said, "YYYY-MM")


def _refused(name: str, said: str, valid: str) -> Problem:
    shown = said if len(said) <= SHOWN_CHARACTERS else f"{said[:SHOWN_CHARACTERS]}…"
    return Problem(422, "problem_value", name=name, value=shown, valid=valid)
