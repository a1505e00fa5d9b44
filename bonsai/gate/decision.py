"""The values of the gate: its policy, what each rule found, the verdict, and their words in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen

from bonsai.domain.reasons import Reason, Value, reason_from_json
from bonsai.evaluate import personal_set
from bonsai.evaluate.compare import Measure, bits_measure, preference_measure
from bonsai.evaluate.report import domain_name
from bonsai.evaluate.statistics import Bootstrap
from bonsai.i18n import TextLanguage, text
from bonsai.system.json_values import to_values

Verdict = Literal["promote", "keep", "not_enough_evidence", "invalid"]
Outcome = Literal["pass", "fail", "unclear", "noted"]
Rule = Literal["A", "B", "C", "D", "E", "F"]
Finding = Literal["better", "worse", "same", "unclear", "invalid"]
Unit = Literal["bits", "points", "shares", "none"]
"Bits/byte of the reference answers, points of accuracy (as a share), shares of answers; `none` without a figure."
SHARE_REASONS = ("decision.retained", "decision.forgotten")


NotNegative = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, slots=True)
class GuardFloors:
    """Shares of the answers that must keep each guard (`bonsai.evaluate.report.GUARDS`)."""

    ended: Share
    language: Share
    no_loop: Share
    not_empty: Share
    no_leak: Share


@dataclass(frozen=True, slots=True)
class Policy:
    """Every level, margin, floor and minimum of the gate; defaults, units and reasons in `defaults.toml` [gate]."""

    alpha: Annotated[float, Gt(0), Lt(0.5)]
    false_promotions: Annotated[float, Gt(0), Lt(0.5)]
    min_gain_bits: NotNegative
    min_suite_gain_bits: NotNegative
    min_gain_right: Share
    min_suite_gain_right: Share
    taught_domains: Annotated[tuple[str, ...], MinLen(1)]
    control_domains: Annotated[tuple[str, ...], MinLen(1)]
    min_clusters: Annotated[int, Ge(30)]
    min_control_clusters: Annotated[int, Ge(15)]
    min_slice_clusters: Annotated[int, Ge(5)]
    bits_cap: Annotated[float, Gt(0)]
    winsor_share: Annotated[float, Ge(0), Lt(0.25)]
    language_margin_bits: NotNegative
    retention_margin_bits: NotNegative
    slice_margin_bits: NotNegative
    retention_floor: Share
    retention_domains: Annotated[tuple[str, ...], MinLen(1)]
    guard_floors: GuardFloors
    guard_margin: Share
    openings_before_rotation: Annotated[int, Ge(1)]
    resamples: Annotated[int, Ge(1000)]
    seed: int

    @property
    def bits(self) -> Measure:
        """The fine measure: bits per byte of the reference answer."""
        return bits_measure(self.bits_cap, self.winsor_share)

    @property
    def preferred(self) -> tuple[str, ...]:
        """Domains about which progress may be claimed in likelihood."""
        return tuple(sorted({*self.taught_domains, *self.control_domains, personal_set.DOMAIN}))

    @property
    def preference(self) -> Measure:
        """What claims of progress measure in likelihood: bits per byte that right answers gain on distractors."""
        return preference_measure(self.bits_cap, self.winsor_share)

    @property
    def bootstrap(self) -> Bootstrap:
        """Bootstrap of a claim of progress."""
        return Bootstrap(
            self.resamples, self.seed, self.min_clusters, self.min_slice_clusters, self.min_control_clusters
        )

    @property
    def slice_bootstrap(self) -> Bootstrap:
        """Bootstrap of harm, which must be detected in smaller slices too."""
        return replace(self.bootstrap, min_clusters=self.min_slice_clusters, min_control_clusters=None)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule found."""

    rule: Rule
    name: str
    outcome: Outcome
    reason: Reason
    figure: float | None = None
    interval: tuple[float, float] | None = None
    "One-sided lower and upper bound."
    threshold: float | None = None
    harm: bool = False
    "The new records made the model worse: they are suspects."
    unit: Unit = "none"
    "Of figure, interval and threshold."


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict with its reasons."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    rules: tuple[RuleResult, ...]
    harm: bool
    "The night's new records are to be marked suspect."
    confirmation_opened: bool
    "Rule F used the confirmation pool: a holdout access to count."

    @property
    def judged_for_progress(self) -> bool:
        """Whether rule C decided: not for reports that cannot be compared, nor where a champion must go."""
        return any(one.rule == "C" and one.outcome != "noted" for one in self.rules)

    @property
    def finding(self) -> Finding:
        """The finding on the challenger, in one word."""
        match self.verdict:
            case "promote":
                return "better"
            case "not_enough_evidence":
                return "unclear"
            case "invalid":
                return "invalid"
            case "keep":
                lost = any(one.outcome == "fail" and one.rule in "BDE" for one in self.rules)
                return "worse" if self.harm or lost else "same"


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """As JSON values."""
    values: dict[str, Any] = to_values(decision)
    return values


def decision_from_json(stored: Mapping[str, Any]) -> Decision:
    """The inverse of `decision_to_json`; other keys are ignored."""
    return Decision(
        verdict=stored["verdict"],
        reasons=tuple(map(reason_from_json, stored["reasons"])),
        rules=tuple(map(_rule_from_json, stored["rules"])),
        harm=stored["harm"],
        confirmation_opened=stored["confirmation_opened"],
    )


def _rule_from_json(stored: Mapping[str, Any]) -> RuleResult:
    return RuleResult(
        rule=stored["rule"],
        name=stored["name"],
        outcome=stored["outcome"],
        reason=reason_from_json(stored["reason"]),
        figure=stored["figure"],
        interval=tuple(stored["interval"]) if stored["interval"] else None,
        threshold=stored["threshold"],
        harm=stored["harm"],
        unit=stored["unit"] if "unit" in stored else _unit_of_old(stored),
    )


def _unit_of_old(stored: Mapping[str, Any]) -> Unit:
    """The unit of a rule that version 0.1.0 stored without one."""
    if stored["figure"] is None:
        return "none"
    if stored["rule"] == "B" or stored["reason"]["key"] in SHARE_REASONS:
        return "shares"
    return "points" if stored["name"] == "accuracy" else "bits"


def render(reason: Reason, language: TextLanguage) -> str:
    """The reason in words and figures."""
    return text(reason.key, language, **{name: _words(name, value, language) for name, value in reason.values})


def _words(name: str, value: Value, language: TextLanguage) -> Value:
    """Names of guards, slices, languages and rules in the reader's language; a level with two digits."""
    if name == "slice" and "/" in str(value):
        domain, _, answered = str(value).partition("/")
        return f"{domain_name(domain, language)} / {text(f'decision.language_{answered}', language)}"
    if name in ("guard", "slice", "language", "name", "rule"):
        return text(f"decision.{name}_{value}", language)
    if name == "level":
        return f"{Decimal(f'{value:.2g}'):f}"  # 0.0000055: no exponent
    return value
