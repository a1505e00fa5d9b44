"""Rule C of the gate: gains must pass, luck must not promote, and nothing is bought with what the owner taught."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planted import bare, judged, shifted, spoiled, suite_pair, tripped, world

from bonsai.evaluate.compare import ReportPair
from bonsai.gate.decide import decide
from bonsai.gate.decision import Policy, render
from bonsai.i18n import TEXT_LANGUAGES


def test_a_better_model_is_promoted_with_figures_in_both_languages(policy: Policy) -> None:
    decision = judged(shifted(world(3), -0.2), policy)
    assert decision.verdict == "promote"
    assert tripped(decision) == []
    assert decision.confirmation_opened
    assert not decision.harm
    for language in TEXT_LANGUAGES:
        words = [render(reason, language) for reason in decision.reasons]
        assert any("+0.2" in line or "+0.1" in line for line in words)
    assert "固定ベンチマーク" in render(decision.reasons[0], "ja")


def test_the_first_night_is_judged_against_the_bare_base(policy: Policy) -> None:
    base = shifted(bare(), 0.5, domain="cat_care")
    decision = judged(world(3), policy, champion=base, base=base)
    assert decision.verdict == "promote"


def test_a_planted_gain_of_twice_the_minimum_passes_in_8_of_10_runs(policy: Policy) -> None:
    won = [
        judged(
            shifted(world(100 + run), -2 * policy.min_gain_bits),
            policy,
            world(200 + run, subject="a0"),
            confirmed=2 * policy.min_gain_bits,
        )
        for run in range(10)
    ]
    assert sum(decision.verdict == "promote" for decision in won) >= 8


def test_another_seed_is_no_progress(policy: Policy) -> None:
    runs = [judged(world(300 + run), policy, world(400 + run, subject="a0"), confirmed=0.0) for run in range(20)]
    assert sum(decision.verdict == "promote" for decision in runs) <= 1


def test_no_gain_keeps_the_champion_without_suspects(policy: Policy) -> None:
    champion = world(2, subject="a0")
    decision = judged(replace(champion, subject="a1", logits=(5.0, 5.0)), policy, champion)
    assert decision.verdict == "keep"
    assert not decision.harm
    assert not decision.confirmation_opened
    assert tripped(decision) == [("C", "gain_v1")]
    assert [reason.key for reason in decision.reasons] == ["decision.gain_too_small"]


def test_a_gain_that_could_be_luck_is_not_enough_evidence(policy: Policy) -> None:
    few = {"cat_care": 18, "general": 14}
    base, champion = bare(few), world(2, subject="a0", facts=few)
    policy = replace(policy, language_margin_bits=1.0, retention_margin_bits=1.0)
    decision = judged(shifted(world(8, facts=few), -0.03), replace(policy, alpha=0.001), champion, base=base)
    assert decision.verdict == "not_enough_evidence"
    assert tripped(decision) == [("C", "gain_v1")]
    assert [reason.key for reason in decision.reasons] == ["decision.gain_unclear"]


def test_too_few_facts_are_no_verdict(policy: Policy) -> None:
    few = {"cat_care": 15, "general": 14}
    decision = judged(shifted(world(3, facts=few), -0.3), policy, world(2, subject="a0", facts=few), base=bare(few))
    assert decision.verdict == "not_enough_evidence"
    assert tripped(decision) == [("C", "gain_v1")]


def test_fewer_right_answers_are_refused_though_likelihood_rose(policy: Policy) -> None:
    wrong = spoiled(spoiled(shifted(world(3), -0.2), 0.3, "ja", correct=False), 0.3, "en", correct=False)
    decision = judged(wrong, policy)
    assert decision.verdict == "keep"
    assert tripped(decision) == [("C", "accuracy")]


def test_items_left_out_do_not_count(policy: Policy) -> None:
    learned = frozenset(f"cat_care-{fact}-{language}" for fact in range(60) for language in ("ja", "en"))
    decision = judged(shifted(world(3), -0.5, domain="cat_care"), policy, left_out=learned)
    assert decision.verdict == "keep"
    assert [rule for rule in decision.rules if rule.name.startswith("cat_care/")] == []


def test_progress_on_the_personal_set_is_enough(policy: Policy) -> None:
    champion = world(2, subject="a0")
    same = replace(champion, subject="a1", logits=(5.0, 5.0))
    suite = suite_pair(36, 0.4)
    decision = judged(same, policy, champion, suite=suite, confirmed=0.0)
    assert decision.verdict == "promote"
    assert decision.reasons[0].values[0] == ("name", "gain_suite")
    few = frozenset(item.id for item in suite.champion.items if int(item.cluster.split("-")[1]) >= 29)
    short = judged(same, policy, champion, suite=suite, left_out=few)
    assert short.verdict == "not_enough_evidence", "29 facts are too few to claim anything"


def test_a_personal_set_that_is_too_small_to_judge_costs_v1_nothing(policy: Policy) -> None:
    alone, beside = (judged(shifted(world(3), -0.1), policy, suite=one) for one in (None, suite_pair(12, 0.0)))
    assert alone.verdict == beside.verdict == "promote"
    bounds = [next(rule.interval for rule in one.rules if rule.name == "gain_v1") for one in (alone, beside)]
    assert bounds[0] == bounds[1]


@pytest.mark.parametrize("lost", [0.0, 0.1])
def test_progress_on_v1_does_not_buy_a_loss_of_what_the_owner_taught(policy: Policy, lost: float) -> None:
    decision = judged(shifted(world(3), -0.2), policy, suite=suite_pair(40, -lost))
    assert tripped(decision) == ([("C", "suite_lost")] if lost else [])
    assert decision.verdict == ("keep" if lost else "promote")
    assert not decision.harm, "less than a slice may lose: tonight's records are no suspects"


def must_go(challenger_hash: str, policy: Policy) -> str:
    champion = world(2, subject="a0")
    same = replace(champion, subject="a1", logits=(5.0, 5.0), adapter_hash=challenger_hash)
    confirm = ReportPair(shifted(world(50, pool="v2/confirmation"), -0.3), world(51, pool="v2/confirmation"))
    return decide(
        same, champion, base=bare(), confirm=lambda: confirm, policy=policy, champion_must_go=True
    ).verdict  # fmt: skip


def test_what_replaces_a_champion_that_must_go_needs_no_gain_but_is_another(policy: Policy) -> None:
    assert must_go("hash of a1", policy) == "promote"
    assert must_go("hash of a0", policy) == "keep"
