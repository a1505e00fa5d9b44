"""How long a night would take on a base, by the speed that this home has measured."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hand_nights import EVENING, HandTrainer, Stage, open_stage

from bonsai.model.bases import Device
from bonsai.night.steps import run_night
from bonsai.queries.base_plans import GIB, BaseFacts, Machine, find_facts, plan_here, plan_night
from bonsai.system.progress import silent


@pytest.fixture
def stage(taught_home: Path, tmp_path: Path) -> Stage:
    made = open_stage(Path(shutil.copytree(taught_home, tmp_path / "home")))
    return replace(made, b=replace(made.b, trainer=HandTrainer(steps=2)))  # 200 tokens


def facts(stage: Stage) -> BaseFacts:
    return find_facts(stage.b.home, stage.b.config, "seedling")


def test_a_night_tells_the_speed_of_the_next_one(stage: Stage) -> None:
    assert plan_night(stage.b, facts(stage), records=100) is None
    stage.tell(5)
    looks = count()
    run_night(stage.b, EVENING, silent, clock=lambda: EVENING + timedelta(seconds=next(looks)))
    whole, small, twice = (plan_night(stage.b, facts(stage), records) for records in (0, 100, 200))
    assert whole
    assert small
    assert twice
    assert (whole.tokens, whole.most) == (3_000_000, True)
    assert 0 < small.tokens_per_second <= 200, "200 tokens, and each look at the clock takes a second"
    assert twice.tokens == pytest.approx(2 * small.tokens, abs=2)
    assert not small.most
    assert small.seconds == small.tokens / small.tokens_per_second


def test_a_profile_is_planned_as_it_is_set(stage: Stage) -> None:
    planned = plan_here(Machine.here(), facts(stage))
    assert (planned.plan.kind, planned.plan.profile) == ("seedling", stage.b.config.profiles["seedling"])
    assert planned.fits
    large = find_facts(stage.b.home, stage.b.config, "phi2-lora")
    assert not plan_here(Machine(Device("cpu", 0.0), 500 * GIB), large).fits, "it computes in bfloat16"
    assert plan_here(Machine.card(80), large).fits


def test_a_cpu_that_can_computes_in_bfloat16(stage: Stage) -> None:
    small = find_facts(stage.b.home, stage.b.config, "smollm2-135m")
    plain, fast = (plan_here(Machine(Device("cpu", 0.0, (), able), 16 * GIB), small) for able in (False, True))
    assert (plain.plan.profile.base.compute_dtype, plain.plan.decided) == ("float32", {})
    assert fast.plan.profile.base.compute_dtype == fast.plan.decided["compute_dtype"] == "bfloat16"
    assert fast.fits
    assert fast.needed < plain.needed
    assert fast.plan.kind == "cpu-small"


def test_what_fits_in_halves_needs_less(stage: Stage) -> None:
    need = plan_here(Machine.here(), facts(stage)).plan.need
    halved = plan_here(Machine(Device("cpu", 0.0), need.least), facts(stage))
    assert halved.in_halves
    assert (halved.needed, halved.activations) == (need.least, need.activations - need.activations // 2)
    whole = plan_here(Machine(Device("cpu", 0.0), need.total), facts(stage))
    assert (whole.needed, whole.activations) == (need.total, need.activations)
