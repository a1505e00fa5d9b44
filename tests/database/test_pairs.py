"""Pairs below the pages: whom a reason names, what a repeated correction does, what nobody decides twice."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions.edit import exclude_records, release_records
from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.resolve import reopen_pair, resolve_pair
from bonsai.context import Bonsai
from bonsai.domain.reasons import Reason
from bonsai.domain.records import Status
from bonsai.errors import ConflictError, UsageError
from bonsai.queries.records import decided_pairs, list_records, pair_counts, show_record, waiting_pairs
from storage.home import Home
from storage.tables import record_versions_table, records_table, settled_pairs_table
from storage.tables.records_table import RecordFilter

WHERE = "Where does Mike sleep?"


@pytest.fixture
def b(taught_home: Path, tmp_path: Path) -> Bonsai:
    return bootstrap.open(Path(shutil.copytree(taught_home, tmp_path / "home")), {})


def tell(b: Bonsai, answer: str, at: datetime, source: str = "self") -> str:
    submit(b, {"instruction": WHERE, "output": answer, "source": source}, at)
    drain_inbox(b, at)
    return next(one.record.id for one in list_records(b, RecordFilter(), None) if one.record.output == answer)


def status(b: Bonsai, record_id: str) -> Status:
    return show_record(b, record_id).stored.status


def test_a_correction_that_repeats_what_is_held_back_releases_it(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    assert status(b, box) is Status.HELD_BACK
    tell(b, "In the box.", at, source="feedback")
    assert (status(b, box), status(b, sofa)) == (Status.ACTIVE, Status.HELD_BACK)
    tell(b, "On the sofa.", at, source="feedback")  # and back: the last word counts
    assert (status(b, box), status(b, sofa)) == (Status.HELD_BACK, Status.ACTIVE)
    [found] = waiting_pairs(b, "overruled", 9)
    assert (found.stored.record.id, [one.record.id for one in found.others]) == (box, [sofa])


def test_a_correction_brings_nothing_back_that_a_person_excluded(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    resolve_pair(b, box, "other", "mika", at)
    tell(b, "In the box.", at, source="feedback")
    assert (status(b, box), status(b, sofa)) == (Status.EXCLUDED, Status.ACTIVE)
    reason = show_record(b, box).stored.reason
    assert reason is not None
    assert (reason.key, dict(reason.values)["id"]) == ("duplicates.kept_other", sofa[:12])


def test_a_pair_is_decided_once(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    with pytest.raises(UsageError):
        resolve_pair(b, box, "neither", "mika", at)
    with pytest.raises(ConflictError):
        resolve_pair(b, box, "this", "mika", at, seen=[box])
    with pytest.raises(ConflictError):
        resolve_pair(b, sofa, "this", "mika", at)
    done = resolve_pair(b, box, "this", "mika", at, seen=[sofa])
    assert (done.kept, done.excluded) == ((box,), (sofa,))
    with b.database.reading() as con:
        assert con.execute("SELECT record_id, other_id, kept, decided_by FROM settled_pairs").fetchall() == [
            (box, sofa, "this", "mika")
        ]


def test_a_decision_taken_back_leaves_everything_as_it_was(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    before = [show_record(b, one).stored for one in (sofa, box)]
    for hour, keep in enumerate(("this", "other", "both")):
        resolve_pair(b, box, keep, "mika", at + timedelta(hours=hour))
        reopen_pair(b, box, "joe", at + timedelta(hours=hour))
        after = [show_record(b, one).stored for one in (sofa, box)]
        assert [one.status for one in after] == [one.status for one in before]
        assert after[1].reason == before[1].reason
        [waiting] = waiting_pairs(b, "contradiction", 9)
        assert (waiting.stored.record.id, waiting.others[0].record.id) == (box, sofa)
    told = [(one.decision.kept, one.decision.taken_back_by, one.reopens) for one in decided_pairs(b, 9)]
    assert told == [("both", "joe", False), ("other", "joe", False), ("this", "joe", False)]
    newest = decided_pairs(b, 1)[0].decision.number
    assert [one.decision.kept for one in decided_pairs(b, 9, before=newest)] == ["other", "this"]


def test_what_trained_before_counts_as_released_so_that_no_night_misses_it(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    resolve_pair(b, box, "this", "mika", at)
    reopen_pair(b, box, "joe", at + timedelta(hours=1))
    with b.database.reading() as con:
        assert record_versions_table.released_since(con, at) == [sofa]


def test_nothing_is_taken_back_over_what_somebody_did_since(b: Bonsai, at: datetime) -> None:
    sofa, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    with pytest.raises(ConflictError, match="There is no decision"):
        reopen_pair(b, box, "mika", at)
    resolve_pair(b, box, "this", "mika", at)
    release_records(b, [sofa], "joe", at)
    with pytest.raises(ConflictError, match="changed since"):
        reopen_pair(b, box, "mika", at)
    assert (status(b, sofa), status(b, box)) == (Status.ACTIVE, Status.ACTIVE)
    exclude_records(b, [sofa], "joe", at)
    forget_records(b, [box], "joe", at)
    with pytest.raises(ConflictError, match="changed since"):
        reopen_pair(b, box, "mika", at)
    assert status(b, box) is Status.FORGOTTEN


def test_a_near_duplicate_taken_back_waits_again(b: Bonsai, at: datetime) -> None:
    for answer in ("Tuna from the can.", "Tuna from the can!"):
        submit(b, {"instruction": f"What does the cat Tama eat{answer[-1]}", "output": answer}, at)
        drain_inbox(b, at)
    [near] = waiting_pairs(b, "near", 9)
    resolve_pair(b, near.stored.record.id, "both", "mika", at)
    assert pair_counts(b)["near"] == 0
    assert reopen_pair(b, near.stored.record.id, "mika", at) == ()
    assert pair_counts(b)["near"] == 1


def test_what_an_older_bonsai_decided_is_not_taken_back(b: Bonsai, at: datetime) -> None:
    _, box = tell(b, "On the sofa.", at), tell(b, "In the box.", at)
    resolve_pair(b, box, "this", "mika", at)
    with b.database.writing() as con:
        con.execute("UPDATE settled_pairs SET changed = NULL")
    with pytest.raises(ConflictError, match="There is no decision"):
        reopen_pair(b, box, "mika", at)
    assert not decided_pairs(b, 9)[0].reopens


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
        assert settled_pairs_table.counts(con) == {
            "contradiction": 1,
            "overruled": 0,
            "leak": 1,
            "suspect": 0,
            "near": 0,
        }
        [found] = settled_pairs_table.page(con, "contradiction", 9)
        assert [one.record.id for one in found.others] == [active.record.id]
        assert settled_pairs_table.page(con, "contradiction", 9, before=held.record.id) == []
        assert settled_pairs_table.waiting(con, active.record.id) is None
        assert [one.others for one in settled_pairs_table.page(con, "leak", 9)] == [()]
