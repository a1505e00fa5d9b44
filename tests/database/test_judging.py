"""The judge that knows every record, and the one that knows the neighbours alone: they find the same."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bonsai import bootstrap, samples
from bonsai.actions import import_file as import_file_action
from bonsai.actions import screening
from bonsai.actions.edit import edit_record
from bonsai.actions.forget import forget_records
from bonsai.actions.import_file import import_file
from bonsai.actions.screening import screener_for, screener_of_all, screener_of_neighbours
from bonsai.context import Bonsai
from bonsai.domain.records import LIMITS, Defaults, Origin, Record, parse
from bonsai.queries.records import list_records
from storage.tables.record_rows import NewRecord
from storage.tables.records_table import RecordFilter

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def b(taught_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Bonsai:
    """A home with the bundled records, one of them forgotten, one edited."""
    opened = bootstrap.open(Path(shutil.copytree(taught_home, tmp_path_factory.mktemp("judged") / "home")), {})
    import_file(opened, samples.sample_path("experience.jsonl"), now=NOW)
    forgotten, edited = (one.id for one in stored(opened)[:2])
    forget_records(opened, [forgotten], "mika", NOW)
    edit_record(opened, edited, {"output": "Nobody knows."}, "mika", NOW)
    return opened


def stored(b: Bonsai) -> list[Record]:
    return [one.record for one in list_records(b, RecordFilter(), None)]


def record(question: str, answer: str) -> Record:
    """As somebody tells it."""
    made = parse({"instruction": question, "output": answer}, Origin("told"), Defaults(source="self"), LIMITS)
    assert isinstance(made, Record)
    return made


def findings(made: tuple[list[NewRecord], int]) -> tuple[list[tuple[str, str, str, str]], int]:
    """What a judge said of each."""
    new, exact = made
    return [(one.record.id, one.status, one.reason.key if one.reason else "", one.near_of) for one in new], exact


def test_both_find_the_same(b: Bonsai) -> None:
    known = stored(b)
    some = [one for one in known[2:] if "?" in one.instruction and not one.input][:24]
    again = [
        *known[:4],  # an earlier version among them
        *(record(one.instruction, "Quite otherwise.") for one in some[:12]),
        *(record(one.instruction.replace("?", " please?"), one.output) for one in some[12:]),
    ]
    by_all = screener_of_all(b).judge(again, "person")
    by_neighbours = screener_of_neighbours(b, again).judge(again, "person")
    assert findings(by_all) == findings(by_neighbours)
    # Or they agree on nothing:
    assert {one.reason.key for one in by_all[0] if one.reason} >= {"duplicates.contradiction"}
    assert any(one.near_of for one in by_all[0])
    assert by_all[1] == 4


def test_a_few_records_need_no_look_at_all_of_them(b: Bonsai, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Bonsai) -> None:
        raise AssertionError("every record was read")

    monkeypatch.setattr(screening, "screener_of_all", refuse)
    monkeypatch.setattr(screening, "STORED_A_RECORD", len(stored(b)) - 1)
    brush = record("Where is the brush?", "On the shelf.")
    (made,), _ = screener_for(b, [brush]).judge([brush], "person")
    assert made.record.output == "On the shelf."


def test_every_chunk_meets_its_own_neighbours(
    taught_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk of many rejects has few records: its judge knows nothing of what the next one asks."""
    monkeypatch.setattr(screening, "STORED_A_RECORD", 0)
    monkeypatch.setattr(import_file_action, "CHUNK", 1)
    b = bootstrap.open(Path(shutil.copytree(taught_home, tmp_path / "home")), {})
    for answers in (("on the sofa", "blue"), ("in the box", "red")):
        asked = (
            ("Where does Mike sleep?", f"Mike sleeps {answers[0]}."),
            ("Which colour is the bowl?", f"It is {answers[1]}."),
        )
        path = tmp_path / f"{answers[1]}.jsonl"
        path.write_text("".join(json.dumps({"instruction": q, "output": a}) + "\n" for q, a in asked), "utf-8")
        import_file(b, path, now=NOW)
    held = list_records(b, RecordFilter(reason="duplicates.contradiction"), None)
    assert [one.record.output for one in held] == ["Mike sleeps in the box.", "It is red."]
