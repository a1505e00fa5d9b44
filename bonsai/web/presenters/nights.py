"""Presenter of the night pages: rows, calendar grid, steps, and figures of a running night."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from markupsafe import Markup

from bonsai.domain.reasons import Reason
from bonsai.domain.records import LANGUAGES, Category
from bonsai.errors import UnknownId
from bonsai.gate.decision import render
from bonsai.i18n import TextLanguage, duration, on_page
from bonsai.queries import nights as nights_queries
from bonsai.queries.nights import NightDetail, NightProgress, NightReport, TrainingData
from bonsai.schemas.nights import Cost, StepTime
from bonsai.web import charts
from bonsai.web.labels import CATEGORIES, records_path
from bonsai.web.request import Visit
from flows import starting
from storage.night_status import NightStatus

GOING_ON = ("starting", "running", "cancelling")
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class NightRow:
    """A night in the list."""

    mark: Mark
    started_at: datetime
    took: str
    start: str
    "`cold` or `warm`; empty if nothing was trained."
    challenger: str


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step of one attempt."""

    name: str
    "Localised."
    started_at: datetime
    took: str


@dataclass(frozen=True, slots=True)
class LiveShown:
    """Progress of a night, in words and drawn."""

    state: str
    "`none`, `starting`, or a state of a night."
    said: str
    "The state as a sentence."
    night: str = ""
    step: str = ""
    "Localised."
    done: int = 0
    total: int = 0
    figures: tuple[str, ...] = ()
    "Remaining time, tokens and loss, in words."
    plot: Markup | None = None

    @property
    def goes_on(self) -> bool:
        """Whether to poll again."""
        return self.state in GOING_ON


@dataclass(frozen=True, slots=True)
class Kind:
    """Training records of one category, with links."""

    category: str
    cells: tuple[tuple[int, str], ...]
    "(count, path) by language."


@dataclass(frozen=True, slots=True)
class LearnedShown:
    """Training data of a night."""

    words: str
    path: str
    "List of all own records."
    languages: tuple[str, ...]
    kinds: tuple[Kind, ...]


def rows(visit: Visit, nights: Sequence[NightReport]) -> list[NightRow]:
    """One row per night."""
    return [
        NightRow(
            mark=Mark(one.night, kind_of(visit, one), one.started_at.astimezone().date()),
            started_at=one.started_at,
            took=_took(visit, (one.finished_at - one.started_at).total_seconds() if one.finished_at else None),
            start=one.start,
            challenger=one.challenger,
        )
        for one in nights
    ]


def kind_of(visit: Visit, night: NightReport) -> str:
    """Outcome in one word: the verdict, or the state without one."""
    if night.status != "running":
        return night.verdict or night.status
    try:
        state = nights_queries.night_progress(visit.b, night.night).state
    except UnknownId:  # it has just begun
        return "running"
    return state if state in ("cancelling", "interrupted") else "running"


def steps(visit: Visit, found: Sequence[StepTime]) -> list[StepShown]:
    """Every step of every attempt, oldest first."""
    return [StepShown(visit.text(f"cli.step_{one.name}"), one.started_at, _took(visit, one.seconds)) for one in found]


def reasons(visit: Visit, report: NightReport) -> list[str]:
    """Why it ended as it did, in words and figures."""
    return [render(Reason(on_page(one.key), one.values), visit.language) for one in report.reasons]


def _took(visit: Visit, seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds, visit.language)


def costs(visit: Visit, night: NightDetail) -> list[tuple[str, str]]:
    """(label, value) of everything measured."""
    cost: Cost = night.cost
    by_step = [(visit.text(f"cli.step_{name}"), _took(visit, one)) for name, one in night.seconds.items()]
    measured = (
        ("tokens", f"{cost.tokens:,}", cost.tokens),
        ("memory", f"{cost.memory_bytes / GIB:.1f} GiB", cost.memory_bytes),
        ("gpu_memory", f"{cost.gpu_memory_bytes / GIB:.1f} GiB", cost.gpu_memory_bytes),
        ("gpu_seconds", f"{night.gpu_seconds:,.0f}", night.gpu_seconds),
    )
    return by_step + [(visit.text(f"nights.{name}"), words) for name, words, value in measured if value]


def learned(visit: Visit, found: TrainingData) -> LearnedShown:
    """Counts with links to the records."""
    languages = tuple(one for one in LANGUAGES if any(language == one for language, _ in found.kinds))
    some = (*CATEGORIES, Category.UNCATEGORISED.value)
    kinds = tuple(
        Kind(one, tuple(_cell(found, language, one) for language in languages))
        for one in some
        if any(found.kinds.get((language, one)) for language in languages)
    )
    words = visit.text("nights.learned", own=found.own, anchors=found.anchors)
    return LearnedShown(words, records_path(snapshot=found.snapshot), languages, kinds)


def _cell(found: TrainingData, language: str, category: str) -> tuple[int, str]:
    path = records_path(snapshot=found.snapshot, language=language, category=category)
    return found.kinds.get((language, category), 0), path


def current(visit: Visit) -> LiveShown:
    """The running or starting night; reads no database."""
    found = nights_queries.running_night(visit.b)
    if found:
        return live(visit, found)
    if starting.starting(visit.b.home, visit.now):
        return LiveShown("starting", visit.text("nights.state_starting"))
    return LiveShown("none", visit.text("nights.state_none"))


def live(visit: Visit, found: NightProgress) -> LiveShown:
    """One night in any state."""
    status, step = found.status, found.status.step
    return LiveShown(
        state=found.state,
        said=visit.text(f"nights.state_{found.state}"),
        night=status.night,
        step=visit.text(f"cli.step_{step.name}") if step else "",
        done=status.done,
        total=status.total,
        figures=tuple(_figures(visit, found)),
        plot=curve(visit, status),
    )


def _figures(visit: Visit, found: NightProgress) -> Iterator[str]:
    left, status = found.seconds_left, found.status
    if left is None:
        yield visit.text("nights.left_unknown")
    else:
        yield visit.text("nights.left", left=duration(left, visit.language))
    if status.cost.tokens:
        yield visit.text("nights.tokens_so_far", tokens=f"{status.cost.tokens:,}")
    if status.losses:
        yield visit.text("cli.loss", loss=f"{status.losses[-1][1]:.3f}")


def curve(visit: Visit, status: NightStatus) -> Markup | None:
    """Loss so far; None before the first value."""
    if len(status.losses) < 2:
        return None
    (first, high), (last, low) = status.losses[0], status.losses[-1]
    label = visit.text("nights.curve_label", first=first, high=f"{high:.2f}", last=last, low=f"{low:.2f}")
    return charts.curve_plot([charts.Line("candidate", status.losses)], label)


def as_json(found: NightProgress | None, visit: Visit) -> Mapping[str, object]:
    """The figures without words, for scripts."""
    if found is None:
        waits = starting.starting(visit.b.home, visit.now)
        return {"state": "starting" if waits else "none"}
    status, step = found.status, found.status.step
    return {
        "state": found.state,
        "night": status.night,
        "step": step.name if step else None,
        "done": status.done,
        "total": status.total,
        "loss": status.losses[-1][1] if status.losses else None,
        "tokens": status.cost.tokens,
        "seconds_left": found.seconds_left,
        "updated_at": status.updated_at.isoformat(),
    }


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
"Shapes in addition to colours, for readers who cannot tell colours apart."


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
        """The symbol of the kind."""
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
