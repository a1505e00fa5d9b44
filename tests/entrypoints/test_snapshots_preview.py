"""`bonsai snapshots preview` on a real home with the seedling's tokenizer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from bonsai import bootstrap
from bonsai.cli import main as cli


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    bootstrap.init(tmp_path / "home", "en", datetime(2026, 11, 21, tzinfo=UTC), {})
    return tmp_path / "home"


def said(capsys: pytest.CaptureFixture[str], home: Path, *argv: str) -> str:
    environ = {"BONSAI_HOME": str(home), "LANG": "C.UTF-8", "USER": "Chris", "BONSAI_TRAINING__PROFILE": "seedling"}
    capsys.readouterr()
    assert cli.run(argv, environ) == 0
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], home: Path, *argv: str) -> Any:
    return json.loads(said(capsys, home, "snapshots", "preview", "--json", *argv))


def test_what_a_night_would_see(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    long = "Mike slept. " * 400
    for question, answer in [
        ("Where does Mike sleep?", "On the piano."),
        ("ミケはどこで寝ますか?", "ピアノの上です。"),
        ("What did Mike do all year?", long),
    ]:
        said(capsys, home, "records", "add", question, answer)

    found = told(capsys, home)

    assert (found["profile"], found["limit"], found["records"]) == ("seedling", 512, 3)
    assert sorted(one["language"] for one in found["previews"]) == ["en", "en", "ja"]
    [japanese] = [one for one in found["previews"] if one["language"] == "ja"]
    assert "".join(piece["text"] for piece in japanese["pieces"] if piece["part"] == "answer") == "ピアノの上です。"
    assert japanese["pieces"][-1] == {"text": "<|endoftext|>", "tokens": 1, "part": "end"}
    assert japanese["tokens"] > japanese["learned"] > 0
    [too_long] = found["too_long"]
    assert too_long["tokens"] == found["longest"] > 512
    assert [one["too_long"] for one in found["previews"] if one["id"] == too_long["record_id"]] == [True]
    assert {cost["language"] for cost in found["costs"]} == {"en", "ja"}
    assert all(0 < cost["tokens_a_character"] < 2 for cost in found["costs"])

    [named] = told(capsys, home, japanese["id"][:8])["previews"]
    assert named == japanese

    for language in ("en", "ja"):
        page = said(capsys, home, "snapshots", "preview", "--lang", language)
        assert max(cell_len(line) for line in page.splitlines()) <= 80
        assert "  $ <|endoftext|>" in page
        assert "\x1b" not in page


def test_an_empty_home_has_nothing_to_show(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    found = told(capsys, home)

    assert (found["records"], found["previews"], found["costs"], found["too_long"]) == (0, [], [], [])
    assert said(capsys, home, "snapshots", "preview")
