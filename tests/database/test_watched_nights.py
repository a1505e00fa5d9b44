"""A night that runs is watched from outside, without the database, and stopped; its steps and cost stay in its row."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hand_nights import EVENING, Stage, open_stage

from bonsai.errors import NightCancelled, UnknownId, UsageError
from bonsai.night.status import cancel_night, dead_nights, watched
from bonsai.night.steps import begin_night, benchmark_night, decide_night, run_night, train_night
from bonsai.queries import nights
from bonsai.queries.nights import list_nights, show_night
from bonsai.queries.promotions import list_promotions
from bonsai.system.locks import file_lock, process_name
from bonsai.system.progress import Progress, ResourceUsage, silent
from storage import night_status
from storage.night_status import MAX_LOSSES, NightStatus
from storage.tables import nights_table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = open_stage(tmp_path / "home")
    made.tell()
    made.trainer.steps = 4
    return made


def ticking(seconds: float = 2.0) -> Callable[[], datetime]:
    """A clock that goes on by so much with every look."""
    looks = iter(range(10_000))
    return lambda: EVENING + timedelta(seconds=seconds * next(looks))


def run(stage: Stage, **options: bool) -> str:
    return run_night(stage.b, EVENING, silent, clock=ticking(), **options).night


def dead_process() -> str:
    code = "from bonsai.system.locks import process_name; print(process_name())"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout[
        :-1
    ]


def test_a_running_night_is_seen_while_another_process_holds_the_database(stage: Stage) -> None:
    seen = []

    def look(step: int) -> None:
        with file_lock(stage.b.database.lock_path, exclusive=True, wait_seconds=0):
            found = nights.running_night(stage.b)
        assert found is not None
        seen.append((found.state, found.status.done, found.status.total, [loss for _, loss in found.status.losses]))

    stage.trainer.before = look
    night = run(stage)
    assert seen == [
        ("running", 0, 0, []),
        ("running", 1, 4, [2.0]),
        ("running", 2, 4, [2.0, 1.0]),
        ("running", 3, 4, [2.0, 1.0, 2 / 3]),
    ]
    assert nights.running_night(stage.b) is None
    assert nights.night_progress(stage.b, night).state == "done"


def test_the_row_of_a_night_keeps_its_steps_and_what_they_cost(stage: Stage) -> None:
    found = nights.night_detail(stage.b, run(stage))
    assert [one.name for one in found.steps] == list(nights.STEPS)
    assert all(one.ended_at and one.ended_at >= one.started_at for one in found.steps)
    assert found.seconds["train"] > found.seconds["decide"] >= 0
    assert (found.cost.tokens, found.cost.memory_bytes, found.gpu_seconds) == (400, 5 << 30, 0)
    assert found.learned is not None
    assert found.learned.own == sum(found.learned.kinds.values()) == 3
    (stage.b.places.runs / found.report.night / "status.json").unlink()
    assert nights.night_detail(stage.b, found.report.night) == found


def test_a_cancelled_night_stops_at_its_next_step_and_is_taken_up_again(stage: Stage) -> None:
    def cancel(step: int) -> None:
        if step == 2:
            night = nights.running_night(stage.b)
            assert night is not None
            assert cancel_night(stage.b, night.status.night, "Mika", EVENING) == "asked"
            assert nights.night_detail(stage.b, night.status.night).state == "cancelling"
        assert step < 3

    stage.trainer.before = cancel
    with pytest.raises(NightCancelled, match="Mika"):
        run(stage)
    [night] = list_nights(stage.b, None)
    assert (night.status, list_promotions(stage.b)) == ("cancelled", [])
    assert "Mika" in night.reasons_in("ja")[0]
    assert nights.night_progress(stage.b, night.night).state == "cancelled"
    with pytest.raises(UsageError, match="not running"):
        cancel_night(stage.b, night.night, "Mika", EVENING)

    stage.trainer.before = lambda step: None
    assert run(stage) == night.night
    found = nights.night_detail(stage.b, night.night)
    assert found.report.status == "done"
    assert [one.name for one in found.steps] == ["snapshot", "train", *nights.STEPS]
    assert found.cost.tokens == 200 + 400


def test_a_killed_night_is_not_called_running(stage: Stage) -> None:
    night = begin_night(stage.b, EVENING).night
    run_folder = stage.b.places.runs / night
    status = night_status.read(run_folder)
    assert status is not None
    with stage.b.database.writing() as con:
        con.execute("UPDATE nights SET holder = ?", [dead := dead_process()])
    night_status.write(run_folder, replace(status, holder=dead))
    assert nights.running_night(stage.b) is None
    assert nights.night_progress(stage.b, night).state == "interrupted"
    assert nights.night_detail(stage.b, night).state == "interrupted"
    assert cancel_night(stage.b, night, "Mika", EVENING) == "cancelled"
    assert show_night(stage.b, night).status == "cancelled"


def test_a_wish_to_stop_outlives_the_process_that_did_not_get_to_it(stage: Stage) -> None:
    night = begin_night(stage.b, EVENING).night
    cancel_night(stage.b, night, "Mika", EVENING)
    with stage.b.database.writing() as con:
        con.execute("UPDATE nights SET holder = ?", [dead_process()])
    assert dead_nights(stage.b, EVENING) == (night,)
    assert show_night(stage.b, night).status == "cancelled"
    assert run(stage) == night  # the wish was granted: it does not stop the next attempt
    assert show_night(stage.b, night).status == "done"


def test_a_night_with_its_verdict_is_no_longer_cancelled(stage: Stage) -> None:
    night = begin_night(stage.b, EVENING).night
    train_night(stage.b, night, silent)
    benchmark_night(stage.b, night, silent)
    decide_night(stage.b, night, EVENING)
    with pytest.raises(UsageError, match="verdict"):
        cancel_night(stage.b, night, "Mika", EVENING)


def test_a_curve_stays_small_and_goes_on_from_a_checkpoint() -> None:
    status = NightStatus("n", "h:1:1", EVENING)
    for step in range(1, 5_000):
        status = status.with_progress(Progress("train", step, 5_000, 1 / step), EVENING)
    assert 50 < len(status.losses) <= MAX_LOSSES
    assert status.losses[-1] == (4_999, 1 / 4_999)
    again = status.with_progress(Progress("train", 100, 5_000, 7.0), EVENING)
    assert again.losses[-1] == (100, 7.0)
    assert max(step for step, _ in again.losses) == 100


def test_tokens_of_a_training_that_was_started_again_add_up() -> None:
    status = NightStatus("n", "h:1:1", EVENING)
    for tokens in (100, 300, 50, 120):  # the third is of another process
        status = status.with_progress(Progress("train", 1, 9, 1.0, used=ResourceUsage(tokens)), EVENING)
    assert status.cost.tokens == 300 + 120


def test_the_remaining_time_is_its_own_account_then_its_pace_then_the_last_night() -> None:
    usual = {"train": 60.0, "benchmark": 30.0, "decide": 1.0}
    fresh = NightStatus("n", "h:1:1", EVENING, usual_seconds=usual).entered("train", EVENING)
    assert nights.seconds_left(fresh) == 60 + 31
    assert nights.seconds_left(fresh.with_progress(Progress("train", 1, 9, seconds_left=8.0), EVENING)) == 8 + 31
    later = EVENING + timedelta(seconds=10)
    half = fresh.entered("benchmark", EVENING).with_progress(Progress("benchmark", 1, 2), later)
    assert nights.seconds_left(half) == 10 + 1
    assert nights.seconds_left(replace(fresh, usual_seconds={})) is None


def test_a_status_comes_back_as_it_was_and_a_foreign_one_is_none(tmp_path: Path) -> None:
    status = NightStatus("n", process_name(), EVENING).entered("train", EVENING)
    status = status.with_progress(Progress("train", 1, 9, 1.5, 8.0, ResourceUsage(7, 8, 9, 1)), EVENING)
    night_status.write(tmp_path, status)
    assert night_status.read(tmp_path) == status
    for foreign in ("", "[]", '{"night": 3}', '{"updated_at": "yesterday"}'):
        (tmp_path / "status.json").write_text(foreign)
        assert night_status.read(tmp_path) is None


def test_the_end_of_a_log_is_read_and_nothing_else(stage: Stage) -> None:
    night = run(stage)
    log = stage.b.places.runs / night / "log.txt"
    log.write_bytes(b"\xff first\n" + b"x" * 200_000 + b"\n<b>\xe3\x81\x82</b>\nlast\n")
    path = nights.log_file(stage.b, night, "training")
    assert nights.tail(path, 2) == ["<b>あ</b>", "last"]
    assert len(nights.tail(path, 10)) == 2
    assert nights.logs_of(stage.b, night) == ["training"]
    for name, wanted in ((night, "../job"), (night, "benchmark"), ("../adapters", "training"), ("", "training")):
        with pytest.raises(UnknownId):
            nights.log_file(stage.b, name, wanted)


def test_nights_of_a_month_are_found_by_when_they_began(stage: Stage) -> None:
    assert nights.first_night(stage.b) is None
    night = run(stage)
    with stage.b.database.writing() as con:
        nights_table.begin(con, "2026-12-01-00000000", "h:1:1", EVENING + timedelta(days=10))
    november = nights.nights_between(stage.b, EVENING - timedelta(days=1), EVENING + timedelta(days=10))
    assert [one.night for one in november] == [night]
    assert nights.first_night(stage.b) == EVENING


def test_a_night_that_waits_for_the_device_can_be_cancelled(stage: Stage) -> None:
    night = begin_night(stage.b, EVENING).night
    seen = []

    def report(progress: Progress) -> None:
        seen.append(progress)
        cancel_night(stage.b, night, "Mika", EVENING)

    with file_lock(stage.b.home / "gpu.lock", exclusive=True, wait_seconds=0), pytest.raises(NightCancelled):
        with watched(stage.b, night, "train", report, lambda: EVENING) as tell:
            train_night(stage.b, night, tell)
    assert [(one.step, one.done) for one in seen] == [("train", 0)]
