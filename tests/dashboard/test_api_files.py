"""Files through the API: sent, looked at, taken in, what is wrong repaired; and what must leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk import EVIL, NOW, Desk
from starlette.testclient import TestClient

from bonsai import bootstrap
from bonsai.actions import uploads
from bonsai.actions.import_file import import_file
from bonsai.queries.records import list_records, list_rejects
from storage import audit
from storage.tables.records_table import RecordFilter

V1 = "/api/v1"
CSV = b"question,answer,subject\nWho sits there?,Mike does.,Mike\nWho sleeps?,,Tama\n"


def send(program: TestClient, body: Any = CSV, headers: dict[str, str] | None = None, **told: str) -> Any:
    return program.post(f"{V1}/uploads", content=body, params={"name": "cats.csv", **told}, headers=headers)


def left_behind(desk: Desk) -> list[str]:
    folder = desk.b.places.uploads
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def test_a_file_is_looked_at_then_taken_in_and_its_bad_line_repaired(desk: Desk) -> None:
    program = desk.program("append", "review")
    sent = send(program)
    made = sent.json()
    assert (sent.status_code, made["state"], made["read"], made["rejected"]) == (202, "checked", 2, 1)
    look = program.get(f"{V1}/uploads/{made['upload']}").json()
    assert (look["name"], look["size"], look["who"], look["counts"]) == ("cats.csv", len(CSV), "mika", None)
    assert [(one["name"], one["field"]) for one in look["check"]["columns"]][2] == ("subject", "subject")
    assert [(one["question"], one["language"]) for one in look["check"]["rows"]] == [("Who sits there?", "en")]
    assert (look["check"]["wrong"][0]["lines"], look["check"]["wrong"][0]["count"]) == ([3], 1)
    assert list_records(desk.b, RecordFilter(text="Who sits there?"), None) == []
    taken = program.post(
        f"{V1}/uploads/{made['upload']}/take", json={"source": "community", "source_name": "Neko no kai"}
    )
    assert (taken.status_code, taken.json()["state"]) == (202, "confirmed")
    done = program.get(f"{V1}/uploads/{made['upload']}").json()
    assert (done["state"], done["check"], done["counts"]["new"], done["counts"]["rejected"]) == ("done", None, 1, 1)
    assert program.get(f"{V1}/uploads").json()["items"][0]["upload"] == made["upload"]
    [line] = [one for one in program.get(f"{V1}/rejects").json()["items"] if one["file"] == "cats.csv"]
    assert (line["raw"], line["line"], line["columns"]) == ("Who sleeps?,,Tama", 3, ["question", "answer", "subject"])
    path = f"{V1}/rejects/{line['id']}"
    wrong = program.post(f"{path}/repair", json={"raw": "Who sleeps?, ,Tama"})
    assert (wrong.status_code, wrong.json()["accepted"], wrong.json()["records"]) == (200, False, [])
    assert wrong.json()["detail"]
    repaired = program.post(f"{path}/repair", json={"raw": "Who sleeps?,Tama does.,Tama"}).json()
    stored = program.get(f"{V1}/records/{repaired['records'][0]}").json()
    assert (stored["source"], stored["source_name"], stored["origin"]) == ("community", "Neko no kai", "cats.csv:3")
    assert program.get(path).json()["state"] == "mended"
    assert program.post(f"{path}/repair", json={"raw": "a,b,c"}).json()["code"] == "pipeline.reject_settled"
    acts = [act.action for act in audit.read(desk.b.places.logs)]
    assert acts == ["upload", "import", "repair"]


def test_one_step_is_enough_and_the_report_says_what_was_refused(desk: Desk) -> None:
    program = desk.program("append")
    made = send(program, take="true", source="self").json()
    assert made["state"] == "confirmed"
    report = program.get(f"{V1}/uploads/{made['upload']}").json()
    assert (report["state"], report["counts"]["read"], report["counts"]["rejected"]) == ("done", 2, 1)
    [stored] = list_records(desk.b, RecordFilter(text="Who sits there?"), None)
    assert (stored.record.source, stored.record.author) == ("self", "mika")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("cats.jsonl", '{"instruction": "タマは?", "output": "寝ている。"}\n'.encode()),
        ("cats.json", b'[{"instruction": "Who?", "output": "Mike."}]'),
        ("cats.tsv", b"question\tanswer\nWho?\tMike.\n"),
        ("neko.csv", "question,answer\nタマはどこにいますか?,押し入れで寝ている。\n".encode("shift_jis")),
        ("../../etc/passwd.csv", CSV),
        (EVIL[:40] + ".csv", CSV),
    ],
)
def test_many_kinds_of_files_are_read(desk: Desk, name: str, body: bytes) -> None:
    made = send(desk.program("append"), body, name=name).json()
    assert (made["state"], made["read"] - made["rejected"]) == ("checked", 1)
    assert left_behind(desk) == [made["upload"]]


@pytest.mark.parametrize("body", [b"", b"\0\1\2\3" * 50, b"only words, and no table of anything"])
def test_what_is_no_file_of_records_is_refused_and_leaves_nothing(desk: Desk, body: bytes) -> None:
    answer = send(desk.program("append"), body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert left_behind(desk) == []


def test_a_file_too_large_is_refused_however_it_comes(desk: Desk) -> None:
    b = bootstrap.open(Path(desk.b.home), {"BONSAI_DASHBOARD__UPLOAD_MEGABYTES": "1"})
    program = Desk(b).program("append")
    for body in (b"x" * 1_200_000, (b"x" * 100_000 for _ in range(12))):
        assert send(program, body).status_code == 413
    assert left_behind(desk) == []


def test_a_repeated_upload_is_one(desk: Desk) -> None:
    program = desk.program("append")
    first, again = (send(program, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert left_behind(desk) == [first.json()["upload"]]
    other = send(program, CSV + b"Who?,Me.,\n", headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (422, "api.key_used")
    assert left_behind(desk) == [first.json()["upload"]]


def test_only_ones_own_uploads_are_seen_without_read(desk: Desk) -> None:
    mine = send(desk.program("append")).json()["upload"]
    other, reader = desk.program("append", name="joe"), desk.program("append", "read", name="joe")
    for path in ("", "/take", "/cancel"):
        answer = (other.post if path else other.get)(f"{V1}/uploads/{mine}{path}", **({"json": {}} if path else {}))
        assert answer.status_code == 404, path
    assert other.get(f"{V1}/uploads").json()["items"] == []
    assert reader.get(f"{V1}/uploads/{mine}").status_code == 200
    refused = desk.program("read").post(f"{V1}/uploads?name=a.csv", content=CSV)
    assert (refused.status_code, refused.json()["code"]) == (403, "api.scope_needed")
    program = desk.program("append")
    assert program.post(f"{V1}/uploads/{mine}/cancel").status_code == 200
    assert (left_behind(desk), program.get(f"{V1}/uploads/{mine}").status_code) == ([], 404)


def test_what_is_being_taken_in_is_not_cancelled(desk: Desk) -> None:
    program = TestClient(desk.client(owner="", drain=lambda: None).app, base_url="http://testserver")
    program.headers["Authorization"] = f"Bearer {desk.token('append')}"
    made = send(program, take="true").json()["upload"]
    assert program.post(f"{V1}/uploads/{made}/cancel").json()["code"] == "storage.upload_confirmed"
    assert uploads.import_uploads(desk.b, NOW)[1].new == 1


def test_a_line_is_dismissed_with_a_reason(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cats.csv").write_bytes(CSV)
    import_file(desk.b, tmp_path / "cats.csv", now=NOW)
    program = desk.program("review")
    page = program.get(f"{V1}/rejects?limit=1").json()
    rest = program.get(f"{V1}/rejects?cursor={page['next_cursor']}").json()
    every = [one["id"] for one in (*page["items"], *rest["items"])]
    assert every == [one.id for one in list_rejects(desk.b, None)]
    path = f"{V1}/rejects/{every[0]}/dismiss"
    for reason in ("", " ", "\u200b"):
        assert program.post(path, json={"reason": reason}).status_code == 422
    assert program.post(path, json={"reason": EVIL}).json() == {"reject": every[0]}
    assert program.post(path, json={"reason": EVIL}).status_code == 409
    assert program.get(f"{V1}/rejects/{every[0]}").json()["state"] == "dismissed"
