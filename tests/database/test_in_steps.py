"""All records, some at a time, and a turn for others in between."""

from __future__ import annotations

from datetime import datetime

import pytest

from storage.home import Home
from storage.scale.pacing import read_in_batches
from storage.tables import records_table
from storage.tables import records_table as table_records_table


@pytest.mark.parametrize("step", [1, 3, 1_000])
def test_every_record_comes_once_and_in_order(home: Home, at: datetime, make_record, step: int) -> None:
    told = [make_record(f"q{number}") for number in range(10)]
    records_table.insert_paced(home.database, told, "b", at)
    for read in (records_table.eligible, table_records_table.index_rows):
        found = [getattr(one, "record", one).id for one in read_in_batches(home.database, read, step)]
        assert found == [one.record.id for one in told]
    lines = list(read_in_batches(home.database, records_table.data_lines, step))
    assert [line.split("\t")[0] for line in lines] == [one.record.id for one in told]


def test_who_writes_gets_a_turn_in_between(home: Home, at: datetime, make_record) -> None:
    records_table.insert_paced(home.database, [make_record(f"q{number}") for number in range(4)], "b", at)
    seen = []
    for one in read_in_batches(home.database, records_table.eligible, 2):
        seen.append(one.record.instruction)
        records_table.insert_paced(home.database, [make_record(f"later {one.record.instruction}")], "b", at)
    assert seen == ["q0", "q1", "q2", "q3"]  # and none of the later ones


def test_no_records_are_no_steps(home: Home) -> None:
    assert list(read_in_batches(home.database, records_table.eligible)) == []
