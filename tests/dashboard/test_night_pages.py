"""Nights as pages: a month, one night, a running one seen and stopped from outside, start, logs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from desk import EVIL, NOW, Desk
from hand_nights import EVENING, HandEvaluator, HandTrainer
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.actions.inbox import submit
from bonsai.auth import accounts
from bonsai.cli import main as cli
from bonsai.errors import NightCancelled, UsageError
from bonsai.i18n import area_texts
from bonsai.night.steps import begin_night, run_night
from bonsai.queries import nights
from bonsai.queries.nights import list_nights
from bonsai.queries.records import count_records, list_records
from bonsai.system.locks import file_lock, process_name
from bonsai.system.progress import silent
from bonsai.web.presenters.nights import SHAPES, Mark, month
from flows import starting
from flows.starting import Started
from storage import night_status
from storage.tables.records_table import RecordFilter

MONTH = "/nights?month=2026-11"


def night_of(desk: Desk) -> str:
    return list_nights(desk.b, 1)[0].night


def running(desk: Desk, during: Callable[[str, int], None], steps: int = 3) -> str:
    """A night of three training steps; `during` is called before each is told."""
    submit(desk.b, {"instruction": "What is new tonight?", "output": "The moon."}, NOW)
    desk.drain()
    trainer = HandTrainer(steps=steps)
    b = replace(desk.b, trainer=trainer, evaluator=HandEvaluator())
    trainer.before = lambda step: during(found.status.night if (found := nights.running_night(b)) else "", step)
    looks = iter(range(1_000))
    return run_night(b, NOW, silent, clock=lambda: NOW + timedelta(seconds=2 * next(looks))).night


def test_a_month_shows_each_night_by_word_and_shape(desk: Desk) -> None:
    answer = desk.client().get(MONTH)
    page = Page(answer.text)
    assert page.problems == []
    [mark] = [one for one in page.all("a") if one.attributes.get("class", "").startswith("mark ")]
    assert mark.attributes["href"] == f"/nights/{night_of(desk)}"
    assert mark.text.split() == [SHAPES["promote"], area_texts("nights", "en")["mark_promote"]]
    assert len(page.all("th")) >= 7
    other = Page(desk.client().get("/nights?month=2026-10").text)
    assert other.problems == []
    assert not [one for one in other.all("a") if "mark" in one.attributes.get("class", "")]


def test_every_kind_of_night_has_a_shape_of_its_own_and_a_word() -> None:
    assert len(set(SHAPES.values())) == len(SHAPES)
    for language in ("en", "ja"):
        words = [area_texts("nights", language)[f"mark_{kind}"] for kind in SHAPES]
        assert len(set(words)) == len(words)


def test_a_grid_holds_each_day_once() -> None:
    marks = [Mark("n", "keep", date(2026, 2, 1)), Mark("m", "failed", date(2026, 3, 1))]
    made = month(date(2026, 2, 1), date(2026, 2, 28), marks, date(2026, 1, 31), "ja")
    inside = [day for week in made.weeks for day in week if day.inside]
    assert [day.on.day for day in inside] == list(range(1, 29))
    assert [mark.night for day in inside for mark in day.marks] == ["n"]
    assert (made.weekdays[0], made.before, made.after) == (6, "2026-01", "")


def test_one_night_tells_its_verdict_steps_records_and_cost(desk: Desk) -> None:
    night = running(desk, lambda night, step: None)
    answer = desk.client().get(f"/nights/{night}")
    page = Page(answer.text)
    assert page.problems == []
    found = nights.night_detail(desk.b, night)
    assert f"/promotions/{found.report.challenger}" in page.links
    for step in nights.STEPS:
        assert area_texts("cli", "en")[f"step_{step}"] in answer.text
    assert found.learned is not None
    assert f"/records?snapshot={found.learned.snapshot}" in page.links
    of_kind = [one for one in page.links if "snapshot=" in one and "category=" in one]
    for link in of_kind:
        shown = desk.client().get(link)
        assert len([one for one in Page(shown.text).links if re.fullmatch(r"/records/[0-9a-f]{64}", one)]) > 0
    assert sum(found.learned.kinds.values()) == found.learned.own
    assert "5.0 GiB" in answer.text
    assert page.all("svg")


def test_a_running_night_is_followed_without_the_database(desk: Desk) -> None:
    client = desk.client()
    seen = []

    def look(night: str, step: int) -> None:
        with file_lock(desk.b.database.lock_path, exclusive=True, wait_seconds=0):
            status = client.get(f"/nights/{night}/status").json()
            assert client.get("/nights/status").json() == status
            piece = client.get(f"/nights/{night}/live").text
            assert "data-goes-on" in client.get("/nights/live").text
        assert 'data-state="running"' in piece
        seen.append((status["state"], status["step"], status["done"], status["total"], status["loss"]))
        for path in (f"/nights/{night}", "/nights", "/"):
            page = Page(client.get(path).text)
            assert page.problems == []
            assert [one for one in page.all("script") if "nights.js" in one.attributes["src"]]
            assert page.all("progress")

    night = running(desk, look)
    assert seen == [
        ("running", "train", 0, 0, None),
        ("running", "train", 1, 3, 2.0),
        ("running", "train", 2, 3, 1.0),
    ]
    assert client.get(f"/nights/{night}/status").json()["state"] == "done"
    assert client.get("/nights/status").json() == {"state": "none"}
    assert "nights.js" not in client.get("/").text


def test_a_night_is_cancelled_from_its_page_and_started_again(desk: Desk) -> None:
    client = desk.client()

    def cancel(night: str, step: int) -> None:
        assert step == 1
        assert f"/nights/{night}/cancel" in client.get(f"/nights/{night}").text
        answer = client.post(f"/nights/{night}/cancel", follow_redirects=False)
        assert answer.headers["location"] == f"/nights/{night}?done=night_cancel"
        assert client.get(f"/nights/{night}/status").json()["state"] == "cancelling"
        assert f"/nights/{night}/cancel" not in client.get(f"/nights/{night}").text

    with pytest.raises(NightCancelled):
        running(desk, cancel)
    night = night_of(desk)
    assert client.get(f"/nights/{night}/status").json()["state"] == "cancelled"
    first_page = Page(client.get("/").text)
    assert "cancelled. The next night" in first_page.all("main")[0].text
    page = client.get(f"/nights/{night}")
    assert "alert(1)" in Page(page.text).all("main")[0].text  # who did it, in the reason, as text
    assert "<script>alert" not in page.text
    assert client.post(f"/nights/{night}/cancel").status_code == 409
    assert client.post("/nights", data={"cold": "yes"}, follow_redirects=False).status_code == 303
    assert desk.started == [(EVIL, True)]


def test_a_start_that_is_refused_says_why(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(who: str, cold: bool) -> None:
        raise UsageError("flows.night_runs")

    monkeypatch.setattr(desk, "start_night", refuse)
    answer = desk.client().post("/nights", data={"cold": ""})
    assert answer.status_code == 409
    assert area_texts("flows", "en")["night_runs_on_page"] in Page(answer.text).all("main")[0].text


def test_contributors_look_and_reviewers_start(desk: Desk) -> None:
    accounts.add_user(desk.b, "con", "contributor", "dust in the litter", NOW)
    client = desk.client(owner="")
    client.post("/login", data={"name": "con", "password": "dust in the litter", "next": "/"})
    assert "<form class" not in client.get("/nights").text
    assert client.post("/nights", data={"cold": ""}).status_code == 403
    assert client.post(f"/nights/{night_of(desk)}/cancel").status_code == 403
    client.cookies.clear()
    assert client.get("/nights/status", headers={"Accept": "application/json"}).status_code == 401


def test_a_log_is_shown_as_text_and_downloaded_whole(desk: Desk, client: TestClient) -> None:
    night = night_of(desk)
    log = desk.b.places.runs / night / "log.txt"
    log.write_text("first\n" * 500 + EVIL)
    answer = client.get(f"/nights/{night}/logs/training")
    assert Page(answer.text).problems == []
    assert "<script>alert" not in answer.text
    assert answer.text.count("first") < 250
    whole = client.get(f"/nights/{night}/logs/training/file")
    assert whole.content == log.read_bytes()
    assert whole.headers["content-disposition"] == f'attachment; filename="{night}-training.txt"'
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    for path in ("logs/status", "logs/..%2f..%2fbonsai.toml/file", "logs/benchmark", "logs/training%00/file"):
        assert client.get(f"/nights/{night}/{path}").status_code == 404, path
    assert client.get("/nights/..%2f..%2f/logs/training/file").status_code == 404
    assert client.get("/nights/2026-01-01-00000000/live").status_code == 404


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def submitted(desk: Desk, started: Started) -> None:
    about = {"at": started.at.isoformat(), "who": started.who, "process": started.process}
    (desk.b.home / starting.START).write_text(json.dumps(about))


def test_a_night_that_is_about_to_begin_is_said_to_be(desk: Desk, sleeper: subprocess.Popen[bytes]) -> None:
    client = desk.client()
    submitted(desk, Started(NOW, "Mika", process_name(sleeper.pid)))
    assert client.get("/nights/status").json() == {"state": "starting"}
    assert "<form" not in client.get("/nights").text
    with pytest.raises(UsageError):
        starting.start_night(desk.b.home, {}, who="Tom", now=NOW)
    sleeper.kill()
    sleeper.wait()
    (desk.b.places.logs / starting.LOG).write_text(f"Error: {EVIL}\n")
    assert client.get("/nights/status").json() == {"state": "none"}
    page = client.get("/nights")
    assert "Error: " in Page(page.text).all("pre")[0].text
    assert "<script>alert" not in page.text


def test_a_server_that_starts_it_is_given_two_minutes(desk: Desk) -> None:
    submitted(desk, Started(NOW, "Mika", ""))
    assert starting.starting(desk.b.home, NOW + timedelta(seconds=90))
    assert not starting.starting(desk.b.home, NOW + timedelta(seconds=150))
    submitted(desk, Started(EVENING - timedelta(days=2), "Mika", ""))  # it has begun, and ended, since
    assert not starting.starting(desk.b.home, EVENING - timedelta(days=2))


def said(desk: Desk, capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = cli.run(argv, {"BONSAI_HOME": str(desk.b.home), "LANG": "C.UTF-8"})
    return code, "".join(capsys.readouterr())


def test_the_terminal_says_the_same(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    def look(night: str, step: int) -> None:
        if step == 2:
            assert said(desk, capsys, "night", "cancel", "--by", "Mika")[0] == 0

    with pytest.raises(NightCancelled):
        running(desk, look)
    night = night_of(desk)
    code, told = said(desk, capsys, "night", "show", night)
    assert (code, "Mika" in told, "training" in told) == (0, True, True)
    about = json.loads(said(desk, capsys, "night", "show", night, "--json")[1])
    assert [one["name"] for one in about["steps"]] == ["snapshot", "train"]
    assert about["state"] == "cancelled"
    code, told = said(desk, capsys, "night", "watch", night, "--json")
    assert (code, json.loads(told)["state"]) == (0, "cancelled")
    assert said(desk, capsys, "night", "watch")[0] == 2
    assert said(desk, capsys, "night", "cancel", night)[0] == 2
    assert said(desk, capsys, "night", "logs", night)[0] == 2
    (desk.b.places.runs / night / "log.txt").write_text("one\ntwo\n")
    assert said(desk, capsys, "night", "logs", night, "--lines", "1") == (0, "two\n")
    assert said(desk, capsys, "night", "logs", night, "--log", "else")[0] == 2


def test_the_record_list_knows_a_snapshot(desk: Desk) -> None:
    found = nights.night_detail(desk.b, night_of(desk)).learned
    assert found is not None
    held_by = list_records(desk.b, RecordFilter(snapshot=found.snapshot), None)
    assert len(held_by) == found.own
    assert count_records(desk.b, RecordFilter(snapshot="none")) == 0


def test_pieces_of_pages_are_small(desk: Desk, client: TestClient) -> None:
    assert len(client.get("/nights/live").content) < 1_000
    assert Path("bonsai/web/static/nights.js").stat().st_size < 2_000


def test_a_killed_night_is_told_as_interrupted(desk: Desk, sleeper: subprocess.Popen[bytes]) -> None:
    client = desk.client()
    submit(desk.b, {"instruction": "What is new tonight?", "output": "The moon."}, NOW)
    desk.drain()
    night = begin_night(desk.b, NOW).night
    dead = process_name(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    with desk.b.database.writing() as con:
        con.execute("UPDATE nights SET holder = ? WHERE key = ?", [dead, night])
    status = night_status.read(desk.b.places.runs / night)
    assert status is not None
    night_status.write(desk.b.places.runs / night, replace(status, holder=dead))
    assert client.get("/nights/status").json() == {"state": "none"}
    assert client.get(f"/nights/{night}/status").json()["state"] == "interrupted"
    for path in ("/", MONTH, f"/nights/{night}"):
        assert "interrupted" in client.get(path).text
    forms = [one.attributes["action"] for one in Page(client.get(f"/nights/{night}").text).all("form")]
    assert "/nights" in forms  # to start again; there is nothing to stop
    assert f"/nights/{night}/cancel" not in forms
    assert client.post(f"/nights/{night}/cancel").status_code == 200  # and so it is cancelled at once
    assert client.get(f"/nights/{night}/status").json()["state"] == "cancelled"
