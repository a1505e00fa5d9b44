"""`bonsai dashboard` and `bonsai users`, and the small parts that have no page of their own."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest
from desk import EVIL, NOW, Desk

from bonsai.auth import accounts
from bonsai.cli import main as cli
from bonsai.web import charts
from bonsai.web.charts import Interval, Point, Scale
from bonsai.web.pages.home import next_night


def run(desk: Desk, *argv: str) -> int:
    return cli.run(argv, {"BONSAI_HOME": str(desk.b.home), "LANG": "C.UTF-8"})


def test_other_machines_need_users(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(desk, "dashboard", "--host", "0.0.0.0") == 2
    assert "bonsai users add" in capsys.readouterr().err
    assert run(desk, "dashboard", "--login", "--lang", "ja") == 2


def test_a_port_in_use_is_said_in_one_line(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(desk, "dashboard", "--port", str(port)) == 2
    assert str(port) in capsys.readouterr().err


def test_users_come_and_go(desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("dust in the litter\ndust on the shelf\n"))
    assert run(desk, "users", "add", "mika", "--role", "reviewer") == 0
    assert run(desk, "users", "passwd", "mika") == 0
    assert run(desk, "users", "add", "tom", "--role", "king") == 2
    capsys.readouterr()
    assert run(desk, "users", "list", "--json") == 0
    listed = capsys.readouterr().out
    assert '"role": "reviewer"' in listed
    assert "argon2" not in listed
    assert run(desk, "users", "role", "mika", "king") == 2
    assert run(desk, "users", "role", "mika", "contributor") == 0
    assert [one.role for one in accounts.list_users(desk.b)] == ["contributor"]
    assert run(desk, "users", "remove", "mika") == 0
    assert run(desk, "users", "role", "mika", "admin") == 2
    assert run(desk, "users", "remove", "mika") == 2


def test_the_next_night_is_the_schedules(tmp_path: Path) -> None:
    found = next_night(tmp_path, datetime(2026, 11, 21, 18, 30, tzinfo=UTC))
    assert found.at == datetime(2026, 11, 22, 18, 0, tzinfo=UTC)  # three in the morning in Tokyo
    assert not found.up
    assert next_night(tmp_path, NOW, tmp_path / "none.yaml").at is None


def test_an_interval_lies_where_its_figures_are() -> None:
    one = Interval(0.5, 0.25, 0.75, 0.0, "pass")
    drawn = ET.fromstring(charts.interval_plot(one, Scale(0.0, 1.0), EVIL))
    assert drawn.attrib["aria-label"] == EVIL
    [dot] = [part for part in drawn if part.tag.endswith("circle")]
    bars = [part for part in drawn if part.attrib["class"].startswith("interval")]
    assert float(dot.attrib["cx"]) == 120
    assert (float(bars[0].attrib["x1"]), float(bars[0].attrib["x2"])) == (61, 179)


def test_a_scale_holds_all_it_has_to_show() -> None:
    shown = [Interval(0.97, None, None, 0.95, "pass"), Interval(0.99, None, None, float("nan"), "pass")]
    scale = charts.scale_of(shown, with_zero=False)
    assert 0.9 < scale.low < 0.95
    assert scale.high > 0.99
    assert charts.scale_of(shown, with_zero=True).low < 0 < scale.at(0.97, 0, 1) < 1
    flat = charts.scale_of([Interval(1.0, None, None, 1.0, "pass")], with_zero=False)
    assert flat.low < 1 < flat.high


def test_a_trend_is_a_line_a_language() -> None:
    times = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3)]
    points = [Point(at, language, 0.5, 0.4, 0.6) for at in times for language in ("ja", "en")]
    drawn = ET.fromstring(charts.trend_plot(points, "words"))
    assert sum(part.tag.endswith("polyline") for part in drawn) == 2
    assert sum(part.tag.endswith("circle") for part in drawn) == 6


def test_tokens_come_and_go(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(desk, "tokens", "add", "mika", "--scope", "append", "--scope", "read", "--note", "telephone") == 0
    told = capsys.readouterr()
    token = told.out.strip()
    assert token.startswith("bonsai_")
    assert token not in told.err  # a script takes the one and a person reads the other
    assert run(desk, "tokens", "add", "mika", "--scope", "king") == 2
    assert run(desk, "tokens", "add", "mika", "--scope", "read", "--days", "0") == 2
    assert run(desk, "tokens", "add", "\n", "--scope", "read") == 2
    capsys.readouterr()
    assert run(desk, "tokens", "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["scopes"], listed["note"]) == ("mika", ["read", "append"], "telephone")
    assert listed["id"] in token
    assert run(desk, "tokens", "list") == 0
    shown = capsys.readouterr().out
    assert listed["id"] in shown
    assert token.split("_", 2)[2] not in shown
    assert run(desk, "tokens", "revoke", token) == 0
    assert run(desk, "tokens", "revoke", listed["id"]) == 2
    assert token not in capsys.readouterr().err
