"""A decision as JSON: it comes back as it was, and one of version 0.1.0 gets the units that it does not say."""

from __future__ import annotations

import pytest

from bonsai.cli.presenters.promotions import rule_name
from bonsai.domain.reasons import Reason, reason_from_json
from bonsai.gate.decision import Decision, RuleResult, decision_from_json, decision_to_json, render

RULES: tuple[RuleResult, ...] = (
    RuleResult("C", "gain_v1", "pass", Reason("decision.gain_shown"), 0.5, (0.25, 0.75), 0.0, unit="bits"),
    RuleResult("C", "accuracy", "pass", Reason("decision.accuracy_holds"), 0.1, (0.0, 0.2), 0.0, unit="points"),
    RuleResult("E", "retention", "fail", Reason("decision.forgotten"), 0.9, None, 0.95, True, unit="shares"),
    RuleResult("A", "validity", "pass", Reason("decision.valid", (("benchmark", "v1"),))),
)
DECISION = Decision("keep", (RULES[-1].reason,), RULES, harm=True, confirmation_opened=False)


def test_a_decision_comes_back_as_it_was() -> None:
    assert decision_from_json({**decision_to_json(DECISION), "evidence": {}}) == DECISION


def test_units_that_an_old_decision_does_not_say_are_found() -> None:
    told = decision_to_json(DECISION)
    for rule in told["rules"]:
        del rule["unit"]
    assert decision_from_json(told) == DECISION


@pytest.mark.parametrize("name", ["gain_v1", "gain_suite"])
@pytest.mark.parametrize("key", ["gain_shown", "gain_unclear", "gain_too_small", "suite_lost", "few_clusters"])
def test_a_decision_of_0_1_0_still_speaks_both_languages(key: str, name: str) -> None:
    values = {"name": name, "gain": 0.1, "low": 0.05, "high": 0.2, "min": 0.026, "clusters": 143}
    reason = Reason(f"decision.{key}", tuple(values.items()))
    rule = RuleResult("C", name, "fail", reason, 0.1, (0.05, 0.2), 0.026, unit="bits")
    assert render(reason, "en") != render(reason, "ja")
    assert rule_name(rule, "en") != rule_name(rule, "ja")


def test_values_of_a_reason_are_pairs_or_an_object() -> None:
    reason = Reason("decision.valid", (("benchmark", "v1"), ("clusters", 3)))
    for values in ([["benchmark", "v1"], ["clusters", 3]], {"benchmark": "v1", "clusters": 3}):
        assert reason_from_json({"key": reason.key, "values": values}) == reason
