"""Rule C of the gate: taught gains pass, form and luck do not, and nothing is bought with what the owner taught."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planted import FACTS, bare, changed, judged, rightly, shifted, spoiled, suite_pair, tripped, world

from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import ItemResult, Report
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
    assert "at level 0.025" in render(decision.reasons[0], "en"), "two claims share it"


def learned_form(bits: float, right: float) -> Report:
    """Taught and control facts gain alike; the worlds of 2 and of `bare` answer a quarter of each rightly."""
    form = rightly(shifted(world(3), -bits, domain="control"), right, "cat_care", "control")
    return shifted(form, -bits, domain="cat_care")


def unlearned(report: Report) -> Report:
    return rightly(report, 0.25, "cat_care", "control")


@pytest.mark.parametrize(("bits", "right"), [(0.3, 0.25), (0.0, 0.75), (0.3, 0.75)])
def test_what_gains_form_alone_is_refused(policy: Policy, bits: float, right: float) -> None:
    champion = unlearned(world(2, subject="a0"))
    decision = judged(learned_form(bits, right), policy, champion)
    assert decision.verdict == "keep"
    assert {name for _, name in tripped(decision)} <= {"right_fixed", "bits_fixed"}
    assert not decision.harm


def test_what_learned_the_words_of_a_domain_and_no_fact_is_refused(policy: Policy) -> None:
    """Taught answers gain where control answers, which have other words, do not; and so do other facts' answers."""

    def likelier(item: ItemResult) -> ItemResult:
        bits = item.bits_per_byte - 0.3, (item.distractor_bits or 0.0) - 0.3
        return item if item.domain == "control" else replace(item, bits_per_byte=bits[0], distractor_bits=bits[1])

    champion = shifted(world(2, subject="a0"), 0.3)
    assert judged(shifted(world(3), -0.3), policy, champion).verdict == "promote"
    decision = judged(changed(world(3), likelier), policy, changed(champion, unlikelier))
    assert decision.verdict == "keep"
    assert next(one for one in decision.rules if one.name == "bits_fixed").outcome in ("fail", "noted")


def unlikelier(item: ItemResult) -> ItemResult:
    return item if item.domain == "control" else replace(item, distractor_bits=(item.distractor_bits or 0.0) + 0.3)


def test_without_distractors_likelihood_claims_nothing(policy: Policy) -> None:
    """Reports of version 0.1.0 have none."""
    old = changed(world(2, subject="a0"), lambda item: replace(item, distractor_bits=None))
    decision = judged(shifted(world(3), -0.3), policy, old)
    (claim,) = (one for one in decision.rules if one.name == "bits_fixed")
    assert claim.reason.key in ("decision.few_clusters", "decision.no_control")
    assert decision.verdict == "not_enough_evidence"


def test_what_was_taught_passes_beside_form(policy: Policy) -> None:
    champion = unlearned(world(2, subject="a0"))
    bits = shifted(learned_form(0.2, 0.25), -0.2, domain="cat_care")
    assert judged(bits, policy, champion).verdict == "promote"
    right = rightly(learned_form(0.0, 0.5), 0.9, "cat_care")
    decision = judged(right, policy, champion)
    assert next(one.name for one in decision.rules if one.rule == "C" and one.outcome == "pass") == "right_fixed"
    assert [(one.unit, one.threshold) for one in decision.rules if one.name == "right_fixed"] == [("points", 0.1)]


def test_a_loss_on_control_is_no_progress(policy: Policy) -> None:
    decision = judged(shifted(world(3), 0.08, domain="control"), replace(policy, language_margin_bits=1.0))
    (claim,) = (one for one in decision.rules if one.name == "bits_fixed")
    values = dict(claim.reason.values)
    assert claim.figure == values["taught"] < policy.min_gain_bits < values["taught"] - values["control"]
    assert decision.verdict == "keep"


def test_without_control_facts_nothing_is_claimed(policy: Policy) -> None:
    for control in (0, 19):
        facts = {**FACTS, "control": control}
        champion, better = world(2, subject="a0", facts=facts), shifted(world(3, facts=facts), -0.3)
        decision = judged(better, policy, champion, base=bare(facts), suite=suite_pair(40, 0.4))
        assert decision.verdict == "not_enough_evidence"
        assert {reason.key for reason in decision.reasons} == {"decision.no_control"}
        assert f"{control} control facts" in render(decision.reasons[0], "en")


def test_fewer_control_facts_than_taught_ones_are_enough(policy: Policy) -> None:
    facts = {**FACTS, "control": policy.min_control_clusters}
    champion, better = world(2, subject="a0", facts=facts), shifted(world(3, facts=facts), -0.3)
    assert judged(better, policy, champion, base=bare(facts)).verdict == "promote"
    retired = frozenset(f"control-{fact}-{language}" for fact in range(20) for language in ("ja", "en"))
    assert judged(shifted(world(3), -0.3), policy, left_out=retired).verdict == "promote"


def test_an_empty_candidate_is_refused(policy: Policy) -> None:
    silent = {"empty": True, "correct": False}
    base = unlearned(bare())
    empty = spoiled(spoiled(shifted(world(3), -0.5), 1.0, "ja", **silent), 1.0, "en", **silent)
    refused = {name for _, name in tripped(judged(empty, policy, base, base=base))}
    assert {"not_empty/ja", "not_empty/en", "right_answers"} <= refused


def test_the_level_of_the_night_is_that_of_its_claims(policy: Policy) -> None:
    better = shifted(world(3), -0.1)
    assert judged(better, policy).verdict == "promote"
    decision = judged(better, policy, level=1e-9)
    assert decision.verdict == "not_enough_evidence"
    assert "at level 0.0000000005" in render(decision.reasons[0], "en")
    harm = [[one for one in made.rules if one.rule == "D"] for made in (judged(better, policy), decision)]
    assert harm[0] == harm[1], "harm keeps its own level"


def test_progress_is_measured_from_the_form_while_the_base_is_champion(policy: Policy) -> None:
    base = shifted(bare(), 0.5, domain="cat_care")
    form = replace(world(9, subject="form"), benchmark=base.benchmark)
    assert judged(world(3), policy, base, base=base).verdict == "promote"
    refused = judged(world(3), policy, base, base=base, form=form)
    assert {name for _, name in tripped(refused)} == {"bits_fixed"}
    later = world(2, subject="a0")
    assert judged(shifted(world(3), -0.3), policy, later, form=shifted(form, -0.3)).verdict == "promote"
    broken = replace(form, items_hash="of another benchmark")
    assert judged(world(3), policy, base, base=base, form=broken).verdict == "invalid"


def test_the_personal_set_is_measured_from_the_form_too(policy: Policy) -> None:
    base, suite = bare(), suite_pair(40, 0.4)
    same = replace(base, subject="a1", adapter_hash="a1", logits=(5.0, 5.0))
    suite = replace(suite, champion=replace(suite.champion, subject="base", adapter_hash=""))
    options = {"base": base, "suite": suite, "confirmed": 0.0, "form": world(1, subject="form")}
    assert judged(same, policy, base, **options).verdict == "keep", "no report of the form on the personal set"
    assert judged(same, policy, base, **options, form_suite=suite.champion).verdict == "promote"
    learned = replace(suite.challenger, subject="form")
    assert judged(same, policy, base, **options, form_suite=learned).verdict == "keep"


@pytest.mark.parametrize(("seeds", "said"), [(0, "not measured for seedling"), (6, "measured on 6 seeds")])
def test_every_verdict_says_where_its_minima_are_from(policy: Policy, seeds: int, said: str) -> None:
    for report in (shifted(world(3), -0.2), world(3)):
        decision = judged(report, policy, calibrated_seeds=seeds)
        (told,) = (one for one in decision.rules if one.name == "calibration")
        assert told.outcome == "noted"
        assert said in render(told.reason, "en")


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
    assert tripped(decision) == [("C", "right_fixed")]
    assert [reason.key for reason in decision.reasons] == ["decision.right_too_small"]


def test_a_gain_that_could_be_luck_is_not_enough_evidence(policy: Policy) -> None:
    few = {"cat_care": 31, "general": 14, "control": 31}
    base, champion = bare(few), world(2, subject="a0", facts=few)
    policy = replace(policy, language_margin_bits=1.0, retention_margin_bits=1.0)
    decision = judged(shifted(world(8, facts=few), -0.06), policy, champion, base=base, level=0.0001)
    assert decision.verdict == "not_enough_evidence"
    assert tripped(decision) == [("C", "bits_fixed")]
    assert [reason.key for reason in decision.reasons] == ["decision.bits_unclear"]


def test_too_few_facts_are_no_verdict(policy: Policy) -> None:
    few = {"cat_care": 29, "general": 14, "control": 40}
    decision = judged(shifted(world(3, facts=few), -0.3), policy, world(2, subject="a0", facts=few), base=bare(few))
    assert decision.verdict == "not_enough_evidence"
    assert tripped(decision) == [("C", "right_fixed")]
    assert [reason.key for reason in decision.reasons] == ["decision.few_clusters"]


def test_fewer_right_answers_are_refused_though_likelihood_rose(policy: Policy) -> None:
    champion = rightly(world(2, subject="a0"), 1.0, "cat_care", "control")
    wrong = rightly(shifted(world(3), -0.2), 0.2, "control")
    decision = judged(rightly(wrong, 1.0, "cat_care"), policy, champion)
    assert decision.verdict == "keep"
    assert tripped(decision) == [("C", "accuracy")]


def test_fewer_right_answers_on_taught_facts_are_refused(policy: Policy) -> None:
    champion = rightly(world(2, subject="a0"), 0.8, "cat_care", "control")
    likely = rightly(rightly(shifted(world(3), -0.2), 0.6, "cat_care"), 1.0, "control")
    assert tripped(judged(likely, policy, champion)) == [("C", "fixed_lost")]


def test_items_left_out_do_not_count(policy: Policy) -> None:
    learned = frozenset(f"cat_care-{fact}-{language}" for fact in range(60) for language in ("ja", "en"))
    decision = judged(shifted(world(3), -0.5, domain="cat_care"), policy, left_out=learned)
    assert decision.verdict == "not_enough_evidence"
    assert [rule for rule in decision.rules if rule.name.startswith("cat_care/")] == []


def test_progress_on_the_personal_set_is_enough(policy: Policy) -> None:
    champion = world(2, subject="a0")
    same = replace(champion, subject="a1", logits=(5.0, 5.0))
    suite = suite_pair(36, 0.4)
    decision = judged(same, policy, champion, suite=suite, confirmed=0.0)
    assert decision.verdict == "promote"
    assert decision.reasons[0].values[0] == ("name", "bits_personal")
    few = frozenset(item.id for item in suite.champion.items if int(item.cluster.split("-")[1]) >= 29)
    short = judged(same, policy, champion, suite=suite, left_out=few)
    assert short.verdict == "not_enough_evidence", "29 facts are too few to claim anything"


def test_a_personal_set_that_is_too_small_to_judge_costs_v1_nothing(policy: Policy) -> None:
    alone, beside = (judged(shifted(world(3), -0.2), policy, suite=one) for one in (None, suite_pair(12, 0.0)))
    assert alone.verdict == beside.verdict == "promote"
    bounds = [next(rule.interval for rule in one.rules if rule.name == "bits_fixed") for one in (alone, beside)]
    assert bounds[0] == bounds[1]


@pytest.mark.parametrize("lost", [0.0, 0.14])
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
