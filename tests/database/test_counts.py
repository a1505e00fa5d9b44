"""The counters say what there is, whatever is done to records and rejects; what is wrong is found and mended."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions.edit import edit_record, exclude_records, release_records
from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.maintenance import check, rebuild
from bonsai.actions.tag import tag_record
from bonsai.context import Bonsai
from bonsai.domain.reasons import Reason
from bonsai.domain.records import Status, Tag
from bonsai.queries.records import list_records
from storage.connect import Connection, Database
from storage.home import Home
from storage.migrate import bundled, migrate
from storage.scale import counters
from storage.sql import FEW_ROWS
from storage.tables import record_versions_table, records_table, rejects_table
from storage.tables.record_rows import NewRecord
from storage.tables.records_table import RecordFilter

WAITS = {
    "held_back": RecordFilter(status="held_back"),
    "contradictions": RecordFilter(status="held_back", reason="duplicates.contradiction"),
    "suspects": RecordFilter(status="suspect"),
    "uncertain": RecordFilter(uncertain=True),
}


ANSWERS = ("On the piano.", "In the box under the bed.", "Chicken.", "とり肉です。")


def require_right(con: Connection) -> None:
    assert counters.wrong(con) == ()
    standing = counters.record_counts(con)
    listed = {name: len(records_table.list_records(con, wanted)) for name, wanted in WAITS.items()}
    assert {name: getattr(standing, name) for name in WAITS} == listed


def tell(b: Bonsai, now: datetime, *pairs: tuple[str, str]) -> dict[str, str]:
    """Answer -> id."""
    for question, answer in pairs:
        submit(b, {"instruction": question, "output": answer, "subject": "Mike"}, now)
    drain_inbox(b, now)
    return {one.record.output: one.record.id for one in list_records(b, RecordFilter(), None)}


def test_whatever_people_do_is_counted(taught_home: Path, tmp_path: Path, at: datetime) -> None:
    b = bootstrap.open(Path(shutil.copytree(taught_home, tmp_path / "home")), {})
    told = tell(
        b,
        at,
        ("Where does Mike sleep at night?", ANSWERS[0]),
        ("Where does Mike sleep at night?", ANSWERS[1]),
        ("What does Mike eat in the morning?", ANSWERS[2]),
        ("ミケは何を食べますか?", ANSWERS[3]),
        ("This one has no answer", ""),
    )
    piano, box, chicken, toriniku = (told[one] for one in ANSWERS)
    later, fish = at + timedelta(hours=1), list[str]()
    chosen = {"language": "ja", "category": "closed_qa", "reasoning": None}
    acts: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: tag_record(b, piano, **chosen, by="A", now=later),
        lambda: release_records(b, [box], "A", later),
        lambda: exclude_records(b, [piano, box], "A", later),
        lambda: fish.append(edit_record(b, chicken, {"output": "Fish."}, "A", later)),
        lambda: edit_record(b, fish[0], {"output": "Chicken."}, "A", later),
        lambda: forget_records(b, [toriniku], "A", later),
        lambda: tell(b, later, ("What does Mike eat in the morning?", "Grass and leaves.")),
    )
    seen = []
    for act in acts:
        act()
        with b.database.reading() as con:
            require_right(con)
            seen.append((counters.by_status(con), counters.subjects(con, 5), rejects_table.count_open(con)))
    assert seen[0] == ({"active": 3, "held_back": 1}, {"Mike": 4}, 1)
    assert len({str(one) for one in seen}) > 4


@pytest.mark.parametrize("many", [3, FEW_ROWS + 5], ids=["by the index", "by one look at all"])
def test_nights_and_rejects_are_counted(
    home: Home, make_record: Callable[..., NewRecord], at: datetime, many: int
) -> None:
    new = [make_record(f"Question {number}?") for number in range(many)]
    held = make_record("Held?", status=Status.HELD_BACK, reason=Reason("duplicates.contradiction"))
    with home.database.writing() as con:
        records_table.insert_records(con, [*new, held, held], "batch", at)
        records_table.insert_records(con, new, "batch", at)  # again: nothing new
        record_versions_table.mark_suspects(con, [one.record.id for one in new[1:]], "night", at)
        unsure = replace(new[0].tags, category=Tag("uncategorised", "learned", 0.1, "2"))
        record_versions_table.retag(con, {new[0].record.id: unsure}, at)
        require_right(con)
        assert counters.record_counts(con).uncertain == 1
        assert counters.by_status(con) == {"active": 1, "held_back": 1, "suspect": many - 1}
        assert counters.coverage(con) == {("en", "uncategorised"): 1}


def test_wrong_counters_are_found_and_mended(home: Home, make_record: Callable[..., NewRecord], at: datetime) -> None:
    b = bootstrap.open(home.root, {})
    with home.database.writing() as con:
        records_table.insert_records(con, [make_record()], "batch", at)
        con.execute("UPDATE record_counts SET number = 7")
        con.execute("INSERT INTO subject_counts VALUES ('nobody', 1)")
    found = {one.name: one for one in check(b)}["database"]
    assert not found.ok
    assert "record_counts, subject_counts" in found.detail
    assert rebuild(b, at) == ("record_counts", "subject_counts")
    assert rebuild(b, at) == ()
    assert all(one.ok for one in check(b))
    with home.database.reading() as con:
        assert counters.subjects(con, 5) == {"Mike": 1}


def test_an_older_database_is_counted_when_it_is_brought_up(
    tmp_path: Path, home: Home, make_record: Callable[..., NewRecord], at: datetime
) -> None:
    uncertain = make_record("Unsure?", category="uncategorised")
    with home.database.writing() as con:
        records_table.insert_records(con, [make_record(), uncertain], "batch", at)
        held = [make_record("Held?", status=Status.HELD_BACK), make_record("ミケは?", language="ja", subject="")]
        records_table.insert_records(con, held, "batch", at)
        expected = counters.record_counts(con), counters.coverage(con), counters.subjects(con, 9)
        con.execute(f"COPY records TO '{tmp_path / 'records.parquet'}'")
    old = Database(tmp_path / "old.duckdb", 5, "200MB", 1)
    before = next(step.number for step in bundled() if step.name.endswith("_counts.sql"))
    migrate(old, "0.0", at, bundled()[: before - 1])
    with old.writing() as con:
        con.execute(f"INSERT INTO records BY NAME FROM '{tmp_path / 'records.parquet'}'")
    migrate(old, "0.1", at)
    with old.reading() as con:
        assert (counters.record_counts(con), counters.coverage(con), counters.subjects(con, 9)) == expected
        require_right(con)


def test_every_statement_that_changes_what_is_counted_is_counted() -> None:
    found = []
    for path in sorted(Path(str(resources.files("storage"))).rglob("*.py")):
        for part in re.split(r"\n(?=def |class |@)", path.read_text("utf-8")):
            if re.search(r"(UPDATE|INSERT INTO|INSERT OR IGNORE INTO|DELETE FROM) (records|rejects)\b", part):
                found.append((path.name, "counting(" in part or "count_new(" in part))
    assert len(found) >= 7
    assert [name for name, counted in found if not counted] == []
