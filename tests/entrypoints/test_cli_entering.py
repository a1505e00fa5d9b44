"""`bonsai records suggest | import --preview | repair | dismiss` and `inbox show`, as typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bonsai.cli import main as cli

Typed = Callable[..., Any]


@pytest.fixture
def typed(home: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """What a command prints as JSON; with `code`, the text on stderr of one that fails so."""

    def run(*argv: str | Path, code: int = 0) -> Any:
        environ = {"BONSAI_HOME": str(home), "LANG": "C.UTF-8", "USER": "Chris"}
        assert cli.run([*map(str, argv), *(() if code else ("--json",))], environ) == code
        said = capsys.readouterr()
        return said.err if code else json.loads(said.out)

    return run


@pytest.fixture
def rejects(typed: Typed, tmp_path: Path, capsys: pytest.CaptureFixture[str], home: Path) -> Callable[[], list[Any]]:
    path = tmp_path / "cats.csv"
    path.write_text("question,answer\nWho?,\nWhere?,Here.\nWhen?\n", "utf-8")
    typed("records", "import", path)

    def listed() -> list[Any]:
        assert cli.run(["records", "rejects", "--json"], {"BONSAI_HOME": str(home)}) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return listed


def test_a_rejected_line_is_repaired_or_dismissed(typed: Typed, rejects: Callable[[], list[Any]]) -> None:
    first, second = rejects()
    assert (first["line"], first["raw"]) == (2, "Who?,")
    assert "still not a valid record" in typed("records", "repair", first["id"][:10], "Who?", code=1)
    [record] = typed("records", "repair", first["id"][:10], "Who?,Tama.")["records"]
    shown = typed("records", "show", record)
    assert (shown["output"], shown["origin"]) == ("Tama.", "cats.csv:2")
    assert "reason" in typed("records", "dismiss", second["id"], code=2)
    assert typed("records", "dismiss", second["id"], "--reason", "a test") == {"reject": second["id"]}
    assert rejects() == []
    assert "Chris" in typed("records", "repair", first["id"], "Who?,Tama.", code=2)


def test_the_repaired_line_may_come_from_a_pipe(
    typed: Typed, rejects: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "repaired").write_text("When?,At noon.\n", "utf-8")
    with (tmp_path / "repaired").open() as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert len(typed("records", "repair", rejects()[1]["id"])["records"]) == 1


def test_what_bonsai_would_make_of_a_record_is_said_and_not_kept(typed: Typed) -> None:
    told = typed("records", "add", "Where does Mike sleep?", "On the piano.")
    asked = ("records", "suggest", "Where does Mike sleep?")
    found = typed(*asked, "In the box.")
    assert (found["language"]["value"], len(found["likely"])) == ("en", 3)
    assert [one["output"] for one in found["contradicts"]] == ["On the piano."]
    assert typed(*asked, "On the piano.")["exact"]["output"] == "On the piano."
    assert "both a question and an answer" in typed(*asked, " ", code=1)
    [followed] = typed("inbox", "show", told["submission"])
    assert (followed["state"], followed["record"]) == ("stored", told["record"])


def test_a_file_is_previewed_and_not_kept(typed: Typed, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "cats.csv"
    path.write_bytes("質問,回答,色\nタマは?,寝ています。,白\n壊れた行\n".encode("cp932"))
    check = typed("records", "import", path, "--preview")
    assert (check["format"], check["encoding"], check["read"], check["rejected"]) == ("table", "cp932", 2, 1)
    assert [one["field"] for one in check["columns"]] == ["instruction", "output", ""]
    assert [(one["line"], one["language"]) for one in check["rows"]] == [(2, "ja")]
    assert [(one["count"], one["lines"], one["raw"]) for one in check["wrong"]] == [(1, [3], "壊れた行")]
    assert typed("records", "import", path)["new"] == 1
    assert "is empty" in typed("records", "import", _empty(tmp_path), "--preview", code=1)


def _empty(folder: Path) -> Path:
    path = folder / "empty.csv"
    path.write_text("")
    return path
