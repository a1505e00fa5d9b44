"""Rules A and B of the gate: each is tripped alone, whatever the gain."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from planted import HARMS, Change, bare, changed, judged, shifted, spoiled, tripped, world

from bonsai.evaluate.report import GUARDS, ItemResult
from bonsai.gate.decision import Policy, render
from bonsai.gate.rules import SAME
from bonsai.i18n import TEXT_LANGUAGES


def nan(item: ItemResult) -> ItemResult:
    return replace(item, bits_per_byte=math.nan) if item.id == "general-0-ja" else item


INVALID: dict[str, tuple[str, Change | None, dict[str, object]]] = {
    **{f"another {name}": ("differs", None, {name: "other"}) for name in SAME},
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
    assert not decision.confirmation_opened
    assert set(tripped(decision)) == {("A", key)}
    for language in TEXT_LANGUAGES:
        assert all(render(reason, language) for reason in decision.reasons)


def test_a_report_that_lacks_items_is_invalid(policy: Policy) -> None:
    report = world(3)
    assert judged(replace(report, items=report.items[1:]), policy).verdict == "invalid"


def test_every_guard_has_a_harm_that_trips_it() -> None:
    assert {guard for guard, _ in HARMS.values()} == set(GUARDS)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("harm", HARMS)
def test_a_broken_habit_in_one_language_trips_its_guard_alone(policy: Policy, harm: str, language: str) -> None:
    guard, scores = HARMS[harm]
    decision = judged(spoiled(shifted(world(3), -0.5), 0.2, language, **scores), policy)
    assert decision.verdict == "keep"
    assert not decision.harm, "broken form is the training's fault: no record is suspect"
    assert tripped(decision) == [("B", f"{guard}/{language}")]


@pytest.mark.parametrize("harm", HARMS)
def test_the_base_excuses_nobody(policy: Policy, harm: str) -> None:
    guard, scores = HARMS[harm]
    base = spoiled(spoiled(bare(), 1.0, "ja", **scores), 1.0, "en", **scores)
    decision = judged(spoiled(shifted(world(3), -0.5), 0.2, **scores), policy, base, base=base)
    assert decision.verdict == "keep"
    assert ("B", f"{guard}/ja") in tripped(decision)


@pytest.mark.parametrize("harm", HARMS)
def test_a_floor_that_no_champion_met_asks_for_no_loss(policy: Policy, harm: str) -> None:
    guard, scores = HARMS[harm]
    champion = spoiled(world(2, subject="a0"), 0.2, **scores)
    same = spoiled(shifted(world(3), -0.2), 0.2, **scores)
    decision = judged(same, policy, champion)
    assert decision.verdict == "promote"
    [said] = [one.reason for one in decision.rules if one.name == f"{guard}/ja"]
    assert said.key == "decision.guard_no_worse"
    worse = spoiled(shifted(world(3), -0.2), 0.4, **scores)
    assert ("B", f"{guard}/ja") in tripped(judged(worse, policy, champion))


def test_a_floor_that_the_oldest_champion_met_binds_its_successors(policy: Policy) -> None:
    champion = spoiled(world(2, subject="a0"), 0.2, looping=True)
    again = spoiled(shifted(world(3), -0.2), 0.2, looping=True)
    assert judged(again, policy, champion).verdict == "promote"
    assert ("B", "no_loop/ja") in tripped(judged(again, policy, champion, anchor=world(4, subject="a00")))


def test_an_empty_model_is_not_promoted_over_an_empty_base(policy: Policy) -> None:
    """A random Phi: 302 empty answers before and after, and a gain in likelihood."""
    silence = {"empty": True, "correct": False, "language_ok": False, "ended": False}
    base = spoiled(spoiled(bare(), 1.0, "ja", **silence), 1.0, "en", **silence)
    empty = spoiled(spoiled(shifted(world(3), -0.5), 1.0, "ja", **silence), 1.0, "en", **silence)
    decision = judged(empty, policy, base, base=base)
    assert decision.verdict == "keep"
    assert not decision.harm
    assert ("B", "not_empty/ja") in tripped(decision)
    assert ("B", "right_answers") in tripped(decision)


def test_nobody_is_promoted_without_a_right_answer(policy: Policy) -> None:
    """Fluent, in the right language, ended, and wrong each time."""
    wrong = {"correct": False}
    base = spoiled(spoiled(bare(), 1.0, "ja", **wrong), 1.0, "en", **wrong)
    fluent = spoiled(spoiled(shifted(world(3), -0.5), 1.0, "ja", **wrong), 1.0, "en", **wrong)
    decision = judged(fluent, policy, base, base=base)
    assert tripped(decision) == [("B", "right_answers")]
    assert all("280" in render(reason, "en") for reason in decision.reasons)


def test_items_left_out_are_no_reason_against_a_habit(policy: Policy) -> None:
    spoilt = spoiled(shifted(world(3), -0.2), 0.2, "en", looping=True)
    looping = frozenset(item.id for item in spoilt.items if item.free.scores.looping)
    assert judged(spoilt, policy).verdict == "keep"
    assert judged(spoilt, policy, left_out=looping).verdict == "promote"
