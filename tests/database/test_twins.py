"""Cold nights train a second seed where the settings ask for it, and the gate is calibrated by what they show."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions.calibration import calibrate
from bonsai.errors import WorkerDied
from bonsai.gate import calibration
from bonsai.night.prepare import claims_tonight
from bonsai.night.steps import run_night
from bonsai.queries.nights import night_detail, show_night
from bonsai.system.progress import silent
from bonsai.train.plan import AdapterFolder, TrainingPlan, TrainingProgress


@pytest.fixture
def stage(tmp_path: Path, taught_home: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A home whose base nobody has calibrated, and which asks for two twins."""
    monkeypatch.setattr(calibration, "SHIPPED", tmp_path / "none")
    made = open_stage(Path(shutil.copytree(taught_home, tmp_path / "home")))
    config = made.b.config.model_copy(update={"gate": replace(made.b.config.gate, twins=2)})
    made.b = replace(made.b, config=config)
    return made


def is_twin(plan: TrainingPlan) -> bool:
    return Path(plan.run_folder).parent.name == "twin"


def trained(stage: Stage) -> list[str]:
    """What the trainings were of: a night, or its twin."""
    return ["twin" if is_twin(plan) else "night" for plan in stage.trainer.plans]


def test_two_twins_calibrate_a_base(stage: Stage) -> None:
    policy = stage.b.config.gate.policy
    for day in range(3):
        stage.tell(subject=("Mike", "Tama", "Kuro")[day])
        night = stage.night(day)
        claims = claims_tonight(stage.b)
        assert not (stage.b.places.runs / night.night / "twin").exists(), "it learned the owner's records"
        if day == 0:
            assert (claims.calibrated_seeds, claims.policy) == (0, policy), "one difference has no spread to speak of"
    assert trained(stage) == ["night", "twin", "night", "twin", "night"]
    seeds = [plan.seed for plan in stage.trainer.plans]
    assert len({seeds[0], seeds[1], seeds[3]}) == 3
    assert (claims.calibrated_seeds, claims.calibration and claims.calibration.twins) == (3, 2)
    assert claims.policy.min_gain_bits != policy.min_gain_bits
    assert claims.policy.min_suite_gain_bits == policy.min_suite_gain_bits, "this home has no personal set"


def test_the_twin_is_a_step_of_its_night_and_no_adapter_of_the_home(stage: Stage) -> None:
    stage.tell()
    night = stage.night()
    assert "twin" in [one.name for one in night_detail(stage.b, night.night).steps]
    adapters = [path.name for path in stage.b.places.adapters.iterdir()]
    assert len(adapters) == 1
    stage.tell(subject="Tama")
    stage.b = replace(stage.b, config=stage.b.config.model_copy(update={"gate": replace(stage.b.config.gate, twins=0)}))
    assert "twin" not in [one.name for one in night_detail(stage.b, stage.night(1).night).steps]


def test_killed_in_its_twin_a_night_goes_on_with_it(stage: Stage) -> None:
    class Dying:
        def train(self, plan: TrainingPlan, show: Callable[[TrainingProgress], None]) -> AdapterFolder:
            if is_twin(plan):
                raise WorkerDied("processes.killed", module="by hand", signal="SIGKILL", log="-")
            return stage.trainer.train(plan, show)

    stage.tell()
    with pytest.raises(WorkerDied):
        run_night(replace(stage.b, trainer=Dying()), EVENING, silent)
    assert trained(stage) == ["night"]
    again = run_night(stage.b, EVENING + timedelta(hours=1), silent)
    assert again.status == "resumed"
    assert show_night(stage.b, again.night).verdict == "promote"
    assert trained(stage)[-1] == "twin"
    profile = stage.b.config.profiles["seedling"]
    assert len(calibration.read_twins(stage.b.places.calibrations, profile.base, profile.recipe)) == 1


def test_a_calibration_by_command_needs_no_twin_until_more_are_asked_for(stage: Stage) -> None:
    stage.tell()
    stage.night()
    made = calibrate(stage.b, 4, EVENING)
    stage.trainer.plans.clear()
    stage.tell(subject="Tama")
    stage.night(1)
    assert trained(stage) == ["night"], "four seeds are three differences"
    claims = claims_tonight(stage.b)
    assert claims.calibrated_seeds == 5, "the first night's twin counts beside them"
    assert claims.policy.min_gain_bits != made.min_gain_bits
