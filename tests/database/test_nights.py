"""Nights, adapters, snapshots, openings, rejects, imports: each written once, found again as it was."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bonsai.domain.records import Reject, TableForm
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.errors import UnknownId
from bonsai.gate.decision import Decision
from bonsai.system import locks
from storage import check, forgetting
from storage.connect import Connection
from storage.home import Home
from storage.tables import (
    adapters_table,
    holdout_access_table,
    imports_table,
    nights_table,
    personal_set_table,
    promotions_table,
    records_table,
    rejects_table,
    settings_table,
    snapshots_table,
)
from storage.tables.adapters_table import Adapter
from storage.tables.imports_table import Import
from storage.tables.nights_table import Outcome, Start
from storage.tables.personal_set_table import PersonalItem

ROOT = Path(__file__).parents[2]


def example(record_id: str, role: str = "own") -> Example:
    return Example(record_id, role, "q", "", "r", "open_qa", "en", "a")  # type: ignore[arg-type]


def snapshot(name: str, *own: str) -> Snapshot:
    train = (*(example(one) for one in own), example("anchor", "anchor"))
    return Snapshot(name, name * 8, f"snapshots/{name}", train, (), 3)


def adapter(name: str, snapshot_id: str, at: datetime, parent: str = "") -> Adapter:
    return Adapter(name, "seedling", snapshot_id, f"adapters/{name}", {"seed": 3, "名": "前"}, at, parent)


def dead_process() -> str:
    code = "from bonsai.system.locks import process_name; print(process_name())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_night_runs_once(home: Home, at: datetime) -> None:
    mine, later = locks.process_name(), at + timedelta(hours=1)
    outcome = Outcome(
        "done", "keep", ({"key": "harm", "loss": 0.2},), "s1", "a2", "a1", {"score": {"ja": 0.5}}, "0" * 64
    )
    with home.database.writing() as con:
        assert nights_table.begin(con, "2026-11-21-abc", mine, at) is Start.BEGUN
        assert Start.BEGUN.may_run
        nights_table.finish(con, "2026-11-21-abc", outcome, later)
        assert nights_table.begin(con, "2026-11-21-abc", mine, later) is Start.ALREADY_FINISHED
        assert not Start.ALREADY_FINISHED.may_run
        night = nights_table.get(con, "2026-11-21-abc")
    assert night.outcome == outcome
    assert (night.started_at, night.finished_at, night.attempts) == (at, later, 1)


def test_a_night_whose_process_lives_is_left_alone(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        nights_table.begin(con, "n", "another-host:17:4711", at)
        assert nights_table.begin(con, "n", locks.process_name(), at) is Start.ALREADY_RUNNING
        assert not Start.ALREADY_RUNNING.may_run


def test_a_night_whose_process_died_or_failed_is_taken_over(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        nights_table.begin(con, "n", dead_process(), at)
        assert nights_table.begin(con, "n", locks.process_name(), at) is Start.TAKEN_OVER
        nights_table.finish(con, "n", Outcome("failed"), at)
        assert nights_table.begin(con, "n", locks.process_name(), at) is Start.TAKEN_OVER
        assert Start.TAKEN_OVER.may_run
        night = nights_table.get(con, "n")
        assert (night.attempts, night.outcome.status, night.finished_at) == (3, "running", None)


def test_the_newest_trained_night_is_found_beneath_idle_ones(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        assert nights_table.latest_trained(con) is None
        for day, status, challenger in (
            (0, "done", "a1"),
            (1, "done", "a2"),
            (2, "nothing_to_do", ""),
            (3, "failed", ""),
        ):
            when = at + timedelta(days=day)
            nights_table.begin(con, f"n{day}", "h:1:1", when)
            nights_table.finish(con, f"n{day}", Outcome(status, challenger=challenger), when)  # type: ignore[arg-type]
        latest = nights_table.latest_trained(con)
        assert latest is not None
        assert latest.key == "n1"
        assert [night.key for night in nights_table.list_nights(con, 2)] == ["n3", "n2"]
        with pytest.raises(UnknownId):
            nights_table.finish(con, "n9", Outcome("done"), at)


def test_snapshots_and_adapters_come_back_equal_and_once(home: Home, at: datetime) -> None:
    made = adapter("a1", "s1", at)
    with home.database.writing() as con:
        assert snapshots_table.latest(con) is None
        assert snapshots_table.add(con, snapshot("s1", "r1", "r2"), at)
        assert not snapshots_table.add(con, snapshot("s1", "r1", "r2"), at)
        adapters_table.add(con, made)
        adapters_table.add(con, replace(made, folder="elsewhere"))
        stored = snapshots_table.get(con, "s1")
        assert (stored.own_records, stored.anchors, stored.seed, stored.created_at) == (2, 1, 3, at)
        assert snapshots_table.latest(con) == stored
        assert snapshots_table.record_ids(con, "s1") == {"r1", "r2"}
        assert adapters_table.get(con, "a1") == made
        assert adapters_table.list_adapters(con) == [made]
        for get in (snapshots_table.get, adapters_table.get):
            with pytest.raises(UnknownId):
                get(con, "nothing")


def test_forgetting_names_every_adapter_that_learned_from_it(home: Home, at: datetime, make_record) -> None:
    gone, kept = make_record("gone"), make_record("kept")
    with home.database.writing() as con:
        records_table.insert_records(con, [gone, kept], "b", at)
        snapshots_table.add(con, snapshot("s1", gone.record.id), at)
        snapshots_table.add(con, snapshot("s2", kept.record.id), at)
        for name, source, parent in (("a1", "s1", ""), ("a2", "s2", "a1"), ("a3", "s2", "a2"), ("cold", "s2", "")):
            adapters_table.add(con, adapter(name, source, at, parent))
        assert not settings_table.cold_night_due(con)
        forgotten = forgetting.forget(con, gone.record.id[:12], "mika", at)
        assert forgotten.adapters == ("a1", "a2", "a3")
        assert forgotten.snapshots == ("s1",)
        assert settings_table.cold_night_due(con)
        settings_table.put(con, settings_table.COLD_NIGHT_DUE, False, at)
        assert not settings_table.cold_night_due(con)
        assert not forgetting.finish_cold_night(con, "a3", at)  # forgotten while it trained
        assert settings_table.cold_night_due(con)
        assert forgetting.finish_cold_night(con, "cold", at)
        assert not settings_table.cold_night_due(con)
        marked = {one.id for one in adapters_table.list_adapters(con) if one.needs_retrain}
        assert marked == {"a1", "a2", "a3"}
        assert adapters_table.records_of(con, ["a3"]) == {gone.record.id, kept.record.id}


def test_an_item_that_was_trained_after_all_is_named(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        snapshots_table.add(con, snapshot("s1", "r1"), at)
        adapters_table.add(con, adapter("a1", "s1", at))
        personal_set_table.freeze(con, [PersonalItem(f"i{n}", "c", {}, (f"r{n}",), at) for n in (1, 2)])
        assert personal_set_table.trained_items(con, ["a1"]) == {"i1"}
        assert personal_set_table.trained_items(con, []) == frozenset()


def test_a_look_into_the_confirmation_pool_counts_once_a_night(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        seen = [holdout_access_table.record_access(con, "v1", night, at) for night in ("n1", "n1", "n2")]
        assert seen == [1, 1, 2]
        assert (holdout_access_table.accesses(con, "v1"), holdout_access_table.accesses(con, "v2")) == (2, 0)


def test_a_reject_is_kept_whole_once_and_can_be_mended(home: Home, at: datetime) -> None:
    rejects = [
        Reject("messy.jsonl", 3, '{"instruction": ', "records.not_json", (("detail", "end"),)),
        Reject("messy.jsonl", 9, "\udc82\x00 torn 猫", "records.not_utf8"),
        Reject("messy.csv", 2, "a,b", "readers.wrong_cells", (), TableForm(("質問", "answer", ""), ",")),
    ]
    with home.database.writing() as con:
        assert rejects_table.insert_rejects(con, rejects + rejects, "b", at) == 3
        assert rejects_table.insert_rejects(con, rejects, "b2", at) == 0
        assert rejects_table.insert_rejects(con, [], "b", at) == 0
        row, first, second = rejects_table.list_rejects(con)
        assert (row.reject, first.reject) == (rejects[2], rejects[0])
        assert (second.reject.line, second.reject.raw) == (9, "\\udc82\x00 torn 猫")
        assert rejects_table.settle(con, first.id, "mended", "Mika", "", at)
        assert not rejects_table.settle(con, first.id, "dismissed", "Chris", "too late", at)
        assert rejects_table.count_open(con) == 2
        settled = rejects_table.get(con, first.id[:16])
        assert (settled.state, settled.settled_by, settled.settled_why) == ("mended", "Mika", "")
        assert len(rejects_table.list_rejects(con, None)) == 3
        with pytest.raises(UnknownId):
            rejects_table.get(con, "nothing")


def test_an_import_repeated_is_one_import(home: Home, at: datetime) -> None:
    done = Import("b1", "cats.jsonl", "ab" * 32, 10, 5, 2, 1, 2, at)
    with home.database.writing() as con:
        imports_table.record_import(con, done)
        imports_table.record_import(con, done)
        assert imports_table.list_imports(con) == [done]


def sound_home(con: Connection, at: datetime) -> None:
    snapshots_table.add(con, snapshot("s1", "r1"), at)
    adapters_table.add(con, adapter("a1", "s1", at))
    promotions_table.propose(
        con, "a1", "n1", "base", Decision("promote", (), (), harm=False, confirmation_opened=False), {}, at
    )
    promotions_table.approve(con, "a1", "gate", "", at)


def test_a_sound_database_has_no_problem(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        sound_home(con, at)
        assert check.check(con) == ()


DAMAGE = {
    "storage.orphan_adapter": "DELETE FROM snapshots; DELETE FROM snapshot_records",
    "storage.orphan_lineage": "DELETE FROM snapshots; DELETE FROM adapters; DELETE FROM promotions",
    "storage.orphan_promotion": "DELETE FROM adapters",
    "storage.orphan_champion": "DELETE FROM promotions",
    "storage.champion_state": "UPDATE promotions SET state = 'waiting'",
    "storage.import_sums": "INSERT INTO imports VALUES ('b', 'f', 's', 9, 1, 1, 1, 1, TIMESTAMP '2026-01-01')",
    "storage.pointer_differs": "UPDATE champion SET version = 7",
    "promotion.chain_broken": "UPDATE promotion_log SET who = 'nobody'",
    "storage.older_home": "DELETE FROM migrations WHERE number = 3",
    "storage.newer_home": "INSERT INTO migrations VALUES (99, 'x', '', '9', TIMESTAMP '2030-01-01')",
    "storage.edited_migration": "UPDATE migrations SET sha256 = 'x' WHERE number = 2",
}


@pytest.mark.parametrize(("key", "statement"), DAMAGE.items(), ids=DAMAGE.keys())
def test_every_damage_is_named(home: Home, at: datetime, key: str, statement: str) -> None:
    with home.database.writing() as con:
        sound_home(con, at)
        con.execute(statement)
        problems = check.check(con)
    assert key in [problem.key for problem in problems]
    assert all(len(problem.render(language)) > 10 for problem in problems for language in ("en", "ja"))
