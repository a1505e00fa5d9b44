"""Uploads on the disk: each file is written once, so whenever the power goes, nothing is half there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions.uploads import cancel_upload, check_upload, confirm_upload, import_uploads, receive_upload
from bonsai.context import Bonsai
from bonsai.errors import UnknownId, UsageError
from storage import uploads
from storage.home import Home

DAY = timedelta(days=1)


@pytest.fixture
def b(home: Home) -> Bonsai:
    return bootstrap.open(home.root, {})


@pytest.fixture
def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def arrived(folder: Path, content: str = "question,answer\nWho?,Tama.\n") -> tuple[Path, Path]:
    place = uploads.start(folder)
    data = place / "arrived"
    data.write_text(content, "utf-8")
    return place, data


def upload(b: Bonsai, at: datetime) -> uploads.Upload:
    return receive_upload(b, *arrived(b.places.uploads), "cats.csv", "mika", at)


def test_an_upload_is_there_when_its_folder_has_its_name(b: Bonsai, at: datetime, dead_process: int) -> None:
    folder = b.places.uploads
    place, data = arrived(folder)
    assert uploads.listed(folder) == []
    data.replace(place / "data.csv")  # the steps of `finish`, and the power goes after each
    assert uploads.listed(folder) == []
    (place / "upload.json").write_text("{}")
    assert uploads.listed(folder) == []
    assert uploads.sweep(folder, at, DAY) == []  # it may be ours
    place.rename(folder / f".receiving-{dead_process}-01234567")
    assert uploads.sweep(folder, at, DAY) == [f".receiving-{dead_process}-01234567"]
    assert receive_upload(b, *arrived(folder), "../cats.csv", "mika", at).name == "cats.csv"


def test_a_cancelled_one_is_gone_in_one_step(b: Bonsai, at: datetime) -> None:
    one, other = upload(b, at), upload(b, at)
    one.folder.rename(b.places.uploads / ".gone-01234567")  # and the power goes before it is emptied
    assert [left.id for left in uploads.listed(b.places.uploads)] == [other.id]
    with pytest.raises(UnknownId):
        confirm_upload(b, one.id, source="self", source_name="", who="mika", now=at)
    assert check_upload(b, one, None).state == "unchecked"  # a process that was looking at it meanwhile
    assert [left.id for left in uploads.listed(b.places.uploads)] == [other.id]
    assert sorted(uploads.sweep(b.places.uploads, at, DAY)) == sorted([".gone-01234567", one.id])
    cancel_upload(b, other.id)
    assert [path.name for path in b.places.uploads.iterdir() if path.is_dir()] == []


def test_what_nobody_confirms_goes_and_what_is_confirmed_stays(b: Bonsai, at: datetime) -> None:
    left, wanted = upload(b, at), upload(b, at)
    confirm_upload(b, wanted.id, source="self", source_name="", who="mika", now=at)
    with pytest.raises(UsageError):
        cancel_upload(b, wanted.id)
    assert uploads.sweep(b.places.uploads, at + DAY / 2, DAY) == []
    assert uploads.sweep(b.places.uploads, at + 2 * DAY, DAY) == [left.id]
    uploads.write_part(wanted, "result", {"read": 1})
    assert uploads.sweep(b.places.uploads, at + 2 * DAY, DAY) == []
    assert uploads.sweep(b.places.uploads, at + 60 * DAY, DAY) == [wanted.id]


def test_bytes_that_outlived_their_result_go_with_the_next_drain(b: Bonsai, at: datetime) -> None:
    done = upload(b, at)
    uploads.write_part(done, "confirmed", {})
    uploads.write_part(done, "result", {"read": 1})
    assert done.data.exists()
    import_uploads(b, at)
    assert not done.data.exists()


def test_a_second_confirmation_changes_nothing(b: Bonsai, at: datetime) -> None:
    one = upload(b, at)
    confirm_upload(b, one.id, source="self", source_name="", who="mika", now=at)
    again = confirm_upload(b, one.id, source="community", source_name="x", who="chris", now=at + DAY)
    assert again.parts["confirmed"]["who"] == "mika"
    assert replace(again, parts={}) == replace(uploads.get(b.places.uploads, one.id), parts={})
