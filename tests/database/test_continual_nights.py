"""Nights of a home whose records outgrow the night's budget; only the training and the examination are made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import submit
from bonsai.domain import snapshots
from bonsai.night import evaluation_job
from bonsai.night.steps import begin_night, run_night
from bonsai.queries.nights import NightReport, show_night
from bonsai.system.progress import silent
from bonsai.train.continual import NightBudget
from bonsai.train.manifest import read_manifest
from storage.tables import adapters_table, nights_table, promotions_table, records_table, snapshots_table

COLD = 4e-3
"Learning rate of the seedling's cold nights."


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return open_stage(tmp_path / "home")


def with_budget(stage: Stage, tokens: int, cold_tokens: int, **training: object) -> None:
    config = stage.b.config
    profile = config.profiles["seedling"].model_copy(update={"night": NightBudget(tokens, cold_tokens, COLD / 2)})
    update = {
        "profiles": {**config.profiles, "seedling": profile},
        "training": config.training.model_copy(update=training),
    }
    stage.b = replace(stage.b, config=config.model_copy(update=update), find_profile=lambda: "seedling")


def record_tokens(stage: Stage) -> float:
    """Trained tokens that one of the told records costs, its anchors included."""
    with stage.b.database.reading() as con:
        described = nights_table.list_nights(con)[-1].outcome.report or {}
    values = described["training"]["values"]  # type: ignore[index]
    return float(values["needed"]) / float(values["records"])


def better_night(stage: Stage, day: int) -> NightReport:
    """A night whose challenger beats everything before it."""
    stage.evaluator.challenger_bits = 1.8 - 0.15 * day  # more than seeds differ by
    night = stage.night(day)
    stage.evaluator.bits[night.challenger] = stage.evaluator.challenger_bits
    return night


def first_night_then_budget(stage: Stage, records: int, warm: float, cold: float, **training: object) -> NightReport:
    """`records` are learned cold; from then on a night holds as many as `warm`, a cold one `cold` records."""
    stage.tell(records)
    with_budget(stage, 10**9, 10**9)
    night = better_night(stage, 0)
    each = record_tokens(stage)
    with_budget(stage, round(warm * each), round(cold * each), **training)
    return night


def own_rows(stage: Stage, night: NightReport) -> snapshots.Snapshot:
    job = evaluation_job.read_job(stage.b.places.runs / night.night)
    return snapshots.read(Path(job.plan.snapshot_folder))


def test_beyond_the_budget_a_night_is_warm_and_its_new_records_are_all_in(stage: Stage) -> None:
    cold = first_night_then_budget(stage, 12, warm=8, cold=40)
    assert (cold.start, cold.parent) == ("cold", "")
    assert "fits the night's budget" in cold.why_in("en")
    stage.tell(3)

    warm = better_night(stage, 1)

    assert (warm.start, warm.parent, warm.verdict) == ("warm", cold.challenger, "promote")
    assert cold.challenger[:10] in warm.why_in("en")
    assert "続きから" in warm.why_in("ja")
    held = own_rows(stage, warm)
    assert sum(row.role == "own" for row in held.train) == 3
    assert sum(row.role == "replay" for row in held.train) >= held.replayed_a_pass > 0
    plan = evaluation_job.read_job(stage.b.places.runs / warm.night).plan
    assert (plan.parent, plan.depth, plan.recipe.learning_rate) == (cold.challenger, 1, COLD / 2)


def test_a_warm_adapter_has_learned_what_its_ancestors_learned(stage: Stage) -> None:
    cold = first_night_then_budget(stage, 12, warm=8, cold=40)
    stage.tell(3)
    warm = better_night(stage, 1)
    with stage.b.database.reading() as con:
        everything = {one.record.id for one in records_table.eligible(con)}
        assert adapters_table.records_of(con, [warm.challenger]) == everything
        assert adapters_table.get(con, warm.challenger).parent == cold.challenger
        assert adapters_table.depth(con, warm.challenger) == 1
        manifest = read_manifest(Path(adapters_table.get(con, warm.challenger).folder))
        only_old = min(adapters_table.records_of(con, [cold.challenger]))
    assert (manifest.parent, manifest.depth) == (cold.challenger, 1)

    forgotten = forget_records(stage.b, [only_old], "Hanako", EVENING)

    assert set(forgotten.adapters) == {cold.challenger, warm.challenger}
    night = better_night(stage, 2)
    assert (night.start, night.status) == ("cold", "done")
    assert "a deleted record" in night.why_in("en")
    with stage.b.database.reading() as con:
        assert only_old not in adapters_table.records_of(con, [night.challenger])
        assert not adapters_table.get(con, night.challenger).needs_retrain


def test_what_a_sample_leaves_out_makes_no_night_by_itself(stage: Stage) -> None:
    first_night_then_budget(stage, 40, warm=6, cold=60)
    stage.tell(4)
    warm = better_night(stage, 1)
    with stage.b.database.reading() as con:
        held = snapshots_table.record_ids(con, own_rows(stage, warm).id)
        assert len(held) < 44
        assert records_table.new_since(con, own_rows(stage, warm).id) == []

    assert better_night(stage, 2).status == "nothing_to_do"


def test_more_new_records_than_a_night_holds_take_turns_until_all_were_in(stage: Stage) -> None:
    first_night_then_budget(stage, 3, warm=4, cold=5)
    stage.tell(14)
    seen: set[str] = set()
    nights = []
    for day in range(1, 9):
        nights.append(better_night(stage, day))
        if nights[-1].status == "nothing_to_do":
            break
        with stage.b.database.reading() as con:
            seen |= snapshots_table.record_ids(con, own_rows(stage, nights[-1]).id)

    assert nights[-1].status == "nothing_to_do"
    assert 4 <= len(nights) <= 6
    with stage.b.database.reading() as con:
        assert seen >= {one.record.id for one in records_table.eligible(con)} - seen_before(stage)


def seen_before(stage: Stage) -> set[str]:
    """The records of the very first night."""
    with stage.b.database.reading() as con:
        first = nights_table.list_nights(con)[-1]
        return set(snapshots_table.record_ids(con, first.outcome.snapshot_id))


def test_a_record_too_long_for_the_base_makes_no_night_every_night(stage: Stage) -> None:
    told = {"instruction": "What happened?", "output": "It rained and rained. " * 200, "source": "self"}
    submit(stage.b, told, EVENING)
    stage.tell(2)

    assert better_night(stage, 0).status == "done"
    assert better_night(stage, 1).status == "nothing_to_do"


def test_a_week_after_the_last_cold_night_the_challenger_is_cold_again(stage: Stage) -> None:
    first_night_then_budget(stage, 12, warm=8, cold=40, cold_after_days=3)
    kinds = []
    for day in range(1, 5):
        stage.tell(2)
        kinds.append(better_night(stage, day).start)

    assert kinds == ["warm", "warm", "cold", "warm"]


def test_after_so_many_warm_nights_the_next_is_cold(stage: Stage) -> None:
    first_night_then_budget(stage, 12, warm=8, cold=40, cold_after_days=100, lineage_depth=2)
    nights = []
    for day in range(1, 5):
        stage.tell(2)
        nights.append(better_night(stage, day))

    assert [one.start for one in nights] == ["warm", "warm", "cold", "warm"]
    assert "2 warm starts" in nights[2].why_in("en")


def test_a_refused_nights_records_are_taken_up_by_the_next_warm_one(stage: Stage) -> None:
    first_night_then_budget(stage, 12, warm=8, cold=40)
    stage.tell(2)
    stage.evaluator.challenger_bits = 1.8  # as good as the champion: refused, and nobody is suspect
    refused = stage.night(1)
    assert (refused.verdict == "promote", refused.start) == (False, "warm")
    missed = {row.record_id for row in own_rows(stage, refused).train if row.role == "own"}
    stage.tell(2)

    warm = better_night(stage, 2)

    assert missed < {row.record_id for row in own_rows(stage, warm).train if row.role == "own"}
    with stage.b.database.reading() as con:
        assert promotions_table.champion(con).adapter == warm.challenger


def test_an_interrupted_warm_night_begins_again_as_it_was(stage: Stage) -> None:
    first_night_then_budget(stage, 12, warm=8, cold=40)
    stage.tell(3)

    first = begin_night(stage.b, EVENING + timedelta(days=1))
    again = begin_night(stage.b, EVENING + timedelta(days=2))

    assert (first.night, first.snapshot) == (again.night, again.snapshot)
    assert show_night(stage.b, first.night).start == "warm"
    assert run_night(stage.b, EVENING + timedelta(days=2), silent).snapshot == first.snapshot
