"""The promotion gate: may the challenger replace the champion? One pure function over reports.

    A validity       both reports answer the same items in the same way, and every number is finite
    B guards         answers end, use the asked language, and do not loop, leak tags or stay empty: absolute floors;
                     and some of them are right
    C superiority    better on v1 or on the personal set, by more than a lucky seed; and not less accurate
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
    confirmation,
    erosion,
    guards,
    harmed_slices,
    no_harm,
    passed,
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
) -> Decision:
    """Judge the challenger's report on the selection pool.

    On the first night `champion` is `base`. `suite` is the personal set answered by both; `anchor` is the report of the
    oldest promoted adapter. `left_out` names items that a compared adapter was trained on, and retired ones. `confirm`
    scores both on the confirmation pool; it is called only if A to E pass. `champion_must_go`: it was trained on a
    record that was forgotten since; its replacement (never itself) needs to show no progress, only no harm.
    """
    night = ReportPair(challenger, champion)
    pairs = [night, ReportPair(challenger, base), *([suite] if suite else [])]
    found = tuple(dict.fromkeys(result for pair in pairs for result in validity(pair, base.logits)))
    if any(result.outcome == "fail" for result in found):
        return conclude(found, opened=False)
    found += guards(night, anchor, policy, left_out)
    found += (right_answers([night, *([suite] if suite else [])], left_out),)
    better = superiority(night, suite, policy, left_out)
    waived = champion_must_go and challenger.adapter_hash != champion.adapter_hash
    found += tuple(replace(one, outcome="noted") for one in better) if waived else better
    found += no_harm("D", night, policy, left_out) + (harmed_slices("D", suite, policy, left_out) if suite else ())
    found += erosion(night, base, anchor, policy, left_out)
    if any(result.outcome in ("fail", "unclear") for result in found):
        return conclude(found, opened=False)
    found += confirmation(confirm(), base, suite_only=not passed(found, "gain_v1"), policy=policy, left_out=left_out)
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
    harm = verdict == "keep" and any(result.harm for result in failed)
    return Decision(verdict, shown, found, harm, opened)
