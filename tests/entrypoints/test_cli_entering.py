"""`bonsai records mend | dismiss`, as typed."""

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


def test_a_rejected_line_is_mended_or_dismissed(typed: Typed, rejects: Callable[[], list[Any]]) -> None:
    first, second = rejects()
    assert (first["line"], first["raw"]) == (2, "Who?,")
    assert "still no record" in typed("records", "mend", first["id"][:10], "Who?", code=1)
    [record] = typed("records", "mend", first["id"][:10], "Who?,Tama.")["records"]
    shown = typed("records", "show", record)["stored"]["record"]
    assert (shown["output"], shown["origin"]) == ("Tama.", {"name": "cats.csv", "line": 2})
    assert "reason" in typed("records", "dismiss", second["id"], code=2)
    assert typed("records", "dismiss", second["id"], "--reason", "a test") == {"id": second["id"]}
    assert rejects() == []
    assert "Chris" in typed("records", "mend", first["id"], "Who?,Tama.", code=2)


def test_the_mended_line_may_come_from_a_pipe(
    typed: Typed, rejects: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mended").write_text("When?,At noon.\n", "utf-8")
    with (tmp_path / "mended").open() as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert len(typed("records", "mend", rejects()[1]["id"])["records"]) == 1
