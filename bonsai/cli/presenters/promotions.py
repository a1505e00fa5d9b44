"""Presenter of promotions: verdict, rules with their intervals, slices, changed answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bonsai.cli.presenters.records import on_one_line, short
from bonsai.i18n import TextLanguage, text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bonsai.cli.shell import Shell
    from bonsai.gate.decision import RuleResult
    from bonsai.queries.answers import ComparedAnswer
    from bonsai.queries.explanation import Explanation, Flip, SliceChange
    from bonsai.queries.promotions import PromotionEvidence, Review
    from storage.tables.data_changes import ChangedRecord


WIDTH = 17
ZERO, THRESHOLD, POINT, LEFT, RIGHT, LINE = "│", "╎", "●", "├", "┤", "─"


@dataclass(frozen=True, slots=True)
class Scale:
    """A symmetric axis from `-reach` to `reach`."""

    reach: float

    def place(self, value: float) -> int:
        """The column of a value, clamped to the edges."""
        share = (max(-self.reach, min(self.reach, value)) + self.reach) / (2 * self.reach)
        return round(share * (WIDTH - 1))


def scale_of(values: Iterable[float | None]) -> Scale:
    """A scale that covers all values."""
    return Scale(max((abs(value) for value in values if value is not None), default=0.0) or 1.0)


def plot(scale: Scale, figure: float, low: float, high: float, threshold: float | None) -> str:
    """The interval from `low` to `high` with its figure; a dashed line at the threshold."""
    columns = [" "] * WIDTH
    left, right = scale.place(low), scale.place(high)
    columns[scale.place(0.0)] = ZERO
    if threshold is not None:
        columns[scale.place(threshold)] = THRESHOLD
    columns[left : right + 1] = LINE * (right - left + 1)
    columns[left], columns[right] = LEFT, RIGHT
    columns[scale.place(figure)] = POINT
    return "".join(columns).rstrip()


SUITE_RULES = ("bits_personal", "suite_lost", "own/", "gain_suite")
"Rules about the personal set that are drawn in bits/byte; `gain_suite` stands in decisions of 0.1.0."
FLIPS = 3
"Changed answers of each direction that are shown without `--all`."
MARKS = {"pass": "✓", "fail": "✗", "unclear": "?", "noted": "·"}


def rule_name(rule: RuleResult, language: TextLanguage) -> str:
    """`A validity`, `B ends by itself, ja`."""
    from bonsai.evaluate.report import domain_name

    name, _, spoken = rule.name.partition("/")
    known = rule.rule in "AFC" or not spoken
    words = text(f"explain.rule_{name}", language) if known or rule.rule == "B" else domain_name(name, language)
    about = dict(rule.reason.values).get("benchmark", "") if rule.name == "validity" else spoken
    return f"{rule.rule} {words}" + (f", {about}" if about else "")


def rule_rows(found: Explanation, language: TextLanguage) -> Iterator[tuple[str, ...]]:
    """One row per rule: mark, figure, one-sided bounds, threshold, drawn interval."""
    drawn_rules = [rule for rule in found.decision.rules if rule.interval]
    scales = {
        kind: scale_of(v for r in drawn_rules if _kind(r) == kind for v in (*(r.interval or ()), r.threshold))
        for kind in {_kind(rule) for rule in drawn_rules}
    }
    for rule in found.decision.rules:
        write = _share if rule.unit == "shares" else _number
        bounds = drawn = ""
        if rule.interval and rule.figure is not None:
            low, high = rule.interval
            bounds = f"{write(low)} {write(high)}"
            drawn = plot(scales[_kind(rule)], rule.figure, low, high, rule.threshold)
        needed = write(rule.threshold) if rule.figure is not None else ""
        yield MARKS[rule.outcome], rule_name(rule, language), write(rule.figure), bounds, needed, drawn


def _kind(rule: RuleResult) -> str:
    """Intervals of one kind share a scale: gains on new facts are a hundred times the allowed losses."""
    of_suite = rule.name.startswith(SUITE_RULES)
    return rule.unit if rule.unit in ("points", "shares") else "suite" if of_suite else "fixed"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def slice_rows(slices: Sequence[SliceChange], language: TextLanguage) -> Iterator[tuple[str, ...]]:
    """Right answers before and after, and the gain in bits/byte with its bounds."""
    from bonsai.evaluate.report import percent

    for one in slices:
        few = text("review.few_facts", language)
        bounds = few if one.low is None or one.high is None else f"{one.low:+.3f} {one.high:+.3f}"
        name = slice_name(one.question_set, one.slice, language)
        yield name, str(one.items), percent(one.before), percent(one.after), f"{one.gain:+.3f}", bounds


def slice_name(question_set: str, name: str, language: TextLanguage) -> str:
    """Localised name; slices of the personal set say so."""
    from bonsai.evaluate.report import domain_name

    domain, _, spoken = name.partition("/")
    words = f"{domain_name(domain, language)}, {spoken}" if spoken else text(f"decision.slice_{name}", language)
    return f"{text('explain.suite', language)}: {words}" if question_set == "suite" else words


def tell_explanation(shell: Shell, found: Explanation, *, every: bool) -> None:
    """Print the whole explanation."""
    from bonsai.serializers.promotions import sentence

    shell.show(f"\n{sentence(found, shell.language)}")
    shell.say("explain.rules")
    headings = ("mark", "rule", "figure", "bounds", "needed", "interval")
    shell.table(headings, rule_rows(found, shell.language), right=(2, 3, 4))
    shell.show(shell.text("explain.legend"))
    if found.slices:
        shell.say("explain.slices")
        headings = ("slice", "items", "before", "after", "gain", "bounds")
        shell.table(headings, slice_rows(found.slices, shell.language), right=(1, 2, 3, 4, 5))
        if any(one.low is None for one in found.slices):
            shell.show(shell.text("review.few_facts_about"))
    for question_set in found.missing:
        shell.show(shell.text("explain.no_reports", question_set=question_set, adapter=short(found.promotion.adapter)))
    for gained in (True, False):
        tell_flips(shell, [flip for flip in found.flips if flip.gained is gained], gained, every)
    if found.flips:
        shell.show(shell.text("explain.new_records", count=found.new_records))


def tell_flips(shell: Shell, flips: Sequence[Flip], gained: bool, every: bool) -> None:
    """Answers that changed in one direction, side by side."""
    shell.say("explain.gained" if gained else "explain.lost", count=len(flips))
    shown = flips if every else flips[:FLIPS]
    for flip in shown:
        tell_flip(shell, flip)
    if len(shown) < len(flips):
        shell.say("explain.more", count=len(flips) - len(shown))


def tell_flip(shell: Shell, flip: Flip) -> None:
    """One changed answer: question, right answer, both models' answers, similar records of the night."""
    from rich.padding import Padding
    from rich.table import Table

    shell.show(f"\n{'✗→✓' if flip.gained else '✓→✗'} {flip.question}")
    sides = Table.grid(padding=(0, 2), expand=True)
    for _ in range(2):
        sides.add_column(ratio=1, overflow="fold")
    sides.add_row(shell.text("explain.before"), shell.text("explain.after"))
    sides.add_row(flip.before.strip() or "-", flip.after.strip() or "-")
    said = [
        f"{shell.text('explain.your_record', id=short(near.id), likeness=near.likeness)}"
        f" {on_one_line(near.instruction)} → {on_one_line(near.output)}"
        for near in flip.records
    ]
    parts: list[RenderableType] = [f"{shell.text('explain.right_answer')} {flip.reference}", sides, *said]
    for part in parts:
        shell.show(Padding(part, (0, 0, 0, 4)))


def tell_evidence(shell: Shell, found: PromotionEvidence) -> None:
    """Data changes, training loss and reviews, one line each."""
    shell.show("")
    adapter = found.promotion.adapter
    shell.show(shell.text("review.data_line", adapter=short(adapter), **found.data_changes))
    for one in found.learned:
        shell.show(f"{shell.text('review.loss_title')}: {one.words(one.adapter == adapter, shell.language)}")
    for review in found.reviews:
        shell.show(f"{shell.text('review.evidence')}: {review_words(review, shell.language)}")


def review_words(one: Review, language: TextLanguage) -> str:
    """A person's review, or its progress."""
    from bonsai.evaluate.blind_review import words

    unfinished = text("review.unfinished", language, done=one.done, asked=one.asked)
    result = " ".join(words(one.tally, language)) if one.tally else unfinished
    return text("review.by_person", language, person=one.person, result=result)


def answer_rows(answers: Sequence[ComparedAnswer], language: TextLanguage) -> Iterator[tuple[str, ...]]:
    """One row per answer."""
    from bonsai.evaluate.report import domain_name

    for one in answers:
        said = (on_one_line(words) or "-" for words in (one.question, one.before, one.after))
        topic = f"{domain_name(one.domain, language)}, {one.language}"
        yield text(f"review.turn_{one.turn}", language), topic, *said


def change_rows(found: Sequence[ChangedRecord], language: TextLanguage) -> Iterator[tuple[str, ...]]:
    """One row per changed record."""
    for one in found:
        tags, record = one.stored.tags, one.stored.record
        kind = text(f"review.kind_{one.kind}", language)
        named = (short(record.id), tags.language.value, tags.category.value, one.stored.status.value)
        yield kind, *named, on_one_line(record.instruction)


def gate_fields(gate: Mapping[str, Any], language: TextLanguage) -> Iterator[tuple[str, str]]:
    """(field, text) pairs; none for a night without a verdict."""
    if not gate:
        return
    opened = text(
        "suite.pool_opened", language, openings=gate["openings"], limit=gate["openings_before_rotation"]
    )  # fmt: skip
    yield "pools", f"{opened}; {text('suite.dealt_anew', language)}" if gate["dealt_anew"] else opened
    yield "suite", suite_words(gate["suite_clusters"], gate["min_clusters"], gate["suite_version"], language)


def suite_words(facts: int, needed: int, version: str, language: TextLanguage) -> str:
    """`12 of 30 facts: 18 more until it can decide (version 0a1b2c3d)`; a dash without a personal set."""
    if not version:
        return "-"
    missing = max(needed - facts, 0)
    decides = text("suite.decides_not" if missing else "suite.decides", language, missing=missing)
    return text("suite.state_of_night", language, facts=facts, needed=needed, decides=decides, version=version[:8])
