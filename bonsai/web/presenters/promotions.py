"""Presenter of the promotion pages: the verdict in words, every rule with its figures and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bonsai.domain.promotion import State
from bonsai.evaluate.report import domain_name
from bonsai.gate.decision import RuleResult, Unit, render
from bonsai.web import charts
from bonsai.web.request import Visit
from storage.tables.promotions_table import Promotion

UNITS: tuple[Unit, ...] = ("bits", "points", "shares", "none")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to display."""

    letter: str
    words: str
    "Its finding."
    outcome: str
    figure: str
    interval: str
    threshold: str
    plot: Markup | None


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules with the same unit."""

    unit: Unit
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """A promotion in the list."""

    promotion: Promotion
    state: State
    verdict: str


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Right answers of a slice, before and after."""

    domain: str
    language: str
    before: str
    after: str
    change: str


def reasons(visit: Visit, promotion: Promotion) -> list[str]:
    """Deciding reasons, in words and figures."""
    return [render(one, visit.language) for one in promotion.decision.reasons]


def groups(visit: Visit, promotion: Promotion) -> list[RuleGroup]:
    """All rules by unit, decisive or not."""
    found = promotion.decision.rules
    made = []
    for unit in UNITS:
        rules = [one for one in found if one.unit == unit]
        drawn = [_interval(one) for one in rules]
        shared = charts.scale_of([one for one in drawn if one], with_zero=False) if unit == "shares" else None
        shown = tuple(_rule(visit, one, plot, shared) for one, plot in zip(rules, drawn, strict=True))
        if shown:
            made.append(RuleGroup(unit, shown))
    return made


def _interval(rule: RuleResult) -> charts.Interval | None:
    if rule.figure is None:
        return None
    low, high = rule.interval or (None, None)
    return charts.Interval(rule.figure, low, high, rule.threshold, rule.outcome)


def _rule(visit: Visit, rule: RuleResult, drawn: charts.Interval | None, shared: charts.Scale | None) -> Rule:
    """Each rule has its own scale unless one is shared: one large gain would shrink the others to dots."""
    figure, threshold = _number(rule.figure, rule.unit), _number(rule.threshold, rule.unit)
    interval = " … ".join(_number(bound, rule.unit) for bound in rule.interval or ())
    label = visit.text("plot_label", figure=figure, interval=interval or "-", threshold=threshold or "-")
    return Rule(
        letter=rule.rule,
        words=render(rule.reason, visit.language),
        outcome=rule.outcome,
        figure=figure,
        interval=interval,
        threshold=threshold,
        plot=charts.interval_plot(drawn, shared or charts.scale_of([drawn], with_zero=True), label) if drawn else None,
    )


def _number(value: float | None, unit: Unit) -> str:
    if value is None:
        return ""
    return {"bits": f"{value:+.3f}", "points": f"{100 * value:+.1f}", "shares": f"{value:.1%}"}.get(unit, f"{value:g}")


def slice_rows(visit: Visit, accuracy: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> list[SliceRow]:
    """One row per domain and language."""
    return [
        SliceRow(_topic(visit, domain), language, *_before_and_after(figures))
        for domain, languages in accuracy.items()
        for language, figures in languages.items()
    ]


def _topic(visit: Visit, domain: str) -> str:
    return visit.text("decision.slice_all") if domain == "all" else domain_name(domain, visit.language)


def _before_and_after(figures: Mapping[str, float | None]) -> tuple[str, str, str]:
    before, after = figures.get("before"), figures.get("after")
    change = "" if before is None or after is None else f"{100 * (after - before):+.1f}"
    return _percent(before), _percent(after), change


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def rows(promotions: Sequence[Promotion], state_of: Mapping[str, State]) -> list[PromotionRow]:
    """Rows of the list, newest first."""
    return [PromotionRow(one, state_of.get(one.adapter, one.state), one.decision.finding) for one in promotions]
