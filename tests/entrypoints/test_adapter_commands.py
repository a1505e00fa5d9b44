"""`bonsai adapters`, `bonsai config`, `bonsai asked`: the twins of the dashboard's pages, on a home with a night."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hand_client import HandClient
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions import ask
from bonsai.cli import main as cli


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    made = open_stage(tmp_path_factory.mktemp("night") / "home")
    made.tell(3)
    made.night()
    return made


class Said:
    """One call of `bonsai`."""

    def __init__(self, stage: Stage, capsys: pytest.CaptureFixture[str], *argv: str) -> None:
        self.code = cli.run(argv, {"BONSAI_HOME": str(stage.b.home), "LANG": "C.UTF-8", "USER": "Chris"})
        self.out, self.err = capsys.readouterr()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def test_adapters_are_listed_shown_and_written(
    stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    (line,) = Said(stage, capsys, "adapters", "list", "--json").lines
    assert (line["state"], line["records"], line["parent"]) == ("champion", 3, "")
    assert line["id"][:10] in Said(stage, capsys, "adapters", "list", "--lang", "ja").out
    shown = Said(stage, capsys, "adapters", "show", "--json").json
    assert (shown["id"], shown["whole"], len(shown["learned"])) == (line["id"], True, 3)
    text = Said(stage, capsys, "adapters", "show", line["id"][:6], "--limit", "2").out
    assert shown["files"][0]["sha256"][:20] in text
    assert "2 of 3" in text
    after = str(shown["learned"][1]["place"])
    left = Said(stage, capsys, "adapters", "show", "--json", "--after", after).json["learned"]
    assert left == shown["learned"][2:]
    written = tmp_path / "champion.tar"
    told = Said(stage, capsys, "adapters", "export", str(written), "--json").json
    assert told["sha256"] == hashlib.sha256(written.read_bytes()).hexdigest()
    with tarfile.open(written) as archive:
        assert f"bonsai-adapter-{line['id']}/passport.json" in archive.getnames()


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (("adapters", "show", "ffff"), 2, "ffff"),
        (("adapters", "show", "base"), 2, "bonsai adapters list"),
        (("adapters", "export", "/nonexistent/x.tar"), 2, "/nonexistent"),
        (("asked", "show", "ffff"), 2, "bonsai asked list"),
        (("asked", "rate", "ffff", "sideways"), 2, "up, down and none"),
        (("config", "show", "gaet"), 2, "gate"),
    ],
)
def test_what_is_not_there_is_said(
    stage: Stage, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], code: int, told: str
) -> None:
    said = Said(stage, capsys, *argv)
    assert (said.code, said.out) == (code, "")
    assert told in said.err


def test_settings_are_shown_with_their_origin(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = Said(stage, capsys, "config", "show", "gate.alpha", "--json").lines
    assert (one["value"], one["default"], one["origin"]) == (0.05, 0.05, "")
    changed = Said(stage, capsys, "config", "show", "--changed", "--json").lines
    assert [one["name"] for one in changed] == ["cli.language"]
    assert "片側の誤り率" in "".join(Said(stage, capsys, "config", "show", "gate", "--lang", "ja").out.split())


def test_a_question_is_listed_rated_and_corrected(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    inference = HandClient()
    inference.may_speak.set()
    b = replace(stage.b, inference=inference)
    made = ask.ask_models(
        b, ask.QuestionRequest("What is Mike doing at 1 o'clock?", "mika"), ask.new_question_id(), EVENING
    )
    ask.store_question(b, made)
    assert Said(stage, capsys, "asked", "rate", made.id[:8], "up").code == 0
    (listed,) = Said(stage, capsys, "asked", "list", "--json").lines
    assert (listed["question"], listed["answers"][0]["thumb"], listed["answers"][0]["thumb_by"]) == (
        made.id,
        "up",
        "Chris",
    )
    assert listed["records"]
    shown = Said(stage, capsys, "asked", "show", made.id)
    assert "It is scratching." in shown.out
    corrected = Said(stage, capsys, "asked", "correct", made.id, "Mike sleeps.", "--json").json
    assert corrected["submission"]
    again = Said(stage, capsys, "asked", "show", made.id, "--json").json
    assert again["answers"][0]["correction"] == corrected["submission"]
