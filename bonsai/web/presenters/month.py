"""Calendar grid of a month of nights."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bonsai.i18n import TextLanguage

FIRST_WEEKDAY: dict[TextLanguage, int] = {"en": 0, "ja": 6}
"Monday and Sunday, as is usual in each language."
SHAPES = {
    "promote": "▲",
    "keep": "■",
    "not_enough_evidence": "◇",
    "invalid": "⊗",
    "nothing_to_do": "–",
    "failed": "✕",
    "cancelled": "□",
    "running": "●",
    "cancelling": "◍",
    "interrupted": "◐",
}
"Shapes beside colours, for readers who cannot tell those apart."


@dataclass(frozen=True, slots=True)
class Mark:
    """A night in its day's cell."""

    night: str
    kind: str
    "A key of SHAPES; `nights.mark_<kind>` is its text."
    on: date
    "Start day in the server's time zone."

    @property
    def shape(self) -> str:
        """The kind as a sign."""
        return SHAPES[self.kind]


@dataclass(frozen=True, slots=True)
class Day:
    """One cell."""

    on: date
    marks: tuple[Mark, ...]
    inside: bool
    "False: an empty cell of an adjacent month."
    today: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month's grid with its neighbours."""

    first: date
    weekdays: tuple[int, ...]
    "0 is Monday; in column order."
    weeks: tuple[tuple[Day, ...], ...]
    before: str
    "`2026-10`; empty if no night is that old."
    after: str
    "Empty for the current month."

    @property
    def name(self) -> str:
        """`2026-11`."""
        return f"{self.first:%Y-%m}"


def span(first: date) -> tuple[datetime, datetime]:
    """Interval that covers a grid's nights in any time zone."""
    return _midnight(first - timedelta(days=1)), _midnight(_next(first) + timedelta(days=1))


def month(first: date, today: date, marks: Sequence[Mark], oldest: date | None, language: TextLanguage) -> Month:
    """Grid of a month; `oldest` is the day of the first night."""
    made = Calendar(FIRST_WEEKDAY[language])
    weeks = made.monthdatescalendar(first.year, first.month)
    return Month(
        first=first,
        weekdays=tuple(made.iterweekdays()),
        weeks=tuple(tuple(_day(on, first, today, marks) for on in week) for week in weeks),
        before=f"{first - timedelta(days=1):%Y-%m}" if oldest and oldest < first else "",
        after=f"{_next(first):%Y-%m}" if _next(first) <= today else "",
    )


def _day(on: date, first: date, today: date, marks: Iterable[Mark]) -> Day:
    inside = on.month == first.month
    return Day(on, tuple(one for one in marks if inside and one.on == on), inside, on == today)


def _next(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
