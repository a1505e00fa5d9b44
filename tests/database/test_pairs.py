"""Pairs below the pages: whom a reason names, what a repeated correction does, what nobody decides twice."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from bonsai import curating, pipeline, views, wiring
from bonsai.errors import ConflictError, UsageError
from bonsai.pipeline import Bonsai
from bonsai.records import Status
from storage import pairs_table, records_table
from storage.artifacts import Home
from storage.record_rows import Reason

WHERE = "Where does Mike sleep?"


@pytest.fixture
def b(taught_home: Path, tmp_path: Path) -> Bonsai:
    return wiring.open(Path(shutil.copytree(taught_home, tmp_path / "home")), {})


def tell(b: Bonsai, answer: str, at: datetime, source: str = "self") -> str:
    pipeline.submit(b, {"instruction": WHERE, "output": answer, "source": source}, at)
    pipeline.drain_inbox(b, at)
    return next(
        one.record.id for one in views.list_records(b, views.RecordFilter(), None) if one.record.output == answer
    )


def status(b: Bonsai, record_id: str) -> Status:
    return views.show_record(b, record_id).stored.status


def test_a_correction_that_repeats_what_is_held_back_releases_it(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    assert status(b, box) is Status.HELD_BACK
    tell(b, "In the box.", at, source="feedback")
    assert (status(b, box), status(b, sofa)) == (Status.ACTIVE, Status.HELD_BACK)
    tell(b, "On the sofa.", at, source="feedback")  # and back: the last word counts
    assert (status(b, box), status(b, sofa)) == (Status.HELD_BACK, Status.ACTIVE)
    [found] = curating.waiting_pairs(b, "overruled", 9)
    assert (found.stored.record.id, [one.record.id for one in found.others]) == (box, [sofa])


def test_a_correction_brings_nothing_back_that_a_person_excluded(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    pipeline.resolve_pair(b, box, "other", "mika", at)
    tell(b, "In the box.", at, source="feedback")
    assert (status(b, box), status(b, sofa)) == (Status.EXCLUDED, Status.ACTIVE)
    reason = views.show_record(b, box).stored.reason
    assert reason is not None
    assert (reason.key, dict(reason.values)["id"]) == ("duplicates.kept_other", sofa[:12])


def test_a_pair_is_decided_once(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    with pytest.raises(UsageError):
        pipeline.resolve_pair(b, box, "neither", "mika", at)
    with pytest.raises(ConflictError):
        pipeline.resolve_pair(b, box, "this", "mika", at, seen=[box])
    with pytest.raises(ConflictError):
        pipeline.resolve_pair(b, sofa, "this", "mika", at)
    done = pipeline.resolve_pair(b, box, "this", "mika", at, seen=[sofa])
    assert (done.kept, done.excluded) == ((box,), (sofa,))
    with b.database.reading() as con:
        assert con.execute("SELECT record_id, other_id, kept, decided_by FROM settled_pairs").fetchall() == [
            (box, sofa, "this", "mika")
        ]


def test_reasons_of_an_older_bonsai_name_records_by_the_beginnings_of_ids(
    home: Home, at: datetime, make_record
) -> None:  # type: ignore[no-untyped-def]
    active = make_record("Where?", "Here.")
    reason = Reason("duplicates.contradiction", (("records", active.record.id[:12]),))
    held = make_record("Where?", "There.", status=Status.HELD_BACK, reason=reason)
    leaking = make_record("Why?", status=Status.HELD_BACK, reason=Reason("duplicates.leak", (("items", "x"),)))
    with home.database.writing() as con:
        records_table.insert_records(con, [active, held, leaking], "", at)
    with home.database.reading() as con:
        assert pairs_table.counts(con) == {"contradiction": 1, "overruled": 0, "leak": 1, "suspect": 0, "near": 0}
        [found] = pairs_table.page(con, "contradiction", 9)
        assert [one.record.id for one in found.others] == [active.record.id]
        assert pairs_table.page(con, "contradiction", 9, before=held.record.id) == []
        assert pairs_table.waiting(con, active.record.id) is None
        assert [one.others for one in pairs_table.page(con, "leak", 9)] == [()]
