"""A night killed between its verdict and its end: the verdict may have changed the data by which a night is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hand_nights import EVENING, Stage, open_stage

from bonsai.night.steps import begin_night, benchmark_night, decide_night, run_night, train_night
from bonsai.queries.nights import list_nights, show_night
from bonsai.queries.promotions import champion
from bonsai.queries.records import list_records
from bonsai.system.progress import silent
from storage.tables import nights_table, promotions_table
from storage.tables.records_table import RecordFilter


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return open_stage(tmp_path / "home")


def decided(stage: Stage) -> str:
    """A night whose process died right after its verdict."""
    stage.tell()
    night = begin_night(stage.b, EVENING).night
    train_night(stage.b, night, silent)
    benchmark_night(stage.b, night, silent)
    decide_night(stage.b, night, EVENING)
    with stage.b.database.writing() as con:
        dead = nights_table.get(con, night).holder.rsplit(":", 1)[0]
        con.execute("UPDATE nights SET holder = ?", [f"{dead}:before"])
    return night


def test_a_harmful_verdict_that_was_cut_off_is_ended_by_the_next_start(stage: Stage) -> None:
    stage.evaluator.forgets = True
    night = decided(stage)
    assert len(list_records(stage.b, RecordFilter(status="suspect"), None)) == 3
    again = run_night(stage.b, EVENING + timedelta(hours=1), silent)
    assert again.status == "nothing_to_do"
    ended = show_night(stage.b, night)
    assert (ended.status, ended.verdict) == ("done", "keep")
    assert [one.status for one in list_nights(stage.b, None) if one.night == again.night] == ["nothing_to_do"]


def test_half_an_adapter_of_a_night_that_nobody_takes_up_again_goes_with_the_next_one(stage: Stage) -> None:
    stage.tell()
    night = begin_night(stage.b, EVENING).night
    half = stage.b.places.adapters / f".unfinished-{night}"
    half.mkdir()
    (half / "adapter_model.safetensors").write_text("half of the weights")
    unnamed = stage.b.places.runs / night / ".0123456789abcdef.4194305-1.tmp"  # above every process id
    unnamed.write_text("a job that never got its name")
    with stage.b.database.writing() as con:
        con.execute("UPDATE nights SET holder = 'another-host:1:1'")
    stage.tell(1, "Kuro")
    begin_night(stage.b, EVENING)
    assert half.is_dir(), "another night may still be writing it"
    with stage.b.database.writing() as con:
        con.execute("UPDATE nights SET status = 'failed'")
    done = run_night(stage.b, EVENING, silent)
    assert [one.name for one in stage.b.places.adapters.iterdir()] == [done.snapshot]
    assert not unnamed.exists()


def test_a_promotion_that_was_cut_off_happens_once_though_new_records_came(stage: Stage) -> None:
    night = decided(stage)
    stage.tell(1, "Kuro")
    begin_night(stage.b, EVENING + timedelta(days=1))
    ended = show_night(stage.b, night)
    assert (ended.status, champion(stage.b)) == ("done", ended.challenger)
    with stage.b.database.reading() as con:
        assert len(promotions_table.log(con)) == 1
