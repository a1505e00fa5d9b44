"""The gate on planted worlds: gains must pass, every planted harm must be refused, and luck must not promote."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from bonsai.benchmark.report import Answer, ItemResult, Report, Scores
from bonsai.config import GateSettings
from bonsai.decision import Decision, Pair, Policy, decide, render
from bonsai.texts import TEXT_LANGUAGES

FACTS = {"cat_care": 60, "general": 40}
GOOD = Scores(True, True, True, 1.0, 100.0, True, False, True, False, False, True)
Change = Callable[[ItemResult], ItemResult]


@pytest.fixture(scope="module")
def policy() -> Policy:
    defaults = tomllib.loads((resources.files("bonsai") / "defaults.toml").read_text("utf-8"))
    settings = GateSettings.model_validate(defaults["gate"])
    made = Policy(**settings.model_dump(exclude={"mode"}))
    return replace(made, resamples=300)  # enough for harms this plain, and fast


def world(seed: int, *, subject: str = "a1", pool: str = "v1/selection", facts: dict[str, int] = FACTS) -> Report:
    """A model: each fact has its difficulty (the same in every world), each seed its own luck."""
    luck, fixed = np.random.default_rng(seed), np.random.default_rng(7)
    items = []
    for domain, count in facts.items():
        for fact in range(count):
            difficulty = fixed.gamma(4.0, 0.2)
            fact_luck = luck.normal(0, 0.05)
            for language in ("ja", "en"):
                bits = max(0.0, difficulty + fact_luck + luck.normal(0, 0.08))
                cluster = f"{domain}-{fact}"
                right = replace(GOOD, correct=bool(difficulty < 1.0))
                answer = Answer("はい", ("", "open_qa", language), 5, right)
                items.append(
                    ItemResult(f"{cluster}-{language}", cluster, domain, "open_qa", language, bits, answer, None)
                )
    return Report(
        pool, "items", subject, f"hash of {subject}", "seedling", "settings", "libraries", (float(seed), 0.5),
        "2026-11-21T00:00:00+00:00", 1.0, tuple(items),
    )  # fmt: skip


def bare() -> Report:
    return replace(world(1), subject="base", adapter_hash="", logits=(0.0, 0.0))


def changed(report: Report, change: Change) -> Report:
    return replace(report, items=tuple(change(item) for item in report.items))


def shifted(report: Report, bits: float, *, language: str | None = None, domain: str | None = None) -> Report:
    def shift(item: ItemResult) -> ItemResult:
        hit = language in (None, item.language) and domain in (None, item.domain)
        return replace(item, bits_per_byte=max(0.0, item.bits_per_byte + bits * hit))

    return changed(report, shift)


def spoiled(report: Report, share: float, language: str = "ja", **scores: bool) -> Report:
    """A share of the answers in one language gets these scores."""
    mine = [item.id for item in report.items if item.language == language]
    hit = set(mine[: round(share * len(mine))])

    def spoil(item: ItemResult) -> ItemResult:
        free = replace(item.free, scores=replace(item.free.scores, **scores))
        return replace(item, free=free) if item.id in hit else item

    return changed(report, spoil)


def judged(
    challenger: Report, policy: Policy, champion: Report | None = None, *, base: Report | None = None,
    anchor: Report | None = None, suite: Pair | None = None, confirmed: float = 0.3,
    left_out: frozenset[str] = frozenset(),
) -> Decision:  # fmt: skip
    """The decision; on the confirmation pool, with new luck, the challenger gains `confirmed` bits."""
    seed = round(1000 * challenger.logits[0]) if math.isfinite(challenger.logits[0]) else 0
    fresh = [world(seed + 5000 + side, pool="v1/confirmation") for side in (0, 1)]
    confirm = Pair(shifted(fresh[0], -confirmed), fresh[1])
    return decide(
        challenger, champion or world(2, subject="a0"), base=base or bare(), confirm=lambda: confirm, policy=policy,
        anchor=anchor, suite=suite, left_out=left_out,
    )  # fmt: skip


def test_a_better_model_is_promoted_with_figures_in_both_languages(policy: Policy) -> None:
    decision = judged(shifted(world(3), -0.2), policy)
    assert decision.verdict == "promote"
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
    assert [reason.key for reason in decision.reasons] == ["decision.gain_too_small"]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_gain_in_one_language_never_buys_a_loss_in_the_other(policy: Policy, language: str) -> None:
    better = shifted(world(3), -0.6)
    decision = judged(shifted(better, 0.75, language=language), policy)
    assert decision.verdict == "keep"
    assert decision.harm
    assert any(rule.name == language and rule.outcome == "fail" for rule in decision.rules)


HARMS = {
    "mixes languages": {"language_ok": False},
    "loops": {"looping": True},
    "never ends": {"ended": False},
    "falls silent": {"empty": True},
    "leaks markers": {"leaked": True},
}


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("harm", HARMS)
def test_a_broken_habit_in_one_language_is_refused_whatever_the_gain(policy: Policy, harm: str, language: str) -> None:
    decision = judged(spoiled(shifted(world(3), -0.5), 0.1, language, **HARMS[harm]), policy)
    assert decision.verdict == "keep"
    assert decision.harm
    assert [rule.rule for rule in decision.rules if rule.outcome == "fail"] == ["B"]


def test_a_habit_that_the_champion_has_too_does_not_block(policy: Policy) -> None:
    champion = spoiled(world(2, subject="a0"), 0.1, looping=True)
    assert judged(spoiled(shifted(world(3), -0.2), 0.1, looping=True), policy, champion).verdict == "promote"


def test_fewer_right_answers_are_refused_though_likelihood_rose(policy: Policy) -> None:
    wrong = spoiled(spoiled(shifted(world(3), -0.2), 0.3, "ja", correct=False), 0.3, "en", correct=False)
    decision = judged(wrong, policy)
    assert decision.verdict == "keep"
    assert any(rule.name == "accuracy" and rule.outcome == "fail" for rule in decision.rules)


def test_forgetting_general_knowledge_is_refused(policy: Policy) -> None:
    decision = judged(shifted(shifted(world(3), -0.5), 0.8, domain="general"), policy)
    assert decision.verdict == "keep"
    assert decision.harm
    assert any(reason.key == "decision.harm_shown" for reason in decision.reasons)


def test_retention_below_the_floor_is_refused_even_where_bits_hold(policy: Policy) -> None:
    def forget(item: ItemResult) -> ItemResult:
        lost = item.domain == "general" and int(item.cluster.split("-")[1]) % 4 == 0
        return replace(item, free=replace(item.free, scores=replace(item.free.scores, correct=not lost)))

    perfect = changed(bare(), lambda item: replace(item, free=replace(item.free, scores=GOOD)))
    champion = changed(world(2, subject="a0"), forget)
    decision = judged(changed(shifted(world(3), -0.2), forget), policy, champion, base=perfect)
    assert decision.verdict == "keep"
    assert not decision.harm, "the champion had forgotten it already: this night's records are no suspects"
    assert [reason.key for reason in decision.reasons] == ["decision.forgotten"]


def test_a_poisoned_night_marks_suspects(policy: Policy) -> None:
    poisoned = spoiled(shifted(world(3), 0.7, domain="cat_care"), 0.5, "en", correct=False)
    decision = judged(poisoned, policy)
    assert decision.verdict == "keep"
    assert decision.harm


def test_erosion_against_the_oldest_champion_is_refused(policy: Policy) -> None:
    champion = shifted(world(2, subject="a0"), 0.4, language="ja")
    challenger = shifted(world(3), 0.2, language="ja")
    decision = judged(challenger, policy, champion, anchor=world(9, subject="old"))
    assert decision.verdict == "keep"
    assert any(rule.rule == "E" and rule.outcome == "fail" for rule in decision.rules)
    assert judged(challenger, policy, champion).verdict == "promote"


def test_progress_on_the_owners_suite_is_enough(policy: Policy) -> None:
    suite_champion = world(60, subject="a0", pool="suite", facts={"own": 36})
    suite = Pair(shifted(world(61, pool="suite", facts={"own": 36}), -0.4), suite_champion)
    champion = world(2, subject="a0")
    same = replace(champion, subject="a1", logits=(5.0, 5.0))
    decision = judged(same, policy, champion, suite=suite, confirmed=0.0)
    assert decision.verdict == "promote"
    assert decision.reasons[0].values[0] == ("name", "gain_suite")
    few = frozenset(item.id for item in suite_champion.items if int(item.cluster.split("-")[1]) >= 29)
    short = judged(same, policy, champion, suite=suite, left_out=few)
    assert short.verdict == "not_enough_evidence", "29 facts are too few to claim anything"


def test_a_suite_that_is_too_small_to_judge_costs_v1_nothing(policy: Policy) -> None:
    facts = {"own": 12}
    suite = Pair(world(61, pool="suite", facts=facts), world(60, subject="a0", pool="suite", facts=facts))
    alone, beside = (judged(shifted(world(3), -0.1), policy, suite=one) for one in (None, suite))
    assert alone.verdict == beside.verdict == "promote"
    bounds = [next(rule.interval for rule in one.rules if rule.name == "gain_v1") for one in (alone, beside)]
    assert bounds[0] == bounds[1]


def test_forgetting_what_the_owner_taught_is_refused_though_v1_rose(policy: Policy) -> None:
    facts = {"own": 12}
    suite = Pair(shifted(world(61, pool="suite", facts=facts), 0.6), world(60, subject="a0", pool="suite", facts=facts))
    decision = judged(shifted(world(3), -0.2), policy, suite=suite)
    assert decision.verdict == "keep"
    assert decision.harm
    assert {rule.name for rule in decision.rules if rule.outcome == "fail"} == {"own/ja", "own/en"}


def test_a_base_that_knew_nothing_has_nothing_to_retain(policy: Policy) -> None:
    ignorant = changed(bare(), lambda item: replace(item, free=replace(item.free, scores=replace(GOOD, correct=False))))
    decision = judged(shifted(world(3), -0.2), policy, base=ignorant)
    assert decision.verdict == "promote"
    assert next(rule for rule in decision.rules if rule.name == "retention" and rule.rule == "E").outcome == "noted"


def test_the_confirmation_pool_can_refuse_and_says_no_more(policy: Policy) -> None:
    decision = judged(shifted(world(3), -0.2), policy, confirmed=-0.3)
    assert decision.verdict == "keep"
    assert decision.confirmation_opened
    assert not decision.harm
    assert [reason.key for reason in decision.reasons] == ["decision.not_confirmed"]
    assert decision.reasons[0].values == ()


def test_the_confirmation_pool_stays_closed_before_it_is_due(policy: Policy) -> None:
    def forbidden() -> Pair:
        raise AssertionError("opened too early")

    same = world(2, subject="a0")
    decision = decide(replace(same, logits=(3.0,)), same, base=bare(), confirm=forbidden, policy=policy)
    assert decision.verdict == "keep"


def test_too_few_facts_are_no_verdict(policy: Policy) -> None:
    few = {"cat_care": 15, "general": 14}
    base = replace(world(1, facts=few), adapter_hash="", logits=(0.0,))
    decision = judged(shifted(world(3, facts=few), -0.3), policy, world(2, subject="a0", facts=few), base=base)
    assert decision.verdict == "not_enough_evidence"


def test_items_left_out_do_not_count(policy: Policy) -> None:
    learned = frozenset(f"cat_care-{fact}-{language}" for fact in range(60) for language in ("ja", "en"))
    decision = judged(shifted(world(3), -0.5, domain="cat_care"), policy, left_out=learned)
    assert decision.verdict == "keep"
    assert [rule for rule in decision.rules if rule.name.startswith("cat_care/")] == []


def nan(item: ItemResult) -> ItemResult:
    return replace(item, bits_per_byte=math.nan) if item.id == "general-0-ja" else item


INVALID: dict[str, tuple[str, Change | None, dict[str, object]]] = {
    "another benchmark": ("differs", None, {"items_hash": "other"}),
    "other settings": ("differs", None, {"settings_hash": "other"}),
    "other libraries": ("differs", None, {"library_fingerprint": "other"}),
    "an item that erred": ("item_error", None, {"errors": (("general-0-ja", "out of memory"),)}),
    "an adapter that does nothing": ("untouched", None, {"logits": (0.0, 0.0)}),
    "logits that are no numbers": ("not_finite", None, {"logits": (math.nan, 1.0)}),
    "bits that are no number": ("not_finite", nan, {}),
}


@pytest.mark.parametrize("case", INVALID)
def test_what_cannot_be_compared_is_invalid(policy: Policy, case: str) -> None:
    key, change, fields = INVALID[case]
    report = shifted(world(3), -0.3)
    report = changed(report, change) if change else report
    decision = judged(replace(report, **fields), policy)  # type: ignore[arg-type]
    assert decision.verdict == "invalid"
    assert not decision.harm
    assert f"decision.{key}" in {reason.key for reason in decision.reasons}
    for language in TEXT_LANGUAGES:
        assert all(render(reason, language) for reason in decision.reasons)


def test_a_report_that_lacks_items_is_invalid(policy: Policy) -> None:
    report = world(3)
    assert judged(replace(report, items=report.items[1:]), policy).verdict == "invalid"


def test_every_reason_speaks_both_languages(policy: Policy) -> None:
    suite = Pair(world(61, pool="suite", facts={"own": 12}), world(60, subject="a0", pool="suite", facts={"own": 12}))
    for decision in (judged(shifted(world(3), 0.3), policy, suite=suite), judged(shifted(world(3), -0.3), policy)):
        for result in decision.rules:
            english, japanese = (render(result.reason, language) for language in TEXT_LANGUAGES)
            assert english.isascii()
            assert english != japanese


def test_the_same_reports_give_the_same_decision(policy: Policy) -> None:
    assert judged(shifted(world(3), -0.05), policy) == judged(shifted(world(3), -0.05), policy)
