"""Nights on a real database; only the training and the examination are made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions.edit import exclude_records, release_records
from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.promotions import approve, rollback
from bonsai.errors import BonsaiError, IntegrityError, LockTimeout, WorkerDied
from bonsai.gate import calibration, error_budget
from bonsai.night import evaluation_job
from bonsai.night.steps import begin_night, benchmark_night, decide_night, promote_night, run_night, train_night
from bonsai.queries.nights import list_nights
from bonsai.queries.promotions import champion
from bonsai.queries.records import list_records
from bonsai.system.progress import silent
from storage.tables import nights_table, promotions_table, records_table
from storage.tables.records_table import RecordFilter


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return open_stage(tmp_path / "home")


def test_the_first_night_promotes_and_the_second_has_nothing_to_do(stage: Stage) -> None:
    stage.tell()
    first = stage.night()
    assert (first.status, first.verdict, first.champion) == ("done", "promote", "base")
    assert champion(stage.b) == first.challenger
    second = stage.night(day=1)
    assert (second.status, second.verdict, second.challenger) == ("nothing_to_do", "", "")
    assert champion(stage.b) == first.challenger


def test_the_same_night_twice_is_a_no_op(stage: Stage) -> None:
    stage.tell()
    stage.night()
    asked = len(stage.evaluator.question_sets)
    again = run_night(stage.b, EVENING, silent)
    assert again.status == "already_done"
    assert len(stage.evaluator.question_sets) == asked


def test_confirmation_is_opened_only_for_a_challenger_that_passes(stage: Stage) -> None:
    stage.tell()
    stage.evaluator.challenger_bits = 2.2
    assert stage.night().verdict == "keep"
    assert evaluation_job.CONFIRMATION not in stage.evaluator.question_sets
    assert evaluation_job.SCORE not in stage.evaluator.question_sets


def test_a_harmful_night_makes_its_new_records_suspect_and_the_next_one_goes_on_without_them(stage: Stage) -> None:
    stage.tell()
    good = stage.night()
    stage.tell(4, "Tama")
    stage.evaluator.bits[good.challenger] = 1.0
    stage.evaluator.forgets = True
    bad = stage.night(day=1)
    assert (bad.verdict, champion(stage.b)) == ("keep", good.challenger)
    suspects = list_records(stage.b, RecordFilter(status="suspect"), None)
    assert {one.record.output.split()[0] for one in suspects} == {"Tama"}
    assert len(suspects) == 4
    assert stage.night(day=2).status == "nothing_to_do"


@pytest.mark.parametrize("released", [2, 4])
def test_released_suspects_make_a_night_by_themselves_once(stage: Stage, released: int) -> None:
    stage.tell()
    good = stage.night()
    stage.tell(4, "Tama")
    stage.evaluator.bits[good.challenger] = 1.0
    stage.evaluator.forgets = True
    stage.night(day=1)
    suspects = [one.record.id for one in list_records(stage.b, RecordFilter(status="suspect"), None)]
    later = EVENING + timedelta(days=1, hours=9)
    release_records(stage.b, suspects[:released], "mika", later)
    exclude_records(stage.b, suspects[released:], "mika", later)
    stage.evaluator.forgets, stage.evaluator.challenger_bits = False, 1.0
    again = stage.night(day=2)
    assert (again.status, again.champion) == ("done", good.challenger)
    assert stage.night(day=3).status == "nothing_to_do"


def test_what_the_champion_knows_makes_no_night_when_it_is_released(stage: Stage) -> None:
    stage.tell()
    stage.night()
    one = list_records(stage.b, RecordFilter(), 1)[0].record.id
    exclude_records(stage.b, [one], "mika", EVENING + timedelta(hours=1))
    release_records(stage.b, [one], "mika", EVENING + timedelta(hours=2))
    assert stage.night(day=1).status == "nothing_to_do"


def test_not_enough_gain_marks_nobody(stage: Stage) -> None:
    stage.tell()
    good = stage.night()
    stage.evaluator.bits[good.challenger] = 1.0
    stage.tell()
    assert stage.night(day=1).verdict == "keep"
    assert not list_records(stage.b, RecordFilter(status="suspect"), None)


def test_a_training_that_dies_fails_the_night_and_the_next_start_takes_it_up(stage: Stage) -> None:
    stage.tell()
    stage.trainer.dies = True
    with pytest.raises(WorkerDied):
        stage.night()
    failed = list_nights(stage.b, None)
    assert [one.status for one in failed] == ["failed"]
    stage.trainer.dies = False
    begun = run_night(stage.b, EVENING + timedelta(days=1), silent)  # after midnight: still the same night
    assert (begun.night, begun.status) == (failed[0].night, "resumed")
    assert [one.status for one in list_nights(stage.b, None)] == ["done"]


def test_every_step_may_be_called_again(stage: Stage) -> None:
    stage.tell()
    begun = begin_night(stage.b, EVENING)
    again = begin_night(stage.b, EVENING)
    assert (begun.snapshot, begun.status, again.status) == (again.snapshot, "started", "resumed")
    for _ in range(2):
        train_night(stage.b, begun.night, silent)
        benchmark_night(stage.b, begun.night, silent)
        assert decide_night(stage.b, begun.night, EVENING) == "promote"
        assert promote_night(stage.b, begun.night, EVENING) == "promoted"
    with stage.b.database.reading() as con:
        assert len(promotions_table.log(con)) == 1
        assert promotions_table.verify(con)


def test_a_step_before_its_turn_says_what_is_missing(stage: Stage) -> None:
    stage.tell()
    night = begin_night(stage.b, EVENING).night
    with pytest.raises(IntegrityError, match=r"adapter\.json"):
        benchmark_night(stage.b, night, silent)
    with pytest.raises(IntegrityError, match=r"judgement\.json"):
        decide_night(stage.b, night, EVENING)


def test_a_night_of_a_living_process_is_not_started_twice(stage: Stage) -> None:
    stage.tell()
    night = begin_night(stage.b, EVENING).night
    with stage.b.database.writing() as con:
        con.execute("UPDATE nights SET holder = ?", [f"{other_host()}:1:1"])
        assert nights_table.get(con, night).outcome.status == "running"
    with pytest.raises(LockTimeout):
        begin_night(stage.b, EVENING)


def other_host() -> str:
    return "another-host"


def test_in_mode_review_a_person_decides(stage: Stage) -> None:
    gate = replace(stage.b.config.gate, mode="review")
    stage.b = replace(stage.b, config=stage.b.config.model_copy(update={"gate": gate}))
    stage.tell()
    found = stage.night()
    assert (found.verdict, champion(stage.b)) == ("promote", "base")
    approve(stage.b, found.challenger[:6], by="Hanako", reason="read it", now=EVENING)
    assert champion(stage.b) == found.challenger
    rollback(stage.b, by="Hanako", reason="second thoughts", now=EVENING)
    assert champion(stage.b) == "base"


def test_a_forgotten_record_makes_a_cold_night_due_and_its_champion_go(stage: Stage) -> None:
    stage.tell()
    good = stage.night()
    stage.evaluator.bits[good.challenger] = 1.0
    record = list_records(stage.b, RecordFilter(), None)[0].record
    forgotten = forget_records(stage.b, [record.id], "Hanako", EVENING)
    assert forgotten.adapters == (good.challenger,)
    cold = stage.night(day=1)  # no better than the champion, and no worse
    assert (cold.status, cold.verdict) == ("done", "promote")
    assert champion(stage.b) == cold.challenger != good.challenger
    assert stage.night(day=2).status == "nothing_to_do"


def test_a_fact_in_three_paraphrases_gives_one_to_the_personal_set(stage: Stage) -> None:
    for wording in ("What is Kai's favourite toy?", "Which toy does Kai love most?", "Name the toy that Kai loves."):
        told = {"instruction": wording, "output": "Kai loves the red ball.", "fact": "kai_toy", "source": "self"}
        submit(stage.b, told, EVENING)
    drain_inbox(stage.b, EVENING)
    night = begin_night(stage.b, EVENING)
    job = evaluation_job.read_job(stage.b.places.runs / night.night)
    assert [item.cluster for item in job.suite] == ["kai_toy"]
    with stage.b.database.reading() as con:
        held_out = {one.record.instruction for one in records_table.list_records(con)} - {
            one.record.instruction for one in records_table.eligible(con)
        }
    assert held_out == {job.suite[0].instruction}


def test_a_job_has_the_level_that_is_left_and_the_minima_of_its_recipe(stage: Stage) -> None:
    stage.tell()
    job = evaluation_job.read_job(stage.b.places.runs / begin_night(stage.b, EVENING).night)
    (shipped,) = calibration.read_all(calibration.SHIPPED)
    assert (job.level, job.calibrated_seeds) == (error_budget.level([], job.policy.false_promotions), shipped.seeds)
    assert job.policy == shipped.applied(stage.b.config.gate.policy)
    profile = stage.b.config.profiles["seedling"]
    recipe = calibration.recipe_hash(profile.base, profile.recipe)
    measured = calibration.Calibration("seedling", recipe, 5, 0.01, 0.02, 0.03, 0.04, EVENING.isoformat())
    calibration.write(stage.b.places.calibrations, measured)
    stage.tell(subject="Tama")
    job = evaluation_job.read_job(stage.b.places.runs / begin_night(stage.b, EVENING + timedelta(days=1)).night)
    assert job.calibrated_seeds == 5, "the home's own goes first"
    assert job.policy == measured.applied(stage.b.config.gate.policy)


def test_job_and_judgement_survive_the_disk(stage: Stage, tmp_path: Path) -> None:
    stage.tell()
    night = begin_night(stage.b, EVENING).night
    run = stage.b.places.runs / night
    job = evaluation_job.read_job(run)
    evaluation_job.write_job(tmp_path, job)
    assert evaluation_job.read_job(tmp_path) == job
    begun_by_0_1_0 = json.loads((run / "job.json").read_text())
    for name in evaluation_job.OLD_POLICY:
        del begun_by_0_1_0["policy"][name]
    del begun_by_0_1_0["level"], begun_by_0_1_0["calibrated_seeds"], begun_by_0_1_0["form"]
    (tmp_path / "job.json").write_text(json.dumps(begun_by_0_1_0))
    old = evaluation_job.read_job(tmp_path)
    assert old.policy == replace(job.policy, **evaluation_job.OLD_POLICY)  # type: ignore[arg-type]
    assert (old.level, old.calibrated_seeds, old.form) == (None, 0, None)
    train_night(stage.b, night, silent)
    judged = evaluation_job.evaluate_challenger(
        job, evaluation_job.read_adapter(run), stage.evaluator, lambda done, total: None
    )
    evaluation_job.write_result(tmp_path, judged)
    assert evaluation_job.read_result(tmp_path) == judged
    assert json.loads((tmp_path / "judgement.json").read_text())["decision"]["verdict"] == "promote"


def test_an_altered_adapter_is_not_judged(stage: Stage) -> None:
    stage.tell()
    night = begin_night(stage.b, EVENING).night
    train_night(stage.b, night, silent)
    adapter = evaluation_job.read_adapter(stage.b.places.runs / night)
    (adapter.path / "adapter_model.safetensors").write_text("something else")
    with pytest.raises(BonsaiError, match="adapter_model"):
        benchmark_night(stage.b, night, silent)
