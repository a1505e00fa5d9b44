"""Intake on a real database: what is held back, what gives way, and that a repetition finds the same."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions import import_file as import_file_action
from bonsai.actions import screening
from bonsai.actions.edit import release_records
from bonsai.actions.forget import forget_records
from bonsai.actions.import_file import import_file
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.learned_tagger import category_tagger
from bonsai.actions.uploads import check_uploads, receive_upload
from bonsai.context import Bonsai
from bonsai.domain.records import Status
from bonsai.evaluate import questions
from bonsai.queries import file_preview
from bonsai.queries.records import list_records, submission_status
from bonsai.system.progress import Progress
from storage import inbox, uploads
from storage.tables.record_rows import StoredRecord
from storage.tables.records_table import RecordFilter

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
WHERE = "Where does Mike sleep?"


@pytest.fixture(scope="module")
def with_tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home to copy, its category tagger learned already: that takes a second."""
    home = tmp_path_factory.mktemp("template") / "home"
    bootstrap.init(home, "en", NOW, {})
    category_tagger(bootstrap.open(home, {}))
    return home


@pytest.fixture(params=["knows all records", "knows the neighbours"])
def b(with_tagger: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bonsai:
    """Judged by either judge, which in so small a home would be the first."""
    if request.param == "knows the neighbours":
        monkeypatch.setattr(screening, "STORED_A_RECORD", 0)
    return bootstrap.open(Path(shutil.copytree(with_tagger, tmp_path / "home")), {})


def tell(b: Bonsai, question: str, answer: str, source: str = "self") -> None:
    submit(b, {"instruction": question, "output": answer, "source": source}, NOW)


def drain(b: Bonsai) -> dict[str, StoredRecord]:
    """All records by their answers."""
    drain_inbox(b, NOW)
    return {one.record.output: one for one in list_records(b, RecordFilter(), None)}


def test_what_is_told_goes_before_the_rest_of_a_file(
    b: Bonsai, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_file_action, "CHUNK", 2)
    later = NOW + timedelta(minutes=1)
    told = {"instruction": "Who knocked?", "output": "Tama, at the window."}
    rows = [("Who eats?", "Mike."), ("Who hides?", "Sora."), ("Who sleeps?", "Kuro."), ("Who sings?", "Mimi.")]
    rows.append((told["instruction"], told["output"]))
    file = tmp_path / "cats.jsonl"
    file.write_text("".join(json.dumps({"instruction": q, "output": a}) + "\n" for q, a in rows), "utf-8")
    inbox.submit_file(b.places.inbox, file, NOW)
    seen: list[list[str]] = []
    submissions: list[str] = []

    def report(progress: Progress) -> None:
        if progress.done == 2 and not submissions:
            submissions.append(submit(b, told, later))
        seen.append([one.state for one in submission_status(b, submissions)])

    drained = drain_inbox(b, NOW, report)
    assert seen[:2] == [["waiting"], ["stored"]]
    assert (drained.files, drained.counts.new, drained.counts.duplicate) == (2, 5, 1)
    [stored] = list_records(b, RecordFilter(text="knocked"), None)
    assert (stored.created_at, stored.record.source) == (later, "self")


def test_what_is_told_goes_before_a_look_at_the_next_upload(b: Bonsai, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_preview, "CALLBACK_INTERVAL", 2)
    for _ in range(2):
        place = uploads.start(b.places.uploads)
        (place / "arrived").write_text("question,answer\n" + "".join(f"Who {n}?,Tama.\n" for n in range(5)), "utf-8")
        receive_upload(b, place, place / "arrived", "cats.csv", "mika", NOW)
    calls: list[int] = []

    def meanwhile() -> None:
        calls.append(sum(one.state == "checked" for one in uploads.listed(b.places.uploads)))

    check_uploads(b, meanwhile)
    assert calls == [0, 0, 1, 1, 1, 2]  # twice within each file, once after it


@pytest.mark.parametrize("at_once", [True, False])
def test_a_correction_trains_and_what_it_corrects_is_held_back(b: Bonsai, at_once: bool) -> None:
    tell(b, WHERE, "Mike sleeps on the sofa.")
    if not at_once:
        drain(b)
    tell(b, WHERE, "Mike sleeps in the box.", source="feedback")
    found = drain(b)
    new, old = found["Mike sleeps in the box."], found["Mike sleeps on the sofa."]
    assert (new.status, old.status) == (Status.ACTIVE, Status.HELD_BACK)
    assert old.reason is not None
    assert (old.reason.key, dict(old.reason.values)["id"]) == ("duplicates.overruled", new.record.id[:12])
    release_records(b, [old.record.id], "Mika", NOW)
    assert drain(b)["Mike sleeps on the sofa."].status is Status.ACTIVE


def test_the_newest_correction_has_the_last_word(b: Bonsai) -> None:
    for place in ("on the sofa", "in the box", "under the bed"):
        tell(b, WHERE, f"Mike sleeps {place}.", source="feedback")
        found = drain(b)
    assert [one.record.output for one in found.values() if one.status is Status.ACTIVE] == [
        "Mike sleeps under the bed."
    ]


def test_what_contradicts_without_being_a_correction_is_held_back_itself(b: Bonsai) -> None:
    tell(b, WHERE, "Mike sleeps on the sofa.")
    tell(b, WHERE, "Mike sleeps in the box.")
    found = drain(b)
    assert found["Mike sleeps on the sofa."].status is Status.ACTIVE
    assert found["Mike sleeps in the box."].status is Status.HELD_BACK


def test_what_was_forgotten_is_no_reason_to_hold_anything_back(b: Bonsai, tmp_path: Path) -> None:
    tell(b, WHERE, "Mike sleeps on the sofa.")
    forget_records(b, [drain(b)["Mike sleeps on the sofa."].record.id], "Mika", NOW)
    both = tmp_path / "both.csv"
    both.write_text(f"question,answer\n{WHERE},Mike sleeps on the sofa.\n{WHERE},Mike sleeps in the box.\n", "utf-8")
    counts = import_file(b, both, now=NOW)
    assert (counts.read, counts.new, counts.duplicate, counts.held_back) == (2, 1, 1, 0)


@pytest.mark.parametrize("at_once", [True, False])
def test_contamination_is_no_reason_for_a_flag(b: Bonsai, at_once: bool) -> None:
    item = next(one for one in questions.load("selection") if one.domain == "cat_care" and not one.input)
    tell(b, item.instruction, item.reference, source="community")
    if not at_once:
        drain(b)
    tell(b, f"Please: {item.instruction}", item.reference, source="self")
    drain(b)
    leaking, own = list_records(b, RecordFilter(), None)
    assert (leaking.status, own.status) == (Status.HELD_BACK, Status.ACTIVE)
    assert own.near_of == ""
