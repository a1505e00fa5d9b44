"""Exceptions that end a request with an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import TypeVar

RETRY_AFTER = {"Retry-After": "5"}
"Header of a busy response."


class Problem(Exception):
    """Ends a request with an explanation; `key` names the text, by default in the area `dashboard`."""

    def __init__(self, status: int, key: str, /, headers: dict[str, str] | None = None, **values: object) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.headers = headers or {}
        self.values = values


class ConfirmationNeeded(Problem):
    """An irreversible request without its confirmation; the page asks again with all choices kept."""

    def __init__(self, count: int) -> None:
        super().__init__(422, "problem_not_sure", count=count)


def require_confirmation(form: Mapping[str, str], count: int) -> None:
    """Require the tick that confirms erasing `count` records. Raises ConfirmationNeeded."""
    if form.get("sure") != "yes":
        raise ConfirmationNeeded(count)


class LoginNeeded(Exception):
    """Nobody is logged in."""


MAX_DIGITS = 15
YEARS = range(1970, 3000)
SHOWN_CHARACTERS = 60
"Characters of an invalid value that are shown."
Name = TypeVar("Name", bound=str)


def one_of(given: Mapping[str, str], name: str, valid: Sequence[Name]) -> Name | None:
    """The value, if it is one of `valid`; None if absent. Raises Problem."""
    said = given.get(name, "").strip()
    found = next((one for one in valid if one == said), None)
    if said and found is None:
        raise _refused(name, said, ", ".join(valid))
    return found


def number(given: Mapping[str, str], name: str, otherwise: int) -> int:
    """A non-negative integer. Raises Problem."""
    said = given.get(name, "")
    if not said:
        return otherwise
    if not (said.isascii() and said.isdecimal() and len(said) <= MAX_DIGITS):
        raise _refused(name, said, "0, 1, 2 …")
    return int(said)


def day(given: Mapping[str, str], name: str) -> date | None:
    """A date as a date field sends it. Raises Problem."""
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
        if found.year in YEARS:  # a calendar also shows days of the adjacent months
            return found
    raise _refused(name, said, "YYYY-MM")


def _refused(name: str, said: str, valid: str) -> Problem:
    shown = said if len(said) <= SHOWN_CHARACTERS else f"{said[:SHOWN_CHARACTERS]}…"
    return Problem(422, "problem_value", name=name, value=shown, valid=valid)
