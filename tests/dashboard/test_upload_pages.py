"""Files on the dashboard: looked at, taken in, cancelled; names, sizes and bodies that nobody should trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from desk import EVIL, ORIGIN, Desk
from html_pages import Page
from starlette.testclient import TestClient

from bonsai import bootstrap
from bonsai.actions.uploads import PROGRESS
from bonsai.domain.records import LONGEST_FILE_NAME
from bonsai.queries.records import count_records, inbox_status, list_records
from storage import uploads
from storage.tables import rejects_table
from storage.tables.records_table import RecordFilter

CATS = """question,answer,cat,colour
Where does Pochi sleep?,In the box.,Pochi,grey
池にいるのは誰?,ポチです。,,
broken,
"""
MULTIPART = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\nq'


def sent(client: TestClient, content: str | bytes = CATS, name: str = "cats.csv", **more: Any) -> Any:
    return client.post("/records/upload", files={"file": (name, content)}, **more)


def told(page: Page) -> str:
    return page.all("main")[0].text


def left(desk: Desk) -> list[str]:
    folder = desk.b.places.uploads
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def test_a_file_is_looked_at_before_anything_is_kept(desk: Desk) -> None:
    answer = sent(desk.client("mika", drain=lambda: None))
    page = Page(answer.text)
    assert (answer.status_code, page.problems) == (200, [])
    shown = told(page)
    for words in ("cats.csv", "A table with a header", "UTF-8", "colour", "(not used)", "池にいるのは誰?", "Japanese"):
        assert words in shown
    assert "Records to be added: 2. Lines to be rejected: 1." in shown
    assert "This row has 2 cells but the header has 4" in shown
    assert (count_records(desk.b, RecordFilter(text="Pochi")), inbox_status(desk.b).pending) == (0, 0)


def test_what_was_confirmed_is_taken_in_and_adds_up(desk: Desk) -> None:
    client = desk.client("mika")
    path = str(sent(client).url.path)
    page = Page(client.post(f"{path}/take", data={"source": "community", "source_name": "cat club"}).text)
    assert page.problems == []
    counts = {one.text for one in page.all("tr")}
    assert {"Read3", "New2", "Duplicates0", "Held back0", "Rejected1"} <= counts
    [stored] = list_records(desk.b, RecordFilter(text="Pochi"), None)
    record = stored.record
    assert (record.source, record.source_name, record.subject) == ("community", "cat club", "Pochi")
    assert (record.origin.name, record.origin.line) == ("cats.csv", 2)
    with desk.b.database.reading() as con:
        [reject] = [one for one in rejects_table.list_rejects(con) if one.reject.file == "cats.csv"]
    assert reject.reject.table is not None
    [folder] = left(desk)
    assert sorted(path.name for path in (desk.b.places.uploads / folder).iterdir()) == [
        "confirmed.json", "progress.json", "result.json", "upload.json",
    ]  # fmt: skip
    assert "2 new" in told(Page(client.get("/records/upload").text))
    assert client.post(f"{path}/take", data={"source": "import"}).status_code == 200  # again changes nothing
    assert client.get(f"{path}/status").json()["state"] == "done"


def test_cancelling_leaves_nothing_behind(desk: Desk) -> None:
    client = desk.client(drain=lambda: None)
    path = str(sent(client).url.path)
    answer = client.post(f"{path}/cancel", data={})
    assert (str(answer.url.path), left(desk)) == ("/records/upload", [])
    assert client.get(path).status_code == 404
    path = str(sent(client).url.path)
    client.post(f"{path}/take", data={"source": "import"})
    assert client.post(f"{path}/cancel", data={}).status_code == 422  # it is being taken in already
    desk.drain()
    assert count_records(desk.b, RecordFilter(text="Pochi")) == 1


def test_progress_is_told_while_another_process_takes_it_in(desk: Desk) -> None:
    client = desk.client(drain=lambda: None)
    path = str(sent(client).url.path)
    page = Page(client.post(f"{path}/take", data={"source": "import"}).text)
    assert [one.attributes.get("max") for one in page.all("progress")] == ["3"]
    assert (page.values("data-status"), page.all("meta")[-1].attributes["http-equiv"]) == (
        [f"{path}/status"],
        "refresh",
    )
    assert client.get(f"{path}/status").json() == {"state": "confirmed", "words": "Waiting to be imported.", "done": 0}
    [upload] = uploads.listed(desk.b.places.uploads)
    (upload.folder / PROGRESS).write_text(json.dumps({"done": 2}))
    assert "2 read so far" in client.get(f"{path}/status").json()["words"]


def test_a_larger_file_is_looked_at_by_the_process_that_drains(desk: Desk) -> None:
    lines = "".join(json.dumps({"question": f"{n}?" + "a" * 400, "answer": "b"}) + "\n" for n in range(2_500))
    client = desk.client(drain=lambda: None)
    answer = sent(client, lines, "large.jsonl")
    page = Page(answer.text)
    assert (page.problems, "Checking the file" in told(page)) == ([], True)
    desk.drain()
    assert "Records to be added: 2500." in told(Page(client.get(answer.url.path).text))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/cats.csv", "cats.csv"),
        ("..\\..\\cats.csv", "cats.csv"),
        ("..", "upload"),
        (f"{EVIL}.csv", None),
        ("a" * 3_000 + ".csv", None),
        ("ca\x00ts\r\n.csv", None),
    ],
)
def test_a_file_name_is_never_a_path(desk: Desk, tmp_path: Path, name: str, shown: str | None) -> None:
    before = {path for path in tmp_path.rglob("*") if "uploads" not in path.parts}
    answer = sent(desk.client(drain=lambda: None), name=name)
    page = Page(answer.text)
    assert (answer.status_code, page.problems) == (200, [])
    [upload] = uploads.listed(desk.b.places.uploads)
    assert shown in (None, upload.name)
    assert len(upload.name) <= LONGEST_FILE_NAME
    assert "/" not in upload.name
    assert {path for path in tmp_path.rglob("*") if "uploads" not in path.parts} <= before | {
        desk.b.home / "logs" / "audit.jsonl"
    }
    assert upload.data.name in ("data", "data.csv")
    for asked in ("..%2f..%2fbonsai.toml", "%2e%2e", upload.id + "%2f..", ".lock"):
        assert desk.client().get(f"/records/upload/{asked}").status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"PK\x03\x04\x00\x00\x00", "cats.zip", "cats.zip is a binary file"),
        (b"", "cats.csv", "cats.csv is empty"),
        (b"colour,size\nred,1\n", "cats.csv", "cats.csv has the columns colour,size"),
        (b"once upon a time", "story.txt", "format of story.txt is not supported"),
        (b"PAR1 no more", "cats.parquet", "cats.parquet is not a valid Parquet"),
    ],
)
def test_a_wrong_file_is_said_in_one_line_and_not_kept(desk: Desk, content: bytes, name: str, words: str) -> None:
    client = desk.client()
    answer = sent(client, content, name)
    page = Page(answer.text)
    assert (answer.status_code, page.problems, left(desk)) == (422, [], [])
    [alert] = [one.text for one in page.all("p") if one.attributes.get("role") == "alert"]
    assert words in alert
    as_json = sent(client, content, name, headers={"Accept": "application/json"})
    assert (as_json.status_code, words in as_json.json()["detail"]) == (422, True)


def test_an_oversize_body_is_refused_in_words_by_its_own_account_and_by_count(desk: Desk) -> None:
    with (desk.b.home / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write("\n[dashboard]\nupload_megabytes = 1\n")
    small = Desk(bootstrap.open(desk.b.home, {}))
    client = small.client()
    large = b"question,answer\n" + b"Who?,Me.\n" * 150_000
    for headers in ({}, {"Content-Length": "9" * 12}, {"Content-Length": "-1"}):
        answer = sent(client, large, headers=headers)
        assert (answer.status_code, "limit is 1 MB" in answer.text) == (413, True)
        assert left(small) == []
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + large
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    chunks = (body[at : at + 65_536] for at in range(0, len(body), 65_536))  # no length is said
    assert client.post("/records/upload", content=chunks, headers=kind).status_code == 413
    assert left(small) == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"question=a", "application/x-www-form-urlencoded", 415),
        (b"", "multipart/form-data", 415),
        (b"", f"multipart/form-data; boundary={'x' * 500}", 415),
        (b"nonsense", MULTIPART, 422),
        (PART % b'file"; filename="a.csv', MULTIPART, 422),
        (PART % b"other" + b"\r\n--x--\r\n", MULTIPART, 422),
        (b"--x\r\n" + b"a: b\r\n" * 100 + b"\r\nq\r\n--x--\r\n", MULTIPART, 422),
    ],
    ids=["a form", "no boundary", "long boundary", "nonsense", "broken off", "no file", "many headers"],
)
def test_a_body_that_is_no_upload_is_said_and_leaves_nothing(desk: Desk, body: bytes, kind: str, status: int) -> None:
    answer = desk.client().post("/records/upload", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, Page(answer.text).problems, left(desk)) == (status, [], [])


def test_no_other_page_and_no_stranger_uploads(desk: Desk) -> None:
    assert sent(desk.client(), headers={"Origin": "http://elsewhere"}).status_code == 403
    stranger = TestClient(desk.client("").app, base_url=ORIGIN, headers={"Origin": ORIGIN}, follow_redirects=False)
    assert sent(stranger).status_code in (303, 401)
    assert left(desk) == []


def test_japanese_pages_of_an_upload(desk: Desk) -> None:
    client = desk.client(drain=lambda: None)
    client.cookies.set("bonsai_language", "ja")
    answer = sent(client, CATS.encode("cp932"))
    assert "CP932" in answer.text
    assert "2 件が追加されます。1 行は取り込めません。" in answer.text
    assert Page(client.get("/records/upload").text).problems == []
