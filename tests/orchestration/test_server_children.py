"""What `flows.server` starts does not outlive what started it, however that ended."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bonsai.config.settings import load_config
from bonsai.errors import TerminalError
from flows import server
from flows.settings import auth_file, auth_string, environment

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, sys, time
from pathlib import Path
from bonsai.config.settings import load_config
from flows import server
home = Path(sys.argv[1])
with server.alone(home, load_config(home, {}).prefect, os.environ) as running:
    print(running.children[0].process.pid, flush=True)
    time.sleep(600)
"""


def is_gone(pid: int, seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.1)
    return False


def test_a_server_for_one_night_ends_with_a_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert is_gone(child)


def test_a_file_of_a_killed_server_is_no_server(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "server.json").write_text('{"port": 4200, "pid": 1}')
    assert server.running(tmp_path) is None


def test_the_password_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = auth_string(tmp_path)
    assert auth_string(tmp_path) == first
    assert len(first) > 40
    assert auth_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_person_s_own_prefect_is_left_alone(tmp_path: Path) -> None:
    settings = load_config(tmp_path, {}).prefect
    theirs = {"PREFECT_API_URL": "https://api.prefect.cloud/x", "PREFECT_API_KEY": "secret", "PATH": os.environ["PATH"]}
    made = environment(tmp_path, settings, theirs, "http://127.0.0.1:4200")
    assert made["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"
    assert made["PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS"] == "http://127.0.0.1:4200"
    assert "PREFECT_API_KEY" not in made
    assert made["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert made["DO_NOT_TRACK"] == "1"
    assert "PREFECT_API_URL" not in environment(tmp_path, settings, theirs)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Every process of a test, ended with it."""
    made: list[subprocess.Popen[bytes]] = []
    yield made
    for process in made:
        process.kill()
        process.wait()


def ending(name: str, log: Path, seconds: float, started: list[subprocess.Popen[bytes]], keeps: bool) -> server.Child:
    """A child that ends with code 3 after some seconds; `keeps`: it is started again."""

    def again() -> server.Child:
        return ending(name, log, seconds, started, keeps)

    program = f"import sys, time; time.sleep({seconds}); sys.exit(3)"
    started.append(subprocess.Popen([sys.executable, "-c", program], start_new_session=True))
    return server.Child(name, started[-1], log, again if keeps else None)


def test_a_worker_that_ends_is_started_again_a_few_times_and_then_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.01)
    deaths: list[server.Death] = []
    lasting = ending("server", tmp_path, 60, started, keeps=False)
    worker = ending("bonsai-gpu", tmp_path, 0, started, keeps=True)
    patience = server.Patience(first_pause_seconds=0.1, longest_pause_seconds=0.3, most_deaths=3)
    with pytest.raises(TerminalError, match="bonsai-gpu exited with code 3"):
        server.wait(server.Running("", tmp_path, {}, (lasting, worker)), deaths.append, patience)
    assert lasting.process.poll() is None
    assert len(started) == 1 + 4
    assert [(one.name, one.code) for one in deaths] == [("bonsai-gpu", 3)] * 3
    assert [one.pause_seconds for one in deaths] == [0.1, 0.2, 0.3]


def test_without_its_server_nothing_is_kept_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.01)
    running = server.Running("", tmp_path, {}, (ending("server", tmp_path, 0, started, keeps=False),))
    with pytest.raises(TerminalError, match="server exited with code 3"):
        server.wait(running, lambda death: None)


def test_a_killed_child_is_seen_and_keeps_its_id_until_everything_stops(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    child = ending("bonsai-gpu", tmp_path, 60, started, keeps=True)
    watched = server._Watched(child, server.PATIENCE)
    deaths: list[server.Death] = []
    watched.look(0.0, deaths.append)
    assert deaths == []
    child.process.kill()
    until = time.monotonic() + 20
    while not deaths and time.monotonic() < until:
        watched.look(0.0, deaths.append)
    assert [one.code for one in deaths] == [-signal.SIGKILL]
    assert Path(f"/proc/{child.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_what_nothing_depends_on_is_given_up_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.01)
    pages = replace(ending("dashboard", tmp_path, 0, started, keeps=True), needed=False)
    deaths: list[server.Death] = []

    def told(death: server.Death) -> None:
        deaths.append(death)
        if len(deaths) == 1:
            raise KeyboardInterrupt

    patience = server.Patience(first_pause_seconds=0, most_deaths=0)
    with pytest.raises(KeyboardInterrupt):
        server.wait(server.Running("", tmp_path, {}, (pages,)), told, patience)
    assert [one.pause_seconds for one in deaths] == [math.inf]
    assert len(started) == 1
