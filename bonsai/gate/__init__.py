"""The gate: may this challenger answer instead of the champion? One pure function, read from top to bottom.

    A validity       both were asked the same, in the same way, and every number is a number
    B guards         it stops, answers in the asked language, does not loop, leak or fall silent
    C superiority    it is better, on v1 or on the owner's suite, by more than a lucky seed; and not less accurate
    D no harm        Japanese, English, retention are shown not to be worse; no smaller slice, nor the suite, is worse
    E no erosion     D against the oldest champion too; and most of what the bare base could is still there
    F confirmation   questions that no night has looked at agree (opened only when A to E pass)

A rule's result is `pass`, `fail`, `unclear` (too little evidence) or `noted` (looked at, decides nothing). The verdict:
`invalid` when A fails; else `keep` when any rule fails, `not_enough_evidence` when any is unclear, else `promote`.
Every number that decides is a field of `Policy`. Figures are signed so that plus is better for the challenger.

Non-inferiority with margins: Piaggio et al., CONSORT extension, JAMA 2012. The bootstrap: `benchmark/statistics.py`.
The rules themselves: `rules.py`; their values and words: `results.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import Report
from bonsai.gate.decision import Decision, Outcome, Policy, Reason, Rule, RuleResult, Verdict, render
from bonsai.gate.rules import confirmation, erosion, guards, harmed_slices, no_harm, passed, superiority, validity

__all__ = ["Decision", "Outcome", "Pair", "Policy", "Reason", "Rule", "RuleResult", "Verdict", "decide", "render"]


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

    On the first night `champion` is `base`. `suite` holds the owner's suite answered by both; `anchor` is the report of
    the oldest promoted adapter. `left_out` names items that a compared adapter trained on, and retired ones. `confirm`
    scores both on the confirmation pool; it is called only when A to E pass. `champion_must_go`: it learned from a
    record that its owner had forgotten since; no progress is asked of what replaces it (never itself), only no harm.
    """
    night = ReportPair(challenger, champion)
    pairs = [night, ReportPair(challenger, base), *([suite] if suite else [])]
    found = tuple(dict.fromkeys(result for pair in pairs for result in validity(pair, base.logits)))
    if any(result.outcome == "fail" for result in found):
        return conclude(found, opened=False)
    found += guards(night, policy, left_out)
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
    """The verdict that the rules' results add up to; its reasons are those of the rules that decided it."""
    failed = tuple(result for result in found if result.outcome == "fail")
    unclear = tuple(result for result in found if result.outcome == "unclear")
    verdict: Verdict = "not_enough_evidence" if unclear else "promote"
    if failed:
        verdict = "invalid" if any(result.rule == "A" for result in failed) else "keep"
    decisive = failed or unclear or tuple(result for result in found if result.rule in "CDEF")
    shown = tuple(result.reason for result in decisive if result.outcome != "noted")
    harm = verdict == "keep" and any(result.harm for result in failed)
    return Decision(verdict, shown, found, harm, opened)
