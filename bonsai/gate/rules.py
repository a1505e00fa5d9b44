"""The rules of the gate, A to F, each a pure function of two reports. `bonsai.gate.decide.decide` orders them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bonsai.domain.reasons import Reason, Value
from bonsai.evaluate.compare import (
    ACCURACY,
    BeyondControl,
    Comparison,
    Measure,
    Questions,
    ReportPair,
    Slice,
    compare,
    compare_beyond,
    slices,
)
from bonsai.evaluate.report import GUARDS, Report, accuracy, mean
from bonsai.evaluate.statistics import Bootstrap, Estimate, holm
from bonsai.gate.decision import Outcome, Policy, Rule, RuleResult, Unit

ALL = Slice("all")
SAME = ("benchmark", "items_hash", "base", "settings_hash", "library_fingerprint")
"What two reports must share to be comparable."


def validity(pair: ReportPair, base_logits: tuple[float, ...]) -> tuple[RuleResult, ...]:
    """A: the reports are comparable. Returns the failures, or one pass."""
    new, old = pair.challenger, pair.champion
    broken = [
        ("differs", name, f"{getattr(new, name)} / {getattr(old, name)}")
        for name in SAME
        if getattr(new, name) != getattr(old, name)
    ]
    if sorted(item.id for item in new.items) != sorted(item.id for item in old.items):
        broken.append(("differs", "items", f"{len(new.items)} / {len(old.items)}"))
    broken += unusable(new) + unusable(old)
    if new.adapter_hash and new.logits == base_logits:
        broken.append(("untouched", new.subject, new.base))
    if not broken:
        return (RuleResult("A", "validity", "pass", Reason("decision.valid", (("benchmark", new.benchmark),))),)
    return tuple(
        RuleResult("A", key, "fail", Reason(f"decision.{key}", (("what", what), ("detail", detail))))
        for key, what, detail in broken
    )


def unusable(report: Report) -> list[tuple[str, str, str]]:
    """What makes a report unusable on its own: failed items (they are not scores of 0) and non-finite numbers."""
    found = [("item_error", item, what) for item, what in report.errors]
    bad = [item.id for item in report.items if not math.isfinite(item.bits_per_byte)]
    if not all(math.isfinite(logit) for logit in report.logits):
        bad.append("logits")
    return sorted(found + [("not_finite", report.subject, name) for name in bad])


def guards(pair: ReportPair, anchor: Report | None, policy: Policy, left_out: frozenset[str]) -> tuple[RuleResult, ...]:
    """B: each guard, by language, meets its floor. Broken form is the training's fault, never the records'.

    A later challenger may stay below a floor that neither the champion nor the oldest one ever met, if it is shown to
    be no worse than the champion. The base excuses nobody.
    """
    languages = sorted({item.language for item in pair.challenger.items})
    return tuple(_guard(name, language, pair, anchor, policy, left_out) for language in languages for name in GUARDS)


def _guard(
    name: str, language: str, pair: ReportPair, anchor: Report | None, policy: Policy, left_out: frozenset[str]
) -> RuleResult:
    metric, floor = GUARDS[name], getattr(policy.guard_floors, name)

    def share(report: Report) -> float:
        return mean((i for i in report.items if i.language == language and i.id not in left_out), metric) or 0.0

    new, old = share(pair.challenger), share(pair.champion)
    promoted = [report for report in (pair.champion, anchor) if report and report.adapter_hash]
    key, interval = "guard_holds", None
    if new < floor:
        key = "guard_broken"
        if promoted and all(share(report) < floor for report in promoted):
            measure = Measure(name, metric, 1.0, 1.0, 0.0, matched_proportions=True)
            found = compare(pair, Slice(language, None, language), measure, policy.slice_bootstrap, left_out).estimate
            if found:
                interval = (found.lower(policy.alpha), found.upper(policy.alpha))
                key = "guard_no_worse" if interval[0] > -policy.guard_margin else key
    values = (("guard", name), ("language", language), ("new", new), ("old", old), ("floor", floor))
    outcome: Outcome = "fail" if key == "guard_broken" else "pass"
    reason = Reason(f"decision.{key}", values)
    return RuleResult("B", f"{name}/{language}", outcome, reason, new, None, floor, unit="shares")


def right_answers(pairs: Sequence[ReportPair], left_out: frozenset[str]) -> RuleResult:
    """B: the challenger answers something rightly. Fluent silence is no model to promote."""
    graded = [
        right
        for pair in pairs
        for item in pair.challenger.items
        if item.id not in left_out and (right := accuracy(item)) is not None
    ]
    values = (("right", round(sum(graded))), ("asked", len(graded)))
    reason = Reason("decision.some_right" if any(graded) else "decision.none_right", values)
    return RuleResult("B", "right_answers", "pass" if any(graded) else "fail", reason)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of progress: more was gained on taught questions than on control questions, which nothing teaches."""

    name: str
    "`right_fixed`, `bits_fixed`, `right_personal` or `bits_personal`."
    taught: Questions
    control: Questions
    measure: Measure
    smallest: float
    "Smallest gain that counts: bits/byte, or a share of right answers."

    @property
    def fixed(self) -> bool:
        """About the fixed questions, not the personal set."""
        return self.name.endswith("_fixed")


def claims_of(fixed: ReportPair, suite: ReportPair | None, policy: Policy) -> tuple[Claim, ...]:
    """The claims that rule C weighs: on the fixed questions and on the personal set, in right answers and in bits."""
    taught, control = (Slice("taught", policy.taught_domains), Slice("control", policy.control_domains))
    asked = [("fixed", Questions(fixed, taught), policy.min_gain_right, policy.min_gain_bits)]
    if suite is not None and suite.challenger.items:
        asked.append(("personal", Questions(suite, ALL), policy.min_suite_gain_right, policy.min_suite_gain_bits))
    return tuple(
        Claim(f"{unit}_{name}", questions, Questions(fixed, control), measure, smallest)
        for name, questions, *smallest_gains in asked
        for unit, measure, smallest in zip(
            ("right", "bits"), (ACCURACY, policy.preference), smallest_gains, strict=True
        )
    )


def superiority(
    pair: ReportPair, suite: ReportPair | None, policy: Policy, level: float, left_out: frozenset[str]
) -> tuple[RuleResult, ...]:
    """C: better on the fixed questions or on the personal set, beyond what facts that nobody taught gained.

    The claims that can be made share the level. A claim that fails beside one that holds is only noted; if none holds,
    the nearest one gives the reason.
    """
    weighed = [(one, weigh(one, policy.bootstrap, left_out)) for one in claims_of(pair, suite, policy)]
    made = sum(found.estimate is not None for _, found in weighed)
    shared = level / max(made, 1)  # Holm's first step: to claim any, the best must hold at level / claims
    results = [progress(one, found, shared) for one, found in weighed]
    best = min(results, key=_distance)
    return tuple(one if one is best or one.outcome == "pass" else replace(one, outcome="noted") for one in results)


def _distance(result: RuleResult) -> tuple[int, float]:
    """How far a claim is from holding: by its outcome, then by its gain in units of the smallest that counts."""
    rank: dict[Outcome, int] = {"pass": 0, "unclear": 1, "fail": 2, "noted": 3}
    return rank[result.outcome], -(result.figure or 0.0) / (result.threshold or 1.0)


def weigh(claim: Claim, bootstrap: Bootstrap, left_out: frozenset[str] = frozenset()) -> BeyondControl:
    """The gain that a claim is about, beside the one on control."""
    return compare_beyond(claim.taught, claim.control, claim.measure, bootstrap, left_out)


def progress(claim: Claim, found: BeyondControl, level: float) -> RuleResult:
    """Progress is shown (lower bound above 0) and exceeds the variation between seeds.

    Both the gain on taught questions and its excess over control must do so, so a loss on control counts for nothing.
    No correction is due for an intersection-union test (Berger, "Multiparameter hypothesis testing and acceptance
    sampling", 1982).
    """
    taught, beyond = found.taught.estimate, found.estimate
    if taught is None or beyond is None:
        return _too_few(claim, found)
    low = min(taught.lower(level), beyond.lower(level))
    high = min(taught.upper(level), beyond.upper(level))
    gain = min(found.taught.mean, found.mean)
    outcome: Outcome = "fail" if gain < claim.smallest else "pass" if low > 0 else "unclear"
    kind, unit, scale = _kind(claim.measure)
    values = (
        ("name", claim.name), ("gain", scale * gain), ("low", scale * low), ("min", scale * claim.smallest),
        ("level", level), ("taught", scale * found.taught.mean), ("clusters", found.taught.clusters),
        ("control", scale * found.control.mean), ("controls", found.control.clusters),
    )  # fmt: skip
    ending = {"pass": "shown", "unclear": "unclear", "fail": "too_small"}[outcome]
    reason = Reason(f"decision.{kind}_{ending}", values)
    return RuleResult("C", claim.name, outcome, reason, gain, (low, high), claim.smallest, unit=unit)


def _too_few(claim: Claim, found: BeyondControl) -> RuleResult:
    """Too few facts, taught or control, to claim anything."""
    key, part = ("no_control", found.control) if found.taught.estimate else ("few_clusters", found.taught)
    reason = Reason(f"decision.{key}", (("name", claim.name), ("clusters", part.clusters)))
    return RuleResult("C", claim.name, "unclear", reason, None, None, claim.smallest)


def losses(
    pair: ReportPair, suite: ReportPair | None, claimed: frozenset[str], policy: Policy, left_out: frozenset[str]
) -> tuple[RuleResult, ...]:
    """C: progress buys no shown loss on the personal set; nor, unless the personal set gained, on taught questions.

    Otherwise two adapters could replace each other for ever, one winning by one claim and the other by another. A loss
    is shown when the champion's gain over the challenger is, at the level of harm and with or without control.
    `claimed` names the claims that passed.
    """
    if not claimed:
        return ()
    own_progress = claimed & {"right_personal", "bits_personal"}
    back = ReportPair(pair.champion, pair.challenger)
    back_suite = suite and ReportPair(suite.champion, suite.challenger)
    claims = (one for one in claims_of(back, back_suite, policy) if not (one.fixed and own_progress))
    return tuple(lost for one in claims if (lost := _lost(one, policy, left_out)))


def _lost(claim: Claim, policy: Policy, left_out: frozenset[str]) -> RuleResult | None:
    """A claim of the champion over the challenger that holds, as a loss."""
    taught = claim.taught
    back = compare(taught.pair, taught.part, claim.measure, policy.bootstrap, left_out)
    if back.estimate is None or back.mean < claim.smallest or back.estimate.lower(policy.alpha) <= 0:
        return None
    low, high = -back.estimate.upper(policy.alpha), -back.estimate.lower(policy.alpha)
    kind, unit, scale = _kind(claim.measure)
    values = (("name", claim.name), ("gain", -scale * back.mean), ("high", scale * high), ("clusters", back.clusters))
    name = "fixed_lost" if claim.fixed else "suite_lost"
    reason = Reason(f"decision.{kind}_lost", values)
    return RuleResult("C", name, "fail", reason, -back.mean, (low, high), -claim.smallest, unit=unit)


class _Kind(NamedTuple):
    """How reasons about a measure are named, the unit of its figures, and the factor by which words show them."""

    name: str
    unit: Unit
    scale: float


def _kind(measure: Measure) -> _Kind:
    return _Kind("right", "points", 100.0) if measure is ACCURACY else _Kind("bits", "bits", 1.0)


def not_less_accurate(pair: ReportPair, policy: Policy, left_out: frozenset[str]) -> RuleResult:
    """C: likelihood must not be traded for right answers: accuracy is not shown to be worse."""
    found = compare(pair, ALL, ACCURACY, policy.slice_bootstrap, left_out)
    if found.estimate is None:
        reason = Reason("decision.few_clusters", (("name", "accuracy"), ("clusters", found.clusters)))
        return RuleResult("C", "accuracy", "noted", reason)
    low, high = found.estimate.lower(policy.alpha), found.estimate.upper(policy.alpha)
    worse = high < 0
    values = (("gain", 100 * found.mean), ("low", 100 * low), ("high", 100 * high))
    outcome: Outcome = "fail" if worse else "pass"
    reason = Reason("decision.accuracy_worse" if worse else "decision.accuracy_holds", values)
    return RuleResult("C", "accuracy", outcome, reason, found.mean, (low, high), 0.0, worse, unit="points")


def no_harm(rule: Rule, pair: ReportPair, policy: Policy, left_out: frozenset[str]) -> tuple[RuleResult, ...]:
    """D: three slices must be *shown* non-inferior; smaller ones fail only if harm is shown (Holm)."""
    known = {item.language for item in pair.challenger.items}
    asked = [(Slice(name, None, name), policy.language_margin_bits) for name in ("ja", "en") if name in known]
    asked.append((Slice("retention", policy.retention_domains), policy.retention_margin_bits))
    shown = tuple(
        non_inferior(rule, compare(pair, part, policy.bits, policy.slice_bootstrap, left_out), margin, policy.alpha)
        for part, margin in asked
    )
    return shown + harmed_slices(rule, pair, policy, left_out)


def non_inferior(rule: Rule, found: Comparison, margin: float, alpha: float) -> RuleResult:
    """Pass: shown within the margin. Fail: shown worse, by more than the margin. Otherwise unclear."""
    name = found.slice.name
    if found.estimate is None:
        reason = Reason("decision.few_clusters", (("name", name), ("clusters", found.clusters)))
        return RuleResult(rule, name, "unclear", reason, None, None, -margin)
    low, high = found.estimate.lower(alpha), found.estimate.upper(alpha)
    outcome: Outcome = "pass" if low > -margin else "fail" if high < 0 and found.mean <= -margin else "unclear"
    values = (("slice", name), ("gain", found.mean), ("low", low), ("margin", margin), ("rule", rule))
    key = {"pass": "no_harm", "unclear": "harm_unclear", "fail": "harm_shown"}[outcome]
    harm = outcome == "fail" and rule == "D"
    reason = Reason(f"decision.{key}", values)
    return RuleResult(rule, name, outcome, reason, found.mean, (low, high), -margin, harm, unit="bits")


def harmed_slices(rule: Rule, pair: ReportPair, policy: Policy, left_out: frozenset[str]) -> tuple[RuleResult, ...]:
    """Smaller slices shown to be worse by more than the slice margin; Holm corrects for their number."""
    compared = [
        (found, found.estimate)
        for part in slices(pair.challenger, policy.min_slice_clusters)
        if (found := compare(pair, part, policy.bits, policy.slice_bootstrap, left_out)).estimate
    ]
    worse = holm([made.p_below() for _, made in compared if made], policy.alpha)
    return tuple(
        _slice_harmed(rule, found, made, policy)
        for (found, made), shown in zip(compared, worse, strict=True)
        if made and shown and found.mean <= -policy.slice_margin_bits
    )


def _slice_harmed(rule: Rule, found: Comparison, made: Estimate, policy: Policy) -> RuleResult:
    margin, alpha = policy.slice_margin_bits, policy.alpha
    reason = Reason("decision.slice_harmed", (("slice", found.slice.name), ("gain", found.mean), ("margin", margin)))
    bounds = (made.lower(alpha), made.upper(alpha))
    return RuleResult(rule, found.slice.name, "fail", reason, found.mean, bounds, -margin, rule == "D", unit="bits")


def erosion(
    pair: ReportPair, base: Report, anchor: Report | None, policy: Policy, left_out: frozenset[str]
) -> tuple[RuleResult, ...]:
    """E: many small losses, each within its margin, must not add up."""
    found: tuple[RuleResult, ...] = (kept_of_base(pair, base, policy, left_out),)
    if anchor is None or anchor.adapter_hash in (pair.champion.adapter_hash, base.adapter_hash):
        return found
    against = ReportPair(pair.challenger, anchor)
    broken = tuple(result for result in validity(against, base.logits) if result.outcome == "fail")
    return found + (broken or no_harm("E", against, policy, left_out))


def kept_of_base(pair: ReportPair, base: Report, policy: Policy, left_out: frozenset[str]) -> RuleResult:
    """E: right answers on the retention items, as a share of the base's; new ones make up for lost ones.

    Nothing rehearses these items: no replay sample holds what they ask (`bonsai.evaluate.replay_rows`).
    """
    part = Slice("retention", policy.retention_domains)

    def right(report: Report) -> float:
        return mean((i for i in report.items if part.holds(i) and i.id not in left_out), accuracy) or 0.0

    could, can, champion_can = right(base), right(pair.challenger), right(pair.champion)
    kept, floor = (can / could if could else 1.0), policy.retention_floor
    changed = compare(ReportPair(pair.challenger, base), part, ACCURACY, policy.slice_bootstrap, left_out)
    bounds = changed.bounds(policy.alpha)
    interval = (max(0.0, 1 + bounds[0] / could), 1 + bounds[1] / could) if bounds and could else None
    values: tuple[tuple[str, Value], ...] = (("kept", kept), ("floor", floor), ("base", could), ("new", can))
    values += (("low", interval[0]), ("high", interval[1])) if interval else ()
    within = "_within" if interval else ""
    if could * sum(part.holds(item) for item in base.items) < policy.min_slice_clusters:
        return RuleResult("E", "retention", "noted", Reason("decision.little_to_retain", (("base", could),)))
    if kept >= floor:
        reason = Reason(f"decision.retained{within}", values)
        return RuleResult("E", "retention", "pass", reason, kept, interval, floor, unit="shares")
    reason = Reason(f"decision.forgotten{within}", values)  # only this night's records are suspect, not earlier losses
    harm = champion_can >= floor * could
    return RuleResult("E", "retention", "fail", reason, kept, interval, floor, harm, unit="shares")


def confirmation(
    pair: ReportPair, base: Report, *, claimed: frozenset[str], policy: Policy, left_out: frozenset[str]
) -> tuple[RuleResult, ...]:
    """F: unseen questions agree. The result is pass or fail only, so that nobody can tune to them.

    The pool is smaller than selection, where D has shown non-inferiority: here no harm may be shown, and no observed
    loss may exceed its margin. Of the claims about the fixed questions that passed (`claimed`), one must show again,
    at the policy's alpha: the night's stricter level was spent on other questions in rule C, and a claim without
    substance has to pass both. Progress on the personal set alone cannot, as these questions do not ask it.
    """
    checks = validity(pair, base.logits)
    agrees = checks[0].outcome == "pass"
    if agrees:
        checks = no_harm("F", pair, policy, left_out)
        again = [one for one in claims_of(pair, None, policy) if one.name in claimed]
        shown = [_shows_again(one, policy, policy.alpha / len(again), left_out) for one in again]
        agrees = any(shown or [True]) and all(one.outcome == "pass" or within_margin(one) for one in checks)
    reason = Reason("decision.confirmed" if agrees else "decision.not_confirmed")
    return (RuleResult("F", "confirmation", "pass" if agrees else "fail", reason),)


def _shows_again(claim: Claim, policy: Policy, level: float, left_out: frozenset[str]) -> bool:
    """The claim holds on questions that it was not chosen by; any gain will do."""
    found = weigh(claim, policy.slice_bootstrap, left_out)
    return progress(replace(claim, smallest=0.0), found, level).outcome == "pass"


def calibration(base: str, seeds: int) -> RuleResult:
    """C: whether the minimum gains were measured on seeds of this base and recipe (0: they were not)."""
    key, values = ("calibrated", (("seeds", seeds),)) if seeds else ("uncalibrated", (("base", base),))
    return RuleResult("C", "calibration", "noted", Reason(f"decision.{key}", values))


def from_form() -> RuleResult:
    """C: progress was measured from an adapter that learned the form of answers alone."""
    return RuleResult("C", "form", "noted", Reason("decision.from_form"))


def within_margin(result: RuleResult) -> bool:
    """Harm is not excluded, but the observed loss is within the margin."""
    seen, limit = result.figure, result.threshold
    return result.outcome == "unclear" and seen is not None and limit is not None and limit < 0 and seen > limit
