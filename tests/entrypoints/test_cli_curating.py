"""Caring for records as typed: versions, contradictions, timelines, likeness, uncertain tags."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bonsai.cli import main as cli
from bonsai.cli.tags import Said, understood

Run = Callable[..., str]


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command that must succeed, or end with `code`; what it printed."""
    monkeypatch.setenv("COLUMNS", "120")

    def call(*argv: str, code: int = 0, typed: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert cli.run(list(argv), {"BONSAI_HOME": str(home), "LANG": "C.UTF-8", "USER": "mika"}) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return call


def lines(printed: str) -> list[Any]:
    return [json.loads(line) for line in printed.splitlines()]


def newest(run: Run) -> str:
    return str(lines(run("records", "list", "--json"))[-1]["id"])


def test_a_record_is_edited_and_taken_back(run: Run) -> None:
    run("records", "add", "Where does Mike sleep?", "On the piano.", "--subject", "Mike")
    first = newest(run)
    edited = json.loads(run("records", "edit", first, "--output", "In the sink.", "--on", "2026-01-02", "--json"))
    changed = edited["record"]
    [version] = lines(run("records", "versions", changed, "--json"))
    assert (version["number"], version["output"], version["edited_by"]) == (1, "On the piano.", "mika")
    assert "On the piano." in run("records", "versions", changed)
    assert json.loads(run("records", "restore", changed, "1", "--json"))["record"] == first
    assert "3" in run("records", "restore", first, "3", code=2)


def test_contradictions_are_listed_and_decided(run: Run) -> None:
    run("records", "add", "Where does Mike sleep?", "On the piano.")
    other = newest(run)
    run("records", "add", "Where does Mike sleep?", "In the sink.")
    [found] = lines(run("records", "contradictions", "--json"))
    assert (found["record"]["status"], [one["id"] for one in found["others"]]) == ("held_back", [other])
    waits = found["record"]["id"]
    assert other[:10] in run("records", "contradictions")
    assert run("records", "resolve", waits, code=2)
    assert json.loads(run("records", "resolve", waits, "--keep", "this", "--json")) == {
        "kept": [waits],
        "excluded": [other],
    }
    assert "no longer waiting" in run("records", "resolve", waits, "--keep", "this", code=1)
    [decided] = lines(run("records", "resolved", "--json"))
    assert (decided["record"], decided["others"], decided["who"]) == (waits, [other], "mika")
    assert "mika" in run("records", "resolved")
    taken_back = json.loads(run("records", "reopen", waits, "--json"))["records"]
    assert sorted(taken_back) == sorted([waits, other])
    assert [one["record"]["id"] for one in lines(run("records", "contradictions", "--json"))] == [waits]
    run("records", "reopen", waits, code=1)
    assert run("records", "contradictions", "--kind", "nothing", code=2)


def test_a_timeline_is_told(run: Run) -> None:
    told = ["--subject", "Hana"]
    run(
        "records",
        "add",
        "What happened to Hana?",
        "She sneezed for a week; it was the dust.",
        *told,
        "--on",
        "2024-03-02",
    )
    run(
        "records",
        "add",
        "What happened to Hana again?",
        "She sneezed for days; it was the dust.",
        *told,
        "--on",
        "2026-03-12",
    )
    [subject] = lines(run("records", "subjects", "--json"))
    assert (subject["name"], subject["records"], subject["first"]) == ("Hana", 2, "2024-03-02")
    entries = lines(run("records", "timeline", "Hana", "--json"))
    assert [one["day"] for one in entries] == ["2026-03-12", "2024-03-02"]
    assert [[old["day"] for old in one["earlier"]] for one in entries] == [["2024-03-02"], []]
    assert "2024-03-02" in run("records", "timeline", "Hana")
    assert [one["id"] for one in lines(run("records", "similar", entries[0]["record"], "--json"))] == [
        entries[1]["record"]
    ]
    assert len(lines(run("records", "similar", "Who sneezed in the dust?", "--json"))) == 2


def test_uncertain_tags_are_settled_by_typing(run: Run) -> None:
    for number in range(3):
        run("records", "add", f"{number}1234", f"{number}5678")
    assert len(lines(run("tags", "review", "--json"))) == 3
    printed = run("tags", "review", typed="j6\nx\ns\nb\ne1\nu\nq\n")
    assert "[3 " in printed
    third, second, first = lines(run("records", "list", "--json"))[::-1]
    assert (third["language"]["value"], third["category"]["value"]) == ("ja", "creative")
    untouched = [one["language"]["value"] for one in (second, first)]  # taken back, and never reached
    assert untouched == ["other", "other"]
    assert len(lines(run("tags", "review", "--json"))) == 2


def test_keys_are_understood_in_any_order() -> None:
    keys = {"1": "open_qa", "2": "closed_qa"}
    assert understood("2j", keys, "open_qa", "en") == understood("j2", keys, "open_qa", "en") == Said("ja", "closed_qa")
    assert understood("", keys, "open_qa", "en") == Said("en", "open_qa")
    assert understood("9", keys, None, "en") == Said(wrong="9")
