"""Every command that needs no model, on a real home: what it prints, its JSON, its exit code."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bonsai.cli import main as cli
from bonsai.samples import sample_path
from bonsai.schemas.records import Record
from storage.connect import Database


@dataclass
class Said:
    """What one call of `bonsai` left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Bonsai = Callable[..., Said]


@pytest.fixture
def bonsai(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bonsai:
    monkeypatch.setenv("COLUMNS", "80")

    def run(*argv: str | Path) -> Said:
        environ = {"BONSAI_HOME": str(home), "LANG": "C.UTF-8", "USER": "Chris"}
        code = cli.run([str(word) for word in argv], environ)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def add(bonsai: Bonsai, question: str = "Where does Mike sleep?", answer: str = "Mike sleeps on the piano.") -> str:
    assert bonsai("records", "add", question, answer).code == 0
    return str(bonsai("records", "list", "--json").lines[-1]["id"])


def test_init_makes_a_home_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    environ = {"BONSAI_HOME": str(tmp_path / "new")}
    for created in (True, False):
        assert cli.run(["init", "--json"], environ) == 0
        assert json.loads(capsys.readouterr().out)["created"] is created


LISTS = (
    ("records", "list"), ("records", "rejects"), ("records", "subjects"), ("records", "resolved"),
    ("records", "contradictions"), ("records", "similar", "Mike"), ("records", "timeline"), ("night", "list"),
    ("asked", "list"), ("adapters", "list"), ("promotions", "list"), ("tags", "review"),
)  # fmt: skip


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_a_negative_limit_is_a_wrong_command_line(bonsai: Bonsai, words: tuple[str, ...]) -> None:
    said = bonsai(*words, "--limit", "-3")
    assert (said.code, said.out) == (2, "")
    assert "--limit" in said.err


@pytest.mark.parametrize("words", [("--status", "foo"), ("--language", "klingon"), ("--category", "foo")])
def test_an_unknown_filter_is_refused_with_the_valid_ones(bonsai: Bonsai, words: tuple[str, str]) -> None:
    said = bonsai("records", "list", *words)
    assert said.code == 2
    assert words[1] in said.err
    assert {"--status": "held_back", "--language": "ja", "--category": "open_qa"}[words[0]] in said.err


@pytest.mark.parametrize(
    "words",
    [("", "x"), ("Why?", "  "), ("Why?", "x", "--language", "klingon"), ("Why?", "x", "--on", "yesterday"),
     ("Why?", "x", "--category", "foo")],
)  # fmt: skip
def test_what_cannot_become_a_record_says_why_and_is_not_submitted(bonsai: Bonsai, words: tuple[str, ...]) -> None:
    said = bonsai("records", "add", *words)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: ")
    assert bonsai("records", "list", "--json").lines == []
    assert bonsai("records", "rejects", "--json").out.strip() in ("", "[]")


def test_what_is_told_is_listed_with_its_tags(bonsai: Bonsai) -> None:
    told = bonsai("records", "add", "Where does Mike sleep?", "Mike sleeps on the piano.", "--json")
    assert told.json["counts"] == {"read": 1, "new": 1, "duplicate": 0, "held_back": 0, "rejected": 0}
    (record,) = bonsai("records", "list", "--json").lines
    assert list(record) == list(Record.model_fields)
    assert (record["language"]["value"], record["status"]) == ("en", "active")
    assert told.json["record"] == record["id"]
    assert "Mike sleeps" in bonsai("records", "list").out


def test_an_import_adds_up_and_adds_nothing_again(bonsai: Bonsai) -> None:
    first = bonsai("records", "import", sample_path("experience.jsonl"), "--json").json
    assert list(first) == ["read", "new", "duplicate", "held_back", "rejected"]
    assert first["read"] == first["new"] + first["duplicate"] + first["held_back"] + first["rejected"] >= 360
    again = bonsai("records", "import", sample_path("experience.jsonl"), "--json").json
    assert (again["read"], again["new"]) == (first["read"], 0)
    listed = bonsai("records", "list", "--json").lines
    assert len(listed) == first["new"] + first["held_back"]


def test_a_list_shows_the_newest_and_says_how_many_there_are(bonsai: Bonsai) -> None:
    bonsai("records", "import", sample_path("messy.jsonl"))
    every = bonsai("records", "list", "--json").lines
    assert bonsai("records", "list", "--json", "--limit", "2").lines == every[-2:]
    shown = bonsai("records", "list", "--limit", "2").out
    assert [shown.index(one["id"][:10]) for one in (every[-1], every[-2])] == sorted(
        shown.index(one["id"][:10]) for one in every[-2:]
    )
    assert f"2 of {len(every)}" in shown


def test_rejects_name_file_line_and_reason(bonsai: Bonsai) -> None:
    counts = bonsai("records", "import", sample_path("messy.jsonl"), "--json").json
    rejects = bonsai("records", "rejects", "--json").lines
    assert len(rejects) == counts["rejected"] > 0
    assert all(one["file"] == "messy.jsonl" and one["line"] > 0 and one["reason"] for one in rejects)
    assert "messy.jsonl" in bonsai("records", "rejects", "--lang", "ja").out


def test_an_edit_keeps_the_version_before(bonsai: Bonsai) -> None:
    old = add(bonsai)
    new = bonsai("records", "edit", old[:8], "--output", "Mike sleeps in the box.", "--json").json["record"]
    shown = bonsai("records", "show", new).out
    assert "Mike sleeps in the box." in shown
    assert "Mike sleeps on the piano." in shown
    assert "Chris" in shown


def test_a_person_s_tag_wins_over_tagging_again(bonsai: Bonsai) -> None:
    record = add(bonsai)
    assert bonsai("records", "tag", record, "--category", "creative").code == 0
    assert bonsai("records", "tag", "--all").code == 0
    assert bonsai("records", "list", "--json").lines[0]["category"]["value"] == "creative"


def test_a_forgotten_record_does_not_come_back(bonsai: Bonsai) -> None:
    record = add(bonsai)
    assert bonsai("records", "forget", record, "--json").json["records"] == [record]
    assert (
        bonsai("records", "add", "Where does Mike sleep?", "Mike sleeps on the piano.", "--json").json["counts"]["new"]
        == 0
    )
    assert [one["status"] for one in bonsai("records", "list", "--json").lines] == ["forgotten"]
    assert "piano" not in bonsai("records", "show", record).out


def test_excluded_and_released(bonsai: Bonsai) -> None:
    record = add(bonsai)
    assert bonsai("records", "exclude", record, "--json").json == {"record": record, "status": "excluded"}
    assert bonsai("records", "list", "--status", "excluded", "--json").lines[0]["id"] == record
    assert bonsai("records", "release", record).code == 0
    assert bonsai("records", "list", "--json").lines[0]["status"] == "active"


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_what_is_exported_is_read_back(bonsai: Bonsai, tmp_path: Path, kind: str) -> None:
    add(bonsai)
    add(bonsai, "ミケはどこで寝ますか?", "ミケはピアノの上で寝ます。")
    path = tmp_path / f"out.{kind}"
    assert bonsai("records", "export", path).code == 0
    assert bonsai("records", "import", path, "--json").json == {
        "read": 2,
        "new": 0,
        "duplicate": 2,
        "held_back": 0,
        "rejected": 0,
    }


def test_the_inbox_is_empty_after_a_drain(bonsai: Bonsai) -> None:
    add(bonsai)
    assert bonsai("inbox", "drain", "--json").json["read"] == 0
    status = bonsai("inbox", "status", "--json").json
    assert (status["pending"], status["done"]) == (0, 1)


def test_lists_of_an_empty_home(bonsai: Bonsai) -> None:
    for command in (("night", "list"), ("promotions", "list"), ("records", "rejects")):
        assert bonsai(*command, "--json").lines == []
        assert bonsai(*command).code == 0


def test_the_database_is_checked_and_backed_up(bonsai: Bonsai, tmp_path: Path) -> None:
    add(bonsai)
    assert all(one["ok"] for one in bonsai("db", "check", "--json").json)
    assert bonsai("db", "migrate", "--json").json == {"applied": []}
    assert bonsai("db", "rebuild", "--json").json == {"wrong": []}
    copy = tmp_path / "copy.duckdb"
    assert bonsai("db", "backup", copy).code == 0
    with Database(copy, 1, "500MB", 1).reading() as con:
        assert con.execute("SELECT count(*) FROM records").fetchall() == [(1,)]
    assert bonsai("db", "backup", copy).code == 1


def broken(folder: Path, name: str) -> Path:
    path = folder / name
    match name:
        case "folder":
            path.mkdir()
        case "binary.jsonl":
            path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)))
        case "empty.jsonl":
            path.touch()
        case "unknown.docx":
            path.write_bytes(b"PK\x03\x04" + bytes(100))
    return path


@pytest.mark.parametrize("name", ["missing.jsonl", "folder", "binary.jsonl", "empty.jsonl", "unknown.docx"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_file_that_cannot_be_read_is_one_clear_line(bonsai: Bonsai, tmp_path: Path, name: str, language: str) -> None:
    said = bonsai("records", "import", broken(tmp_path, name), "--lang", language)
    assert said.code == 1
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert name in said.err


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("records", "show", "ffff"), 2),
        (("records", "forget", "ffff"), 2),
        (("night", "show", "ffff"), 2),
        (("promotions", "show", "ffff"), 2),
        (("promotions", "rollback"), 1),
        (("records", "export", "out.docx"), 2),
        (("records", "import", "x.jsonl", "--source", "nobody"), 2),
    ],
)
def test_what_is_not_there_is_one_clear_line(bonsai: Bonsai, argv: tuple[str, ...], code: int) -> None:
    said = bonsai(*argv)
    assert (said.code, said.out, said.err.count("\n")) == (code, "", 1)
    assert said.err.startswith("error: ")


def test_an_unknown_setting_is_named(bonsai: Bonsai, tmp_path: Path) -> None:
    with (tmp_path / "home" / "bonsai.toml").open("a") as file:
        file.write("\n[gate]\nmoed = 'review'\n")
    said = bonsai("records", "list")
    assert said.code == 2
    assert "gate.moed" in said.err
    assert "did you mean gate.mode?" in said.err


def test_a_home_of_a_newer_version_is_refused(bonsai: Bonsai, tmp_path: Path) -> None:
    with Database(tmp_path / "home" / "bonsai.duckdb", 1, "500MB", 1).writing() as con:
        con.execute("INSERT INTO migrations VALUES (999, '0999_later.sql', 'x', '9.9', TIMESTAMP '2030-01-01')")
    said = bonsai("records", "list")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "9.9" in said.err


def test_a_folder_that_is_no_home_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("not yours")
    for command in ("init", "records list"):
        assert cli.run(command.split(), {"BONSAI_HOME": str(tmp_path)}) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_nothing_a_command_prints_is_wider_than_80_columns(bonsai: Bonsai) -> None:
    from rich.cells import cell_len

    bonsai("records", "import", sample_path("experience.jsonl"))
    for command in ("records list", "records rejects", "night list", "promotions list", "inbox status", "db check"):
        for language in ("en", "ja"):
            out = bonsai(*command.split(), "--lang", language).out
            assert max(cell_len(line) for line in out.splitlines()) <= 80, command


def test_the_doctor_looks_at_everything(bonsai: Bonsai) -> None:
    found = {one["name"]: one["ok"] for one in bonsai("doctor", "--json").json}
    names = ["python", "packages", "settings", "home", "disk", "gpu", "seedling", "benchmark", "base", "prefect"]
    assert list(found) == names
    assert all(found[name] for name in ("python", "settings", "home", "benchmark", "prefect"))


def test_the_doctor_names_what_is_wrong(bonsai: Bonsai, tmp_path: Path) -> None:
    with (tmp_path / "home" / "bonsai.toml").open("a") as file:
        file.write("\n[gate]\nmoed = 'review'\n")
    said = bonsai("doctor", "--json")
    assert said.code == 1
    assert next("gate.mode" in one["detail"] for one in said.json if one["name"] == "settings")
