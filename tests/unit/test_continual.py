from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonsai.config.settings import load_config
from bonsai.domain.snapshots import Example
from bonsai.i18n import TEXT_LANGUAGES, text
from bonsai.model.bases import model_folder, weights_hash
from bonsai.model.prompt import CURRENT
from bonsai.train.adapters import unfit
from bonsai.train.continual import (
    AGE_BANDS,
    MISSED_SHARE,
    UNLIMITED,
    Curriculum,
    CurriculumLimits,
    Situation,
    TrainingCandidate,
    choose,
)
from bonsai.train.order import training_order

LIMITS = CurriculumLimits(
    token_budget=4_000,
    cold_token_budget=8_000,
    passes=2,
    replay_samples_a_row=1.0,
    replay_sample_tokens=10.0,
    cold_after_days=7,
    lineage_depth=5,
)
SMALL = replace(LIMITS, token_budget=1_000, cold_token_budget=2_000)
"For homes of a few dozen records."
CHAMPION = Situation(champion="a1", depth=1, days_since_cold=2)


def candidate(
    number: int, *, tokens: int = 10, due: bool = False, learned: bool = True, age: float = 0.0, language: str = "en"
) -> TrainingCandidate:
    row = Example(f"r{number:04}", "own", f"Q{number}?", "", "", "open_qa", language, "A.")
    return TrainingCandidate(row=row, tokens=tokens, arrival=number, age_days=age, due=due, learned=learned)


@st.composite
def homes(draw: st.DrawFn) -> list[TrainingCandidate]:
    """Records of a home in any state; none costs more than a night's budget by itself."""
    return [
        candidate(
            number,
            tokens=draw(st.integers(1, 60)),
            due=draw(st.booleans()),
            learned=draw(st.booleans()),
            age=draw(st.sampled_from([0.0, 10.0, 50.0, 400.0])),
            language=draw(st.sampled_from(["en", "ja"])),
        )
        for number in range(draw(st.integers(0, 50)))
    ]


situations = st.builds(
    Situation,
    champion=st.sampled_from(["", "a1"]),
    depth=st.integers(0, 6),
    unfit=st.sampled_from(["", "", "other_base"]),
    cold_asked=st.booleans(),
    forgotten=st.booleans(),
    days_since_cold=st.one_of(st.none(), st.integers(0, 9)),
)


def cost(rows: tuple[Example, ...], candidates: list[TrainingCandidate]) -> float:
    """Tokens of one pass over the rows, anchors included."""
    tokens = {one.row.record_id: one.tokens for one in candidates}
    return sum(tokens[row.record_id] + LIMITS.replay_samples_a_row * LIMITS.replay_sample_tokens for row in rows)


def trained(chosen: Curriculum, candidates: list[TrainingCandidate]) -> float:
    """What the night really costs: every dealt row counted, as the training deals them."""
    rows = (*chosen.rows, *chosen.replay)
    order = training_order(
        [1] * len(rows),
        replayed=range(len(chosen.rows), len(rows)),
        replayed_a_pass=chosen.replayed_a_pass,
        epochs=LIMITS.passes,
        batch_size=4,
        by_length=False,
        seed=1,
    )
    return sum(cost((rows[index],), candidates) for index in order)


@given(homes(), situations)
def test_a_night_never_costs_more_than_its_budget(candidates: list[TrainingCandidate], situation: Situation) -> None:
    chosen = choose(candidates, situation, SMALL, salt="n")

    budget = SMALL.cold_token_budget if chosen.start == "cold" else SMALL.token_budget
    assert trained(chosen, candidates) <= budget
    assert chosen.tokens <= budget


@given(homes(), situations)
def test_what_is_due_is_in_or_stays_due(candidates: list[TrainingCandidate], situation: Situation) -> None:
    chosen = choose(candidates, situation, SMALL, salt="n")

    due = {one.row.record_id for one in candidates if one.due}
    in_every_pass = {row.record_id for row in chosen.rows}
    assert due <= in_every_pass | set(chosen.still_due)
    assert chosen.start == "cold" or due <= in_every_pass
    assert not due or due & in_every_pass


@given(homes(), situations)
def test_every_record_is_chosen_or_due_or_passed_over_and_only_one_of_them(
    candidates: list[TrainingCandidate], situation: Situation
) -> None:
    chosen = choose(candidates, situation, SMALL, salt="n")

    ids = [row.record_id for row in (*chosen.rows, *chosen.replay)] + [*chosen.still_due, *chosen.passed_over]
    assert sorted(ids) == sorted(one.row.record_id for one in candidates)


@given(homes(), situations, st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing(
    candidates: list[TrainingCandidate], situation: Situation, chance: Random
) -> None:
    shuffled = list(candidates)
    chance.shuffle(shuffled)

    assert choose(shuffled, situation, SMALL, salt="n") == choose(candidates, situation, SMALL, salt="n")


@given(homes(), situations)
def test_every_reason_has_its_words(candidates: list[TrainingCandidate], situation: Situation) -> None:
    chosen = choose(candidates, situation, SMALL, salt="n")

    for language in TEXT_LANGUAGES:
        assert text(chosen.why, language, **chosen.values)
        assert text(chosen.what, language, **chosen.values)


@given(st.integers(30, 400), st.integers(0, 9))
def test_the_replay_takes_its_share_of_every_stratum(count: int, salt: int) -> None:
    known = [
        candidate(n, language="ja" if n % 3 == 0 else "en", age=[1.0, 10.0, 50.0, 400.0][n % 4]) for n in range(count)
    ]
    limits = replace(LIMITS, token_budget=20 * (count // 2))
    chosen = choose([*known, candidate(9_999, due=True, learned=False)], CHAMPION, limits, salt=str(salt))

    assert chosen.start == "warm"
    of_all, of_replay = Counter(one.stratum for one in known), Counter[tuple[str, str, int]]()
    strata = {one.row.record_id: one.stratum for one in known}
    of_replay.update(strata[row.record_id] for row in chosen.replay)
    share = len(chosen.replay) / count
    assert 0.2 < share < 0.5
    assert all(abs(of_replay[name] - share * size) <= 2 for name, size in of_all.items())


def test_another_night_replays_others() -> None:
    known = [candidate(n) for n in range(200)]
    new = candidate(999, due=True, learned=False)

    first, second = (choose([*known, new], CHAMPION, LIMITS, salt=salt) for salt in ("1", "2"))

    assert len(first.replay) == len(second.replay) < 200
    assert first.replay != second.replay


def test_ages_are_banded() -> None:
    assert [candidate(1, age=age).stratum[2] for age in (0.0, 6.9, *AGE_BANDS, 1000.0)] == [0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("situation", "why"),
    [
        (replace(CHAMPION, cold_asked=True), "asked"),
        (replace(CHAMPION, forgotten=True), "forgotten"),
        (Situation(), "first"),
        (replace(CHAMPION, unfit="other_base"), "other_base"),
        (replace(CHAMPION, unfit="other_template"), "other_template"),
        (replace(CHAMPION, unfit="other_shape"), "other_shape"),
        (replace(CHAMPION, depth=5), "depth"),
        (replace(CHAMPION, days_since_cold=7), "weekly"),
        (replace(CHAMPION, days_since_cold=None), "weekly"),
        (CHAMPION, ""),
    ],
)
def test_each_reason_for_a_cold_night(situation: Situation, why: str) -> None:
    candidates = [candidate(n) for n in range(101)]  # 4,040 tokens: just beyond the budget

    chosen = choose(candidates, situation, LIMITS, salt="n")

    assert (chosen.start, chosen.why) == (("cold", f"continual.{why}") if why else ("warm", "continual.warm"))
    assert (chosen.parent, chosen.depth) == (("", 0) if why else ("a1", 2))


def test_what_fits_is_cold_and_whole_whatever_the_champion() -> None:
    chosen = choose([candidate(n) for n in range(100)], CHAMPION, LIMITS, salt="n")

    assert (chosen.start, chosen.why, len(chosen.rows)) == ("cold", "continual.fits", 100)
    assert chosen.values["needed"] == LIMITS.token_budget == chosen.tokens


def test_without_a_budget_every_night_is_cold_on_everything() -> None:
    limits = replace(LIMITS, token_budget=UNLIMITED, cold_token_budget=UNLIMITED)

    chosen = choose([candidate(n) for n in range(5_000)], CHAMPION, limits, salt="n")

    assert (chosen.why, len(chosen.rows)) == ("continual.no_budget", 5_000)


def test_too_much_at_once_takes_turns_the_first_told_first() -> None:
    limits = replace(LIMITS, cold_token_budget=4_000)
    waiting = [candidate(n, due=True, learned=False) for n in range(250)]
    nights: list[list[int]] = []
    while any(one.due for one in waiting):
        chosen = choose(waiting, CHAMPION, limits, salt=f"night {len(nights)}")
        nights.append(sorted(one.arrival for one in waiting if one.due and one.row in chosen.rows))
        still = set(chosen.still_due)
        waiting = [replace(one, due=one.row.record_id in still, learned=not one.due or one.learned) for one in waiting]

    assert nights == [list(range(100)), list(range(100, 200)), list(range(200, 250))]


def test_a_warm_night_takes_up_what_the_champion_missed_the_newest_first() -> None:
    missed = [candidate(n, learned=False) for n in range(200)]
    known = [candidate(n) for n in range(200, 400)]
    new = [candidate(n, due=True, learned=False) for n in range(400, 410)]

    chosen = choose([*missed, *known, *new], CHAMPION, LIMITS, salt="n")

    room = LIMITS.token_budget - 10 * 40
    taken = int(room * MISSED_SHARE / 40)
    assert [row.record_id for row in chosen.rows] == [f"r{n:04}" for n in (*range(200 - taken, 200), *range(400, 410))]
    assert {row.record_id for row in chosen.replay} <= {one.row.record_id for one in known}
    assert {row.role for row in chosen.replay} == {"replay"}


def test_a_budget_smaller_than_a_record_is_a_budget_of_one_record() -> None:
    limits = replace(LIMITS, token_budget=10, cold_token_budget=10)

    chosen = choose([candidate(n, due=True, learned=False) for n in range(3)], Situation(), limits, salt="n")

    assert [row.record_id for row in chosen.rows] == ["r0000"]
    assert len(chosen.still_due) == 2


def test_an_adapter_of_other_make_is_no_start() -> None:
    profile = load_config(Path("/nonexistent"), {}).profiles["seedling"]
    base, recipe = profile.base, profile.recipe
    learned = {
        "lora_rank": recipe.lora_rank,
        "lora_alpha": recipe.lora_alpha,
        "target_modules": list(recipe.target_modules)[::-1],
    }
    manifest = {
        "base_name": base.name,
        "base_revision": base.revision,
        "base_hash": weights_hash(model_folder(base)),
        "template_digest": CURRENT.digest,
        "plan": {"recipe": learned},
    }

    assert unfit(manifest, base, recipe) == ""
    assert unfit(manifest, base, replace(recipe, learning_rate=1.0, epochs=1)) == ""
    assert unfit({**manifest, "base_name": "phi-2"}, base, recipe) == "other_base"
    assert unfit({**manifest, "base_revision": "main"}, base, recipe) == "other_base"
    assert unfit({**manifest, "base_hash": "rebuilt"}, base, recipe) == "other_base"
    assert unfit({**manifest, "template_digest": "x"}, base, recipe) == "other_template"
    assert unfit(manifest, base, replace(recipe, lora_rank=8)) == "other_shape"
    assert unfit(manifest, base, replace(recipe, lora_alpha=1.0)) == "other_shape"
    assert unfit(manifest, base, replace(recipe, target_modules=("q_proj",))) == "other_shape"
    assert unfit({**manifest, "plan": {}}, base, recipe) == "other_shape"


def test_every_profile_that_has_a_budget_holds_more_when_cold() -> None:
    profiles = load_config(Path("/nonexistent"), {}).profiles
    budgets = {name: one.night for name, one in profiles.items() if one.night}

    assert {"seedling", "phi2-qlora", "phi2-lora"} <= set(budgets)
    for name, budget in budgets.items():
        assert budget.cold_token_budget > budget.token_budget
        assert budget.warm_learning_rate < profiles[name].recipe.learning_rate
