"""Rules D, E and F of the gate: every harm is refused by the rule that is there for it, whatever the gain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planted import FACTS, GOOD, bare, changed, judged, shifted, spoiled, suite_pair, tripped, world

from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import ItemResult
from bonsai.gate.decide import decide
from bonsai.gate.decision import Policy, render
from bonsai.i18n import TEXT_LANGUAGES

OTHER = {"ja": "en", "en": "ja"}
THREE = {**FACTS, "translation": 14}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_loss_in_one_language_trips_that_language_alone(policy: Policy, language: str) -> None:
    better = shifted(world(3), -0.4, language=OTHER[language])
    decision = judged(shifted(better, 0.1, language=language), policy)
    assert decision.verdict == "keep"
    assert decision.harm
    assert tripped(decision) == [("D", language)]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_gain_in_one_language_never_buys_a_loss_in_the_other(policy: Policy, language: str) -> None:
    better = shifted(world(3), -0.6)
    decision = judged(shifted(better, 0.75, language=language), policy)
    assert decision.verdict == "keep"
    assert decision.harm
    assert ("D", language) in tripped(decision)


def test_general_knowledge_that_became_worse_trips_retention_alone(policy: Policy) -> None:
    decision = judged(shifted(shifted(world(3), -0.5, domain="cat_care"), 0.1, domain="general"), policy)
    assert decision.verdict == "keep"
    assert decision.harm
    assert tripped(decision) == [("D", "retention")]
    assert [reason.key for reason in decision.reasons] == ["decision.harm_shown"]


def test_a_loss_that_is_not_excluded_is_not_enough_evidence(policy: Policy) -> None:
    few = {"cat_care": 60, "general": 9, "control": 40}
    decision = judged(
        shifted(world(3, facts=few), -0.2), policy, world(2, subject="a0", facts=few), base=bare(few)
    )  # fmt: skip
    assert decision.verdict == "not_enough_evidence"
    assert tripped(decision) == [("D", "retention")]
    assert not decision.harm


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_small_slice_that_is_shown_to_be_worse_trips_alone(policy: Policy, language: str) -> None:
    def lose(item: ItemResult) -> ItemResult:
        mine = (item.domain, item.language) == ("translation", language)
        gain = -0.3 if item.domain != "control" else 0.0
        return replace(item, bits_per_byte=item.bits_per_byte + (0.4 if mine else gain))

    champion = shifted(world(2, subject="a0", facts=THREE), 0.5)
    challenger = changed(shifted(world(3, facts=THREE), 0.5), lose)
    decision = judged(challenger, policy, champion, base=shifted(bare(THREE), 0.5))
    assert decision.verdict == "keep"
    assert decision.harm
    assert tripped(decision) == [("D", f"translation/{language}")]


def test_forgetting_what_the_owner_taught_is_refused_though_v1_rose(policy: Policy) -> None:
    decision = judged(shifted(world(3), -0.2), policy, suite=suite_pair(12, -0.6))
    assert decision.verdict == "keep"
    assert decision.harm
    assert tripped(decision) == [("D", "own/en"), ("D", "own/ja")]


def test_a_poisoned_night_marks_suspects(policy: Policy) -> None:
    poisoned = spoiled(shifted(world(3), 0.7, domain="cat_care"), 0.5, "en", correct=False)
    decision = judged(poisoned, policy)
    assert decision.verdict == "keep"
    assert decision.harm


def test_retention_below_the_floor_is_refused_even_where_bits_hold(policy: Policy) -> None:
    def forget(item: ItemResult) -> ItemResult:
        lost = item.domain == "general" and int(item.cluster.split("-")[1]) % 4 == 0
        return replace(item, free=replace(item.free, scores=replace(item.free.scores, correct=not lost)))

    perfect = changed(bare(), lambda item: replace(item, free=replace(item.free, scores=GOOD)))
    champion = changed(world(2, subject="a0"), forget)
    decision = judged(changed(shifted(world(3), -0.2), forget), policy, champion, base=perfect)
    assert decision.verdict == "keep"
    assert not decision.harm, "the champion had forgotten it already: this night's records are no suspects"
    assert tripped(decision) == [("E", "retention")]
    assert [reason.key for reason in decision.reasons] == ["decision.forgotten_within"]


def test_a_base_that_knew_nothing_has_nothing_to_retain(policy: Policy) -> None:
    ignorant = changed(bare(), lambda item: replace(item, free=replace(item.free, scores=replace(GOOD, correct=False))))
    decision = judged(shifted(world(3), -0.2), policy, base=ignorant)
    assert decision.verdict == "promote"
    assert next(rule for rule in decision.rules if rule.name == "retention" and rule.rule == "E").outcome == "noted"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_erosion_against_the_oldest_champion_trips_alone(policy: Policy, language: str) -> None:
    champion = shifted(world(2, subject="a0"), 0.4, language=language, domain="cat_care")
    challenger = shifted(world(3), 0.14, language=language, domain="cat_care")
    decision = judged(challenger, policy, champion, anchor=world(9, subject="old"))
    assert decision.verdict == "keep"
    assert tripped(decision) == [("E", language)]
    assert not decision.harm, "what was lost before tonight is not tonight's fault"
    assert judged(challenger, policy, champion).verdict == "promote"


def test_an_anchor_that_cannot_be_compared_makes_the_night_invalid(policy: Policy) -> None:
    old = replace(world(9, subject="old"), library_fingerprint="of another year")
    decision = judged(shifted(world(3), -0.2), policy, anchor=old)
    assert decision.verdict == "invalid"
    assert tripped(decision) == [("A", "differs")]


CONFIRMATIONS = {
    "the gain does not show again": (0.0, "en", 0.0),
    "all is worse there": (-0.3, "en", 0.0),
    "English is worse there": (0.4, "en", 0.6),
    "Japanese is worse there": (0.4, "ja", 0.6),
}


@pytest.mark.parametrize("case", CONFIRMATIONS)
def test_the_confirmation_pool_can_refuse_and_says_no_more(policy: Policy, case: str) -> None:
    gain, language, lost = CONFIRMATIONS[case]
    unseen = shifted(shifted(world(50, pool="v2/confirmation"), -gain), lost, language=language)
    pair = ReportPair(unseen, world(51, pool="v2/confirmation"))
    champion = world(2, subject="a0")
    decision = decide(shifted(world(3), -0.2), champion, base=bare(), confirm=lambda: pair, policy=policy)
    assert decision.verdict == "keep"
    assert decision.confirmation_opened
    assert not decision.harm
    assert tripped(decision) == [("F", "confirmation")]
    (reason,) = decision.reasons
    (rule,) = (one for one in decision.rules if one.rule == "F")
    assert (reason.key, reason.values) == ("decision.not_confirmed", ())
    assert (rule.figure, rule.interval, rule.threshold) == (None, None, None)


def test_the_confirmation_pool_stays_closed_before_it_is_due(policy: Policy) -> None:
    def forbidden() -> ReportPair:
        raise AssertionError("opened too early")

    same = world(2, subject="a0")
    decision = decide(replace(same, logits=(3.0,)), same, base=bare(), confirm=forbidden, policy=policy)
    assert decision.verdict == "keep"


def test_every_reason_speaks_both_languages(policy: Policy) -> None:
    for shift, suite in ((0.3, suite_pair(12, 0.0)), (-0.3, None), (-0.3, suite_pair(40, -0.1))):
        for result in judged(shifted(world(3), shift), policy, suite=suite).rules:
            english, japanese = (render(result.reason, language) for language in TEXT_LANGUAGES)
            assert english.isascii()
            assert english != japanese
