"""The promotion gate: may the challenger replace the champion? One pure function over reports.

    A validity       both reports answer the same items in the same way, and every number is finite
    B guards         answers end, use the asked language, and do not loop, leak tags or stay empty: absolute floors;
                     and some of them are right
    C superiority    better on the fixed questions or on the personal set, by more than facts that nobody taught gained,
                     and than a lucky seed; and not less accurate
    D no harm        Japanese, English and retention are shown non-inferior; no smaller slice or personal set is worse
    E no erosion     D against the anchor too; and most of the base's abilities are retained
    F confirmation   questions that no night has used agree (opened only if A to E pass)

A rule's result is `pass`, `fail`, `unclear` (too little evidence) or `noted` (decides nothing). The verdict is
`invalid` if A fails; else `keep` if any rule fails, `not_enough_evidence` if any is unclear, else `promote`. Every
threshold is a field of `Policy`. Differences are signed: positive means the challenger is better.

Non-inferiority with margins: Piaggio et al., CONSORT extension, JAMA 2012. The bootstrap: `evaluate/statistics.py`.
The rules: `rules.py`; their values and words: `decision.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import Report
from bonsai.gate.decision import Decision, Outcome, Policy, Rule, RuleResult, Verdict, render
from bonsai.gate.rules import (
    calibration,
    confirmation,
    erosion,
    from_form,
    guards,
    harmed_slices,
    losses,
    no_harm,
    not_less_accurate,
    right_answers,
    superiority,
    validity,
)

__all__ = ["Decision", "Outcome", "Policy", "Rule", "RuleResult", "Verdict", "decide", "render"]


def decide(
    challenger: Report,
    champion: Report,
    *,
    base: Report,
    confirm: Callable[[], ReportPair],
    policy: Policy,
    anchor: Report | None = None,
    suite: ReportPair | None = None,
    left_out: frozenset[str] = frozenset(),
    champion_must_go: bool = False,
    level: float | None = None,
    calibrated_seeds: int = 0,
    form: Report | None = None,
    form_suite: Report | None = None,
) -> Decision:
    """Judge the challenger's report on the selection pool.

    On the first night `champion` is `base`. `suite` is the personal set answered by both; `anchor` is the report of the
    oldest promoted adapter. `left_out` names items that a compared adapter was trained on, and retired ones. `confirm`
    scores both on the confirmation pool; it is called only if A to E pass. `champion_must_go`: it was trained on a
    record that was forgotten since; its replacement (never itself) needs to show no progress, only no harm.

    `level` is that of the night's claims of progress (`error_budget.level`); without one it is the policy's alpha.
    `calibrated_seeds` is the number of seeds on which the policy's minimum gains were measured, 0 if they were not.
    `form` and `form_suite` are reports of an adapter of this base that learned the form of answers alone: while the
    bare base is champion, rule C measures progress from there, and the reasons say so.
    """
    night = ReportPair(challenger, champion)
    pairs = [night, ReportPair(challenger, base), *([suite] if suite else [])]
    measured, measured_suite = night, suite
    noted = [calibration(base.base, calibrated_seeds)]
    if form and not champion.adapter_hash:
        measured = ReportPair(challenger, form)
        measured_suite = ReportPair(suite.challenger, form_suite) if suite and form_suite else None
        pairs += [measured, *([measured_suite] if measured_suite else [])]
        noted.append(from_form())
    found = tuple(dict.fromkeys(result for pair in pairs for result in validity(pair, base.logits)))
    if any(result.outcome == "fail" for result in found):
        return conclude(found, opened=False)
    at = policy.alpha if level is None else level
    found += guards(night, anchor, policy, left_out)
    found += (right_answers([night, *([suite] if suite else [])], left_out),)
    better = superiority(measured, measured_suite, policy, at, left_out)
    claimed = frozenset(one.name for one in better if one.outcome == "pass")
    better += (*losses(night, suite, claimed, policy, left_out), not_less_accurate(night, policy, left_out))
    if champion_must_go and challenger.adapter_hash != champion.adapter_hash:
        better, claimed = tuple(replace(one, outcome="noted") for one in better), frozenset()
    found += (*noted, *better)
    found += no_harm("D", night, policy, left_out) + (harmed_slices("D", suite, policy, left_out) if suite else ())
    found += erosion(night, base, anchor, policy, left_out)
    if any(result.outcome in ("fail", "unclear") for result in found):
        return conclude(found, opened=False)
    found += confirmation(confirm(), base, claimed=claimed, policy=policy, left_out=left_out)
    return conclude(found, opened=True)


def conclude(found: tuple[RuleResult, ...], *, opened: bool) -> Decision:
    """Combine the rules' results into a verdict; its reasons are those of the deciding rules."""
    failed = tuple(result for result in found if result.outcome == "fail")
    unclear = tuple(result for result in found if result.outcome == "unclear")
    verdict: Verdict = "not_enough_evidence" if unclear else "promote"
    if failed:
        verdict = "invalid" if any(result.rule == "A" for result in failed) else "keep"
    decisive = failed or unclear or tuple(result for result in found if result.rule in "CDEF")
    shown = tuple(result.reason for result in decisive if result.outcome != "noted")
    if any(result.rule == "C" and result.outcome != "noted" for result in decisive):
        shown += tuple(result.reason for result in found if result.name == "form")
    harm = verdict == "keep" and any(result.harm for result in failed)
    return Decision(verdict, shown, found, harm, opened)
