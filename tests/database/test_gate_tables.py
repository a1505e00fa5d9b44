"""What the gate remembers: openings and dealings of the pools, and every change of the personal evaluation set."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from storage.check import check
from storage.home import Home
from storage.tables import holdout_access_table, personal_set_table
from storage.tables.personal_set_table import PersonalItem

POOL = "v2/confirmation"


def item(number: int, at: datetime, answer: str = "tuna") -> PersonalItem:
    return PersonalItem(f"written/{number}", f"fact-{number}", {"reference": answer}, (), at)


def test_a_new_dealing_begins_a_new_count(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        for night in ("n1", "n2"):
            holdout_access_table.record_access(con, POOL, night, at)
            assert not holdout_access_table.rotate_when_due(con, POOL, night, 3, at)
        holdout_access_table.record_access(con, POOL, "n3", at)
        assert holdout_access_table.rotate_when_due(con, POOL, "n3", 3, at)
        assert not holdout_access_table.rotate_when_due(con, POOL, "n3", 3, at), "once, however often it is asked"
        assert holdout_access_table.rotation(con) == 1
        assert holdout_access_table.record_access(con, POOL, "n4", at, dealing=1) == 1
        assert holdout_access_table.accesses(con, POOL) == 3
        (told,) = holdout_access_table.rotations(con)
        assert (told.number, told.night, told.accesses, told.rotated_at) == (1, "n3", 3, at)


def test_the_version_is_of_what_judges_now(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        assert personal_set_table.version(con) == ""
        personal_set_table.add(con, [item(1, at), item(2, at)], "Chris")
        both = personal_set_table.version(con)
        personal_set_table.retire(con, ["written/1"], "too easy", at, "Chris")
        assert personal_set_table.version(con) not in ("", both)
        assert personal_set_table.add(con, [item(1, at)], "Chris") == 1, "a retired question may judge again"
        assert personal_set_table.version(con) == both
        assert personal_set_table.add(con, [item(1, at)], "Chris") == 0
        assert personal_set_table.add(con, [item(1, at, "salmon")], "Mika") == 1, "and may get another answer"
        assert personal_set_table.version(con) != both


def test_every_change_of_the_personal_set_is_kept(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        personal_set_table.freeze(con, [replace(item(1, at), id="own/1", record_ids=("r1",))])
        personal_set_table.add(con, [item(2, at), item(3, at)], "Chris")
        personal_set_table.retire(con, ["written/3", "written/9"], "too easy", at, "Chris")
        personal_set_table.forget(con, ["r1"], at)
        told = [(one.number, one.action, one.item_id, one.who, one.reason) for one in personal_set_table.changes(con)]
        assert told == [
            (1, "frozen", "own/1", "night", ""),
            (2, "added", "written/2", "Chris", ""),
            (3, "added", "written/3", "Chris", ""),
            (4, "retired", "written/3", "Chris", "too easy"),
            (5, "forgotten", "own/1", "night", "forgotten"),
        ]
        assert personal_set_table.changes(con)[-1].version == personal_set_table.version(con)


COLUMNS = "cluster, item, record_ids, frozen_at, retired_at, retired_because"
BY_HAND = {
    "another answer": 'UPDATE suite_items SET item = \'{"reference": "salmon"}\'',
    "a question less": "DELETE FROM suite_items",
    "a question more": f"INSERT INTO suite_items SELECT 'x', {COLUMNS} FROM suite_items",
}


@pytest.mark.parametrize("statement", BY_HAND.values(), ids=BY_HAND)
def test_a_personal_set_that_was_altered_by_hand_is_found(home: Home, at: datetime, statement: str) -> None:
    with home.database.writing() as con:
        personal_set_table.add(con, [item(1, at)], "Chris")
        assert check(con) == ()
        con.execute(statement)
        (problem,) = check(con)
        assert problem.key == "storage.suite_altered"
        assert problem.render("ja") != problem.render("en")
