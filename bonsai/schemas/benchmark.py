"""Benchmark reports, comparisons, detectable effects, and the personal evaluation set."""

from __future__ import annotations

from datetime import datetime

from bonsai.schemas.base import ResponseModel


class SummaryRow(ResponseModel):
    """Scores of one domain in one language."""

    domain: str
    "A domain, or `all`."
    language: str
    items: int
    accuracy: float | None
    bits_per_byte: float | None
    chrf: float
    tags_ok: float | None
    guards: list[tuple[str, float]]
    "Share of answers that pass each guard."


class BenchmarkReport(ResponseModel):
    """A model's scores on one question set."""

    benchmark: str
    subject: str
    created_at: str
    seconds: float
    rows: list[SummaryRow]


class SliceComparison(ResponseModel):
    """Difference of two models on one slice in one measure."""

    slice: str
    measure: str
    items: int
    clusters: int
    gain: float
    low: float | None
    "Bounds of the gain; None with too few facts."
    high: float | None


class DetectableEffect(ResponseModel):
    """Smallest gain that one slice can show in one measure."""

    slice: str
    measure: str
    items: int
    clusters: int
    standard_error: float | None
    smallest_gain: float | None


class PowerAnalysis(ResponseModel):
    """What one question set can show."""

    question_set: str
    challenger: str
    champion: str
    alpha: float
    power: float
    minimum_gain: float
    smallest_promoted: float | None
    facts_to_see_minimum: int | None
    slices: list[DetectableEffect]


class PersonalSet(ResponseModel):
    """State of the personal evaluation set."""

    version: str
    items: int
    facts: int
    facts_that_count: int
    facts_needed: int
    can_decide: bool


class AddedQuestions(PersonalSet):
    """Questions that were added, and the set after it."""

    ids: list[str]
    new: int
    "How many of them changed the set."
    held_back: list[str]
    "Ids of records that train no more while the questions judge."


class RetiredQuestions(PersonalSet):
    """Questions that were retired, and the set after it."""

    ids: list[str]


class PersonalQuestion(ResponseModel):
    """One question of the personal evaluation set."""

    id: str
    fact: str
    instruction: str
    input: str
    reference: str
    accepted: list[str]
    language: str
    "Of the answer."
    question_language: str
    category: str
    domain: str
    records: list[str]
    "Ids of the records with this wording: held out of training."
    frozen_at: datetime


class PersonalSetChange(ResponseModel):
    """One line of the set's history."""

    number: int
    action: str
    item_id: str
    who: str
    reason: str
    version: str
    "Version of the set after it."
    changed_at: datetime


class PersonalSetDetail(PersonalSet):
    """The personal evaluation set with its questions, and its history where it was asked for."""

    questions: list[PersonalQuestion]
    changes: list[PersonalSetChange] | None
