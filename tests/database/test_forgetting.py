"""A forgotten record leaves the whole home: its tables, its files, and the freed pages of its database."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hand_nights import EVENING, Stage, hand_report, open_stage

from bonsai.actions import forget
from bonsai.actions.forget import forget_records
from bonsai.actions.import_file import import_file
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.maintenance import check
from bonsai.domain.records import Reject
from bonsai.evaluate import report
from bonsai.night import evaluation_job
from bonsai.night.steps import begin_night, benchmark_night, decide_night, promote_night, train_night
from bonsai.queries.nights import show_night
from bonsai.queries.records import inbox_status, list_records
from storage import inbox
from storage.forgetting import NOTE, due, erase_reports
from storage.home import Home
from storage.tables import adapters_table, nights_table, personal_set_table, rejects_table, snapshots_table
from storage.tables.record_rows import StoredRecord
from storage.tables.records_table import RecordFilter

SECRET = "Mike hides from the neighbour Tanaka."
WORDINGS = ("Why is Mike under the bed?", "What makes Mike hide under the bed?", "Why does Mike stay under the bed?")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A home that told the secret in three wordings, in a file, and in a broken line; no night yet."""
    made = open_stage(tmp_path / "home")
    for wording in WORDINGS:
        told = {"instruction": wording, "output": SECRET, "fact": "hiding", "source": "self"}
        submit(made.b, told, EVENING)
    file = tmp_path / "stories.csv"
    file.write_text(f"question,answer\n{WORDINGS[0]},{SECRET}\nWho naps?,Kuro naps.\n", "utf-8")
    inbox.submit_file(made.b.places.inbox, file, EVENING)
    broken = tmp_path / "broken.jsonl"
    broken.write_text(json.dumps([WORDINGS[1], SECRET]) + '\n{"question": "Who?", "answer": "Kuro."}\n', "utf-8")
    import_file(made.b, broken, now=EVENING)
    made.tell(3, "Kuro")
    return made


def ids(stage: Stage) -> list[str]:
    """Of the records that tell the secret."""
    return [one.record.id for one in records(stage) if one.record.output == SECRET]


def records(stage: Stage) -> list[StoredRecord]:
    return list_records(stage.b, RecordFilter(), None)


def holding(stage: Stage) -> list[str]:
    """Files of the home in which the secret can be read."""
    files = (path for path in stage.b.home.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(stage.b.home)) for path in files if SECRET.encode() in path.read_bytes())


def answered(stage: Stage) -> Path:
    """A report in which the challenger says the secret, as an answer to the personal evaluation set."""
    run = next(stage.b.places.runs.glob("2*"))
    items = evaluation_job.read_job(run).suite
    made = hand_report("suite", items, "challenger", 1.0, False)
    said = replace(made.items[0], free=replace(made.items[0].free, response=SECRET))
    path = stage.b.places.reports / "challenger-suite-0.json"
    report.write(replace(made, items=(said, *made.items[1:])), path)
    job = {"question_sets": [{"name": "suite", "items": [{"id": one.id, "reference": one.reference} for one in items]}]}
    (stage.b.places.reports / "jobs").mkdir()
    (stage.b.places.reports / "jobs" / "night.json").write_text(json.dumps(job))
    return path


def test_nothing_in_the_home_tells_it_any_more(stage: Stage) -> None:
    night = stage.night()
    said = answered(stage)
    assert len(holding(stage)) >= 4 + len(WORDINGS)
    (snapshot,) = stage.b.places.snapshots.iterdir()

    forgotten = forget_records(stage.b, ids(stage), "Mika", EVENING)

    assert forgotten.erased
    assert holding(stage) == []
    assert [path.name for path in snapshot.iterdir()] == [NOTE]
    assert (forgotten.snapshots, forgotten.rejects) == ((snapshot.name,), 1)
    assert report.read(said).items[0].free.response == ""
    assert all(one.ok for one in check(stage.b))
    with stage.b.database.reading() as con:
        assert due(con).records == ()
        assert adapters_table.get(con, night.challenger).needs_retrain
        assert set(forgotten.records) <= snapshots_table.record_ids(con, snapshot.name) | personal_set_records(stage)
    assert {"Kuro naps.", "Kuro."} < {one.record.output for one in records(stage) if one.status == "active"}
    assert stage.night(1).verdict == "promote"  # the cold night that is due


def personal_set_records(stage: Stage) -> set[str]:
    with stage.b.database.reading() as con:
        return {record for item in personal_set_table.all_items(con) for record in item.record_ids}


@pytest.mark.parametrize("name", ["question_sets", "sheets"])
def test_a_job_of_any_version_goes_with_its_items_and_stays_without_them(tmp_path: Path, name: str) -> None:
    """Version 0.1.0 wrote `sheets`; a closed pool is named without its items."""
    (tmp_path / "jobs").mkdir()
    for file, item in (("gone", "own/1"), ("kept", "own/2")):
        sets = [{"name": "v2/score", "items": None}, {"name": "suite", "items": [{"id": item}]}]
        (tmp_path / "jobs" / f"{file}.json").write_text(json.dumps({name: sets}))
    erase_reports(tmp_path, ["own/1"])
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["kept.json"]


def test_while_a_night_runs_its_files_wait_and_the_next_drain_erases_them(stage: Stage) -> None:
    night = begin_night(stage.b, EVENING).night
    (snapshot,) = stage.b.places.snapshots.iterdir()
    assert not forget_records(stage.b, ids(stage), "Mika", EVENING).erased
    assert not [path for path in holding(stage) if path.startswith("inbox")]
    assert (snapshot / "records.parquet").is_file()
    with stage.b.database.writing() as con:
        outcome = nights_table.get(con, night).outcome
        nights_table.finish(con, night, replace(outcome, status="failed"), EVENING)
    drain_inbox(stage.b, EVENING)
    assert [path.name for path in snapshot.iterdir()] == [NOTE]
    assert holding(stage) == []


def test_what_learned_it_while_it_was_being_forgotten_is_marked_and_its_snapshot_erased(stage: Stage) -> None:
    night = begin_night(stage.b, EVENING).night
    train_night(stage.b, night, lambda progress: None)
    benchmark_night(stage.b, night, lambda progress: None)
    forget_records(stage.b, ids(stage), "Mika", EVENING)
    decide_night(stage.b, night, EVENING)
    promote_night(stage.b, night, EVENING)
    challenger = show_night(stage.b, night).challenger
    drain_inbox(stage.b, EVENING)
    with stage.b.database.reading() as con:
        assert adapters_table.get(con, challenger).needs_retrain
    assert holding(stage) == []
    assert [path.name for path in next(stage.b.places.snapshots.iterdir()).iterdir()] == [NOTE]


def test_told_again_it_is_not_kept(stage: Stage, tmp_path: Path) -> None:
    forget_records(stage.b, ids(stage), "Mika", EVENING)
    submit(stage.b, {"instruction": WORDINGS[0], "output": SECRET}, EVENING)
    inbox.submit_file(stage.b.places.inbox, tmp_path / "stories.csv", EVENING)
    drained = drain_inbox(stage.b, EVENING)
    assert (drained.counts.read, drained.counts.duplicate) == (3, 3)
    assert holding(stage) == []
    assert inbox_status(stage.b).pending == 0


def test_what_could_not_be_read_goes_too_when_it_tells_it(stage: Stage, tmp_path: Path) -> None:
    for name, text in (("letter.txt", f"Dear vet: {WORDINGS[0]} {SECRET}"), ("other.txt", "Dear vet: Kuro naps.")):
        (tmp_path / name).write_text(text)
        inbox.submit_file(stage.b.places.inbox, tmp_path / name, EVENING)
    drain_inbox(stage.b, EVENING)
    assert inbox_status(stage.b).failed == 2
    forget_records(stage.b, ids(stage), "Mika", EVENING)
    assert holding(stage) == []
    assert inbox_status(stage.b).failed == 1


def test_to_forget_again_changes_nothing(stage: Stage) -> None:
    secret = ids(stage)
    first = forget_records(stage.b, secret, "Mika", EVENING)
    again = forget_records(stage.b, secret, "Mika", EVENING)
    assert (again.records, again.rejects, again.erased) == (first.records, 0, True)
    assert forget.erase_files(stage.b, EVENING)


@pytest.mark.parametrize(
    ("raw", "forgotten"),
    [
        (json.dumps({"q": WORDINGS[0], "a": SECRET}), True),
        (json.dumps({"q": "なぜミケは\n隠れる?", "a": "隣の「田中」さんが来るから。"}), True),
        (f'{WORDINGS[0].upper()},"{SECRET}",,', True),
        (json.dumps({"q": WORDINGS[0], "a": "Because of the rain."}), False),
        (SECRET, False),
    ],
)
def test_a_reject_is_emptied_when_it_holds_question_and_answer(home: Home, raw: str, forgotten: bool) -> None:
    told = [(WORDINGS[0], SECRET), ("なぜミケは 隠れる?", "隣の「田中」さんが来るから。")]
    with home.database.writing() as con:
        rejects_table.insert_rejects(con, [Reject("a.jsonl", 1, raw, "readers.no_shape")], "b", EVENING)
        assert rejects_table.forget(con, told, EVENING) == forgotten
        (kept,) = rejects_table.list_rejects(con, None)
    assert (kept.reject.raw == "", kept.state) == (forgotten, "forgotten" if forgotten else "open")
