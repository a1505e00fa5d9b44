"""Rules A and B of the gate: each is tripped alone, whatever the gain."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from planted import HARMS, Change, changed, judged, shifted, spoiled, tripped, world

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
    decision = judged(spoiled(shifted(world(3), -0.5), 0.1, language, **scores), policy)
    assert decision.verdict == "keep"
    assert decision.harm
    assert tripped(decision) == [("B", f"{guard}/{language}")]


@pytest.mark.parametrize("harm", HARMS)
def test_a_habit_that_the_champion_has_too_does_not_block(policy: Policy, harm: str) -> None:
    scores = HARMS[harm][1]
    champion = spoiled(world(2, subject="a0"), 0.1, **scores)
    assert judged(spoiled(shifted(world(3), -0.2), 0.1, **scores), policy, champion).verdict == "promote"


def test_items_left_out_are_no_reason_against_a_habit(policy: Policy) -> None:
    spoilt = spoiled(shifted(world(3), -0.2), 0.1, "en", looping=True)
    looping = frozenset(item.id for item in spoilt.items if item.free.scores.looping)
    assert judged(spoilt, policy).verdict == "keep"
    assert judged(spoilt, policy, left_out=looping).verdict == "promote"
