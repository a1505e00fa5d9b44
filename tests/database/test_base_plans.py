"""How long a night would take on a base, by the speed that this home has measured."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hand_nights import EVENING, HandTrainer, Stage, open_stage

from bonsai.night.steps import run_night
from bonsai.queries.base_plans import BaseFacts, Machine, find_facts, plan_here, plan_night
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
