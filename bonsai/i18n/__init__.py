"""Every text a person reads, in English and Japanese: `text("night.nothing_to_do", "ja")`.

The texts lie in `<language>/<area>.toml`, one file an area; a key is `area.name`.
A test compares the two languages: the same keys, the same placeholders.
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Literal

TextLanguage = Literal["en", "ja"]
TEXT_LANGUAGES: tuple[TextLanguage, ...] = ("en", "ja")


@cache
def area_texts(area: str, language: TextLanguage) -> dict[str, str]:
    """All texts of one area in one language, by name."""
    source = resources.files("bonsai.i18n") / language / f"{area}.toml"
    return {name: str(value) for name, value in tomllib.loads(source.read_text("utf-8")).items()}


def text(key: str, language: TextLanguage = "en", /, **values: Any) -> str:
    """The text of `key` ("area.name") with `values` filled in by `str.format`.

    Raises KeyError for an unknown key or a missing value: a mistake of ours, never of the user's.
    """
    area, name = key.split(".", 1)
    return area_texts(area, language)[name].format(**values)


def on_page(key: str, /) -> str:
    """The key for a page: a text that names a command has a second one, which says what to click."""
    area, name = key.split(".", 1)
    return f"{key}_on_page" if f"{name}_on_page" in area_texts(area, "en") else key


MONTH_DAYS, YEAR_DAYS = 30.44, 365.25


def ago(day: date, today: date, language: TextLanguage = "en") -> str:
    """Distance of a day in words: `two years ago` says more than a date."""
    days = (today - day).days
    if days <= 0:
        return text("asking.today" if days == 0 else "asking.ahead", language)
    for unit, length in (("year", YEAR_DAYS), ("month", MONTH_DAYS)):
        count = int(days / length + 1e-9)
        if count:
            return text(f"asking.one_{unit}_ago" if count == 1 else f"asking.{unit}s_ago", language, count=count)
    return text("asking.one_day_ago" if days == 1 else "asking.days_ago", language, count=days)


def duration(seconds: float, language: TextLanguage = "en") -> str:
    """A length of time in words: `< 1 s`, `42 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = max(round(seconds), 0)
    if not whole:
        return text("nights.no_second", language)
    if whole < 60:
        return text("nights.seconds", language, seconds=whole)
    if whole < 3600:
        return text("nights.minutes", language, minutes=whole // 60, seconds=whole % 60)
    return text("nights.hours", language, hours=whole // 3600, minutes=whole % 3600 // 60)
