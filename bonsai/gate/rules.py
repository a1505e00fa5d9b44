"""The rules of the gate, A to F, each a pure function of two reports. `bonsai.gate.decide.decide` orders them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from bonsai.domain.reasons import Reason
from bonsai.evaluate.compare import ACCURACY, Comparison, Measure, ReportPair, Slice, compare, slices
from bonsai.evaluate.report import GUARDS, Report, accuracy, mean
from bonsai.evaluate.statistics import Estimate, holm
from bonsai.gate.decision import Outcome, Policy, Rule, RuleResult

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


def superiority(
    pair: ReportPair, suite: ReportPair | None, policy: Policy, left_out: frozenset[str]
) -> tuple[RuleResult, ...]:
    """C: better on v1 or on the personal set, each claimed at half the level if both can be.

    A claim that fails beside one that holds is only noted; if none holds, the nearer one gives the reason. Progress on
    v1 does not excuse a loss on the personal set: otherwise two adapters could replace each other for ever, one winning
    on v1 and the other on the personal set.
    """
    claims = [("gain_v1", pair, policy.min_gain_bits)]
    if suite is not None and suite.challenger.items:
        claims.append(("gain_suite", suite, policy.min_suite_gain_bits))
    compared = [(name, compare(both, ALL, policy.bits, policy.bootstrap, left_out), m) for name, both, m in claims]
    made = sum(found.estimate is not None for _, found, _ in compared)
    alpha = policy.alpha / max(
        made, 1
    )  # Holm's first step: to claim either, the better one must hold at alpha / claims
    gains = [gain(name, found, smallest, alpha) for name, found, smallest in compared]
    rank: dict[Outcome, int] = {"pass": 0, "unclear": 1, "fail": 2, "noted": 3}
    best = min(gains, key=lambda result: rank[result.outcome])
    shown = tuple(g if g is best or g.outcome == "pass" else replace(g, outcome="noted") for g in gains)
    if suite is not None and made > 1 and gains[0].outcome == "pass":
        shown += suite_lost(suite, policy, alpha, left_out)
    return (*shown, not_less_accurate(pair, policy, left_out))


def suite_lost(suite: ReportPair, policy: Policy, alpha: float, left_out: frozenset[str]) -> tuple[RuleResult, ...]:
    """C: the champion would be promoted over the challenger on the personal set, by the same criteria."""
    back = compare(ReportPair(suite.champion, suite.challenger), ALL, policy.bits, policy.bootstrap, left_out)
    lost = gain("gain_suite", back, policy.min_suite_gain_bits, alpha)
    if lost.outcome != "pass" or lost.interval is None:
        return ()
    low, high = lost.interval
    values = (("gain", -back.mean), ("high", -low), ("clusters", back.clusters))
    reason = Reason("decision.suite_lost", values)
    limit = -policy.min_suite_gain_bits
    return (RuleResult("C", "suite_lost", "fail", reason, -back.mean, (-high, -low), limit, unit="bits"),)


def gain(name: str, found: Comparison, smallest: float, alpha: float) -> RuleResult:
    """Progress is shown (lower bound above 0) and exceeds the variation between seeds."""
    if found.estimate is None:
        reason = Reason("decision.few_clusters", (("name", name), ("clusters", found.clusters)))
        return RuleResult("C", name, "unclear", reason, None, None, smallest)
    low, high = found.estimate.lower(alpha), found.estimate.upper(alpha)
    outcome: Outcome = "pass" if low > 0 and found.mean >= smallest else "unclear" if found.mean >= smallest else "fail"
    values = (("name", name), ("gain", found.mean), ("low", low), ("min", smallest), ("clusters", found.clusters))
    key = {"pass": "gain_shown", "unclear": "gain_unclear", "fail": "gain_too_small"}[outcome]
    reason = Reason(f"decision.{key}", values)
    return RuleResult("C", name, outcome, reason, found.mean, (low, high), smallest, unit="bits")


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
    """E: share of the base's right answers on the retention items that the challenger keeps."""
    part = Slice("retention", policy.retention_domains)

    def right(report: Report) -> float:
        return mean((i for i in report.items if part.holds(i) and i.id not in left_out), accuracy) or 0.0

    could, can, champion_can = right(base), right(pair.challenger), right(pair.champion)
    kept, floor = (can / could if could else 1.0), policy.retention_floor
    values = (("kept", kept), ("floor", floor), ("base", could), ("new", can))
    if could * sum(part.holds(item) for item in base.items) < policy.min_slice_clusters:
        return RuleResult("E", "retention", "noted", Reason("decision.little_to_retain", (("base", could),)))
    if kept >= floor:
        return RuleResult(
            "E", "retention", "pass", Reason("decision.retained", values), kept, None, floor, unit="shares"
        )
    reason = Reason("decision.forgotten", values)  # only this night's records are suspect, not earlier losses
    harm = champion_can >= floor * could
    return RuleResult("E", "retention", "fail", reason, kept, None, floor, harm, unit="shares")


def confirmation(
    pair: ReportPair, base: Report, *, suite_only: bool, policy: Policy, left_out: frozenset[str]
) -> tuple[RuleResult, ...]:
    """F: unseen questions agree. The result is pass or fail only, so that nobody can tune to them.

    The pool is smaller than selection, where D has shown non-inferiority: here no harm may be shown, and no observed
    loss may exceed its margin. Progress on v1 must show again; progress on the personal set alone cannot, as v1 does
    not ask it.
    """
    checks = validity(pair, base.logits)
    if checks[0].outcome == "pass":
        checks = no_harm("F", pair, policy, left_out)
        if not suite_only:
            checks += (gain("gain", compare(pair, ALL, policy.bits, policy.bootstrap, left_out), 0.0, policy.alpha),)
    agrees = all(result.outcome == "pass" or within_margin(result) for result in checks)
    reason = Reason("decision.confirmed" if agrees else "decision.not_confirmed")
    return (RuleResult("F", "confirmation", "pass" if agrees else "fail", reason),)


def within_margin(result: RuleResult) -> bool:
    """Harm is not excluded, but the observed loss is within the margin."""
    seen, limit = result.figure, result.threshold
    return result.outcome == "unclear" and seen is not None and limit is not None and limit < 0 and seen > limit


def passed(found: tuple[RuleResult, ...], name: str) -> bool:
    """Whether the rule of this name passed."""
    return any(result.name == name and result.outcome == "pass" for result in found)
