"""Presenter of a promotion's evidence: changed answers, slices, loss curves, reviews and data changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from markupsafe import Markup

from bonsai.domain.records import Status
from bonsai.evaluate.personal_set import DOMAIN, LANGUAGES
from bonsai.evaluate.questions import DOMAINS
from bonsai.evaluate.report import domain_name
from bonsai.queries.answers import ANSWER_CHANGES, CORRECTNESS, AnswerFilter, ComparedAnswer
from bonsai.queries.explanation import Flip, NearRecord, SliceChange
from bonsai.queries.promotions import DataChanges, Review, TrainingCurves
from bonsai.train.curve import thinned
from bonsai.web import charts
from bonsai.web.differences import Marked, mark_differences
from bonsai.web.labels import CATEGORIES, language_name, status_reason
from bonsai.web.request import Visit
from storage.tables.data_changes import KINDS, ChangedRecord


@dataclass(frozen=True, slots=True)
class Answers:
    """A question whose answer's correctness changed."""

    question: str
    reference: str
    before: Marked
    after: Marked
    gained: bool
    topic: str
    language: str
    "For the `lang` attribute of the answers."
    question_language: str
    records: tuple[NearRecord, ...]


@dataclass(frozen=True, slots=True)
class SliceShown:
    """A slice with its figures."""

    name: str
    items: int
    before: str
    after: str
    gain: str
    bounds: str


def changed_answers(visit: Visit, flips: Sequence[Flip]) -> list[Answers]:
    """In the given order."""
    return [_answers(visit, flip) for flip in flips]


def _answers(visit: Visit, flip: Flip) -> Answers:
    before, after = mark_differences(flip.before, flip.after)
    topic = f"{domain_name(flip.domain, visit.language)}{visit.text('comma')}{language_name(visit, flip.language)}"
    languages = (flip.language, flip.question_language)
    return Answers(flip.question, flip.reference, before, after, flip.gained, topic, *languages, flip.records)


def slices(visit: Visit, found: Sequence[SliceChange]) -> list[SliceShown]:
    """Right answers before and after, gain with bounds."""
    return [
        SliceShown(
            name=slice_name(visit, one),
            items=one.items,
            before="" if one.before is None else f"{one.before:.1%}",
            after="" if one.after is None else f"{one.after:.1%}",
            gain=f"{one.gain:+.3f}",
            bounds=visit.text("review.few_facts")
            if one.low is None or one.high is None
            else f"{one.low:+.3f} … {one.high:+.3f}",
        )
        for one in found
    ]


def slice_name(visit: Visit, one: SliceChange) -> str:
    """Localised name; slices of the personal set say so."""
    domain, _, language = one.slice.partition("/")
    if language:
        words = f"{domain_name(domain, visit.language)}{visit.text('comma')}{language_name(visit, language)}"
    else:
        words = visit.text(f"decision.slice_{domain}")
    return f"{visit.text('own_questions')}: {words}" if one.question_set == "suite" else words


FILTERS = ("text", "language", "topic", "turn", "right")
POINTS = 60
"Points of a curve."
ROWS = 12
"Rows of the table behind it."
SHOWN_CHARACTERS = 200
HALF = 0.5
Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CurveRow:
    """A row of the table behind the curves."""

    step: int
    candidate: str
    champion: str


@dataclass(frozen=True, slots=True)
class Curves:
    """Loss of the candidate and its champion."""

    plot: Markup
    words: str
    rows: tuple[CurveRow, ...]
    compared: bool
    "Whether the champion's curve exists."


def curves(visit: Visit, learned: Sequence[TrainingCurves], adapter: str) -> Curves | None:
    """None without the candidate's training log."""
    if not learned or learned[0].adapter != adapter:
        return None
    names = ("candidate", "champion")
    lines = [
        charts.Line(name, [(point.step, point.loss) for point in thinned(one.curve.losses, POINTS)])
        for name, one in zip(names, learned, strict=False)
    ]
    words = " ".join(one.words(one.adapter == adapter, visit.language) for one in learned)
    return Curves(charts.curve_plot(lines, words), words, _curve_rows(learned), len(learned) > 1)


def _curve_rows(learned: Sequence[TrainingCurves]) -> tuple[CurveRow, ...]:
    """Means over equal parts of the longer training."""
    longest = max(one.curve.losses[-1].step for one in learned)
    ends = [round(longest * part / ROWS) for part in range(1, ROWS + 1)]
    ends = sorted(set(ends) - {0})
    columns = [[_mean(one, start, end) for start, end in zip([0, *ends], ends, strict=False)] for one in learned]
    other = columns[1] if len(columns) > 1 else [""] * len(ends)
    return tuple(CurveRow(*row) for row in zip(ends, columns[0], other, strict=True))


def _mean(one: TrainingCurves, start: int, end: int) -> str:
    found = [point.loss for point in one.curve.losses if start < point.step <= end]
    return f"{sum(found) / len(found):.3f}" if found else ""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One person's blind review."""

    person: str
    at: datetime
    unfinished: str
    "Progress; empty once finished."
    challenger: str
    champion: str
    same: str
    share: str
    finding: str
    plot: Markup | None


def review_rows(visit: Visit, found: Sequence[Review]) -> list[ReviewRow]:
    """One row per person."""
    return [_review_row(visit, one) for one in found]


def _review_row(visit: Visit, one: Review) -> ReviewRow:
    tally = one.tally
    if tally is None:
        unfinished = visit.text("review.unfinished", done=one.done, asked=one.asked)
        return ReviewRow(one.person, one.last_at, unfinished, "", "", "", "", "", None)
    share, plot = "", None
    if tally.share is not None:
        low, high = tally.interval
        outcome = {"challenger": "pass", "champion": "fail"}.get(tally.finding, "unclear")
        label = visit.text("review.share_label", share=tally.share, low=low, high=high)
        plot = charts.interval_plot(charts.Interval(tally.share, low, high, HALF, outcome), charts.Scale(0, 1), label)
        share = f"{tally.share:.0%} ({low:.0%} – {high:.0%})"
    counts = (str(tally.challenger), str(tally.champion), str(tally.same))
    finding = visit.text(f"review.finding_{tally.finding}")
    return ReviewRow(one.person, one.last_at, "", *counts, share, finding, plot)


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """One answer in the full list."""

    question: str
    reference: str
    before: Marked
    after: Marked
    turn: str
    "Text key."
    outcome: str
    "CSS class."
    topic: str
    language: str
    question_language: str


def filter_of(given: Mapping[str, str]) -> AnswerFilter:
    """Filter from the query string. Unknown names are refused by the query."""
    return AnswerFilter(*(given.get(name, "").strip() for name in FILTERS))


def page_path(path: str, given: Mapping[str, str], **place: str) -> str:
    """Address of another page of the list."""
    kept = {name: given[name] for name in (*FILTERS, "kind") if given.get(name)}
    query = urlencode({**kept, **place})
    return f"{path}?{query}" if query else path


def choices(visit: Visit) -> dict[str, Choices]:
    """Filter options."""
    return {
        "language": [(one, language_name(visit, one)) for one in LANGUAGES],
        "topic": [(one, domain_name(one, visit.language)) for one in (*DOMAINS, DOMAIN)],
        "turn": [(one, visit.text(f"review.turn_{one}")) for one in ANSWER_CHANGES],
        "right": [(one, visit.text(f"review.right_{one}")) for one in CORRECTNESS],
    }


def all_answers(visit: Visit, found: Sequence[ComparedAnswer]) -> list[AnswerShown]:
    """In the given order."""
    return [_answer(visit, one) for one in found]


def _answer(visit: Visit, one: ComparedAnswer) -> AnswerShown:
    before, after = mark_differences(one.before, one.after)
    outcome = {"gained": "pass", "lost": "fail"}.get(one.turn, "noted")
    topic = f"{domain_name(one.domain, visit.language)}{visit.text('comma')}{language_name(visit, one.language)}"
    turn = f"{visit.text(f'review.turn_{one.turn}')} · {visit.text(f'review.right_{one.stands}')}"
    change = turn if one.turn not in ("gained", "lost") else visit.text(f"review.turn_{one.turn}")
    languages = (one.language, one.question_language)
    return AnswerShown(one.question, one.reference, before, after, change, outcome, topic, *languages)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Changes of one language and category."""

    language: str
    category: str
    counts: tuple[int, ...]
    "In the order of KINDS."


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A changed record."""

    id: str
    kind: str
    question: str
    answer: str
    status: str
    reason: str
    earlier: str
    "Id of the previous version, if it was edited."


def kinds(visit: Visit) -> Choices:
    """Kinds of change."""
    return [(one, visit.text(f"review.kind_{one}")) for one in KINDS]


def group_rows(visit: Visit, found: DataChanges) -> list[GroupRow]:
    """One row per (language, category), with all four counts."""
    cells = {(one.language, one.category, one.kind): one.count for one in found.groups}
    pairs = sorted({(one.language, one.category) for one in found.groups})
    return [
        GroupRow(
            language_name(visit, language),
            visit.text(f"category_{category if category in CATEGORIES else 'uncategorised'}"),
            tuple(cells.get((language, category, kind), 0) for kind in KINDS),
        )
        for language, category in pairs
    ]


def changed_rows(visit: Visit, found: Sequence[ChangedRecord]) -> list[ChangedRow]:
    """In the given order."""
    return [
        ChangedRow(
            id=one.stored.record.id,
            kind=one.kind,
            question=_cut(one.stored.record.instruction),
            answer=_cut(one.stored.record.output),
            status=one.stored.status.value,
            reason=status_reason(visit, one.stored) if one.stored.status is not Status.ACTIVE else "",
            earlier=one.earlier,
        )
        for one in found
    ]


def _cut(text: str) -> str:
    line = " ".join(text[: 2 * SHOWN_CHARACTERS].split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}…"
