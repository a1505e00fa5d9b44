from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipes import SMALL

from bonsai.domain.snapshots import Example, Snapshot
from bonsai.errors import ConfigError, TrainingError
from bonsai.model.bases import Base, Device, choose_profile
from bonsai.system.json_values import from_values, to_values
from bonsai.train.checkpoints import plan_hash
from bonsai.train.order import training_order
from bonsai.train.plan import Recipe, TrainingPlan, make_plan

BASE = Base("tiny", "/bases/tiny", "", "nf4", True, "float32", 64, 24, 32, 4)
ROW = Example("r", "own", "Q?", "", "", "open_qa", "en", "A.")
SNAPSHOT = Snapshot("0" * 16, "0" * 64, "/snapshots/0", tuple([ROW] * 10), (), 7, train_tokens=640)


def planned(recipe: Recipe = SMALL, snapshot: Snapshot = SNAPSHOT) -> TrainingPlan:
    return make_plan(
        "tiny",
        BASE,
        recipe,
        snapshot,
        device="cpu",
        threads=2,
        seed=7,
        run_folder=Path("/runs/1"),
        adapters_folder=Path("/adapters"),
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_steps_are_fixed_by_rows_epochs_and_batches() -> None:
    assert planned().steps == 4  # 30 rows in batches of 4, two a step
    assert planned(replace(SMALL, accumulate=1)).steps == 8
    assert planned(replace(SMALL, accumulate=1, packing=True)).steps == 8  # 640 tokens fill 10 rows of 64
    anchors = tuple([replace(ROW, role="anchor")] * 30)
    assert planned(snapshot=replace(SNAPSHOT, train=SNAPSHOT.train + anchors, anchors_a_pass=10)).steps == 8


def test_a_plan_survives_json() -> None:
    plan = planned()

    assert from_values(TrainingPlan, json.loads(json.dumps(to_values(plan)))) == plan


def test_an_empty_snapshot_is_refused() -> None:
    with pytest.raises(TrainingError) as caught:
        planned(snapshot=replace(SNAPSHOT, train=()))

    assert caught.value.key == "training.nothing_to_train"


def test_a_checkpoint_belongs_to_what_is_trained_not_to_where_and_when() -> None:
    plan = planned()

    assert plan_hash(replace(plan, created_at="", run_folder="/elsewhere", adapters_folder="/a")) == plan_hash(plan)
    assert plan_hash(replace(plan, seed=8)) != plan_hash(plan)
    assert plan_hash(replace(plan, recipe=replace(SMALL, learning_rate=2e-3))) != plan_hash(plan)


@given(
    st.lists(st.integers(1, 200), max_size=90), st.integers(1, 3), st.integers(1, 8), st.booleans(), st.integers(0, 99)
)
def test_every_row_trains_once_an_epoch(
    lengths: list[int], epochs: int, batch_size: int, by_length: bool, seed: int
) -> None:
    order = training_order(lengths, epochs=epochs, batch_size=batch_size, by_length=by_length, seed=seed)

    assert Counter(order) == dict.fromkeys(range(len(lengths)), epochs)
    again = training_order(lengths, epochs=epochs, batch_size=batch_size, by_length=by_length, seed=seed)
    assert again == order


def test_each_pass_replays_the_next_samples() -> None:
    anchors = list(range(6, 16))

    order = training_order([1] * 16, anchors, anchors_a_pass=4, epochs=5, batch_size=4, by_length=False, seed=1)

    passes = [order[at : at + 10] for at in range(0, 50, 10)]
    assert all(sorted(row for row in one if row < 6) == list(range(6)) for one in passes)
    assert Counter(row for row in order if row >= 6) == dict.fromkeys(anchors, 2)
    assert len({row for one in passes[:2] for row in one if row >= 6}) == 8


def test_batches_of_similar_length_waste_little_and_come_in_no_order_of_length() -> None:
    lengths = [(37 * n) % 101 + 1 for n in range(640)]

    def padded(order: list[int]) -> int:
        batches = [order[at : at + 8] for at in range(0, len(order), 8)]
        return sum(len(batch) * max(lengths[row] for row in batch) for batch in batches)

    grouped = training_order(lengths, epochs=1, batch_size=8, by_length=True, seed=1)
    shuffled = training_order(lengths, epochs=1, batch_size=8, by_length=False, seed=1)

    assert padded(grouped) < 1.15 * sum(lengths) < 1.5 * sum(lengths) < padded(shuffled)
    firsts = [lengths[row] for row in grouped[::8]]
    assert firsts[:16] != sorted(firsts[:16])


@pytest.mark.parametrize(
    ("device", "profile"),
    [
        (Device("cpu", 0.0), "seedling"),
        (Device("cuda", 4.0), "seedling"),
        (Device("cuda", 8.0), "phi2-qlora"),
        (Device("cuda", 24.0), "phi2-lora"),
        (Device("cuda", 139.0), "phi2-lora"),
    ],
)
def test_auto_takes_what_the_device_can_carry(device: Device, profile: str) -> None:
    assert choose_profile("auto", ["seedling", "phi2-qlora", "phi2-lora"], device) == profile


def test_a_named_profile_wins_over_the_device_and_must_exist() -> None:
    assert choose_profile("seed-script", ["seedling", "seed-script"], Device("cpu", 0.0)) == "seed-script"
    with pytest.raises(ConfigError, match=r"oak.*seedling"):
        choose_profile("oak", ["seedling"], Device("cpu", 0.0))


def test_replayed_records_take_turns_beside_the_samples() -> None:
    anchors, replayed = list(range(4, 10)), list(range(10, 19))

    order = training_order(
        [1] * 19,
        anchors,
        anchors_a_pass=2,
        replayed=replayed,
        replayed_a_pass=3,
        epochs=3,
        batch_size=4,
        by_length=False,
        seed=1,
    )

    assert Counter(order) == {**dict.fromkeys(range(4), 3), **dict.fromkeys(range(4, 19), 1)}
    passes = [order[at : at + 9] for at in range(0, 27, 9)]
    assert all(sum(row in replayed for row in one) == 3 for one in passes)


def test_a_plan_knows_its_parent_and_a_checkpoint_of_another_start_is_not_its_own() -> None:
    warm = replace(planned(), parent="a1", depth=2)

    assert from_values(TrainingPlan, json.loads(json.dumps(to_values(warm)))) == warm
    assert plan_hash(warm) != plan_hash(planned())


@given(st.integers(1, 3_000), st.floats(0, 0.5))
def test_no_step_has_a_rate_of_zero_and_one_has_the_peak(steps: int, warmup_share: float) -> None:
    recipe = replace(SMALL, warmup_share=warmup_share)
    rates = [recipe.rate_at(step, steps) for step in range(steps)]
    assert min(rates) > 0
    peak = rates.index(max(rates))
    assert rates[peak] == 1
    assert peak <= warmup_share * steps
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert recipe.rate_at(steps, steps) < 1e-12
