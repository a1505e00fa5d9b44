"""`bonsai experiment`: really runs a small design, goes on after a kill, and leaves database and champion alone."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "research", "experiment")
RUN = (*COMMAND, "run", "quick", "--seeds", "1", "--passes", "1", "--jobs", "2")
UNITS = {"base/alpaca", "base/tagged", "alpaca/1", "tagged/1"}
pytestmark = [pytest.mark.timeout(1200), pytest.mark.long]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "BONSAI_HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def bonsai(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []


def killed_after_a_line(home: Path, runs: Path) -> None:
    with subprocess.Popen(
        RUN, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as child:
        while not lines(runs):
            assert child.poll() is None
            time.sleep(0.2)
        os.killpg(child.pid, signal.SIGKILL)


def test_a_killed_experiment_goes_on_and_touches_nothing_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = bonsai(home, sys.executable, "-m", "bonsai.cli.main", "init")
    assert made.returncode == 0, made.stderr
    before = hashlib.sha256((home / "bonsai.duckdb").read_bytes()).hexdigest()
    runs = home / "experiments" / "quick" / "runs.jsonl"
    killed_after_a_line(home, runs)
    survived = runs.read_bytes()

    done = bonsai(home, *RUN)
    assert done.returncode == 0, done.stderr
    assert runs.read_bytes().startswith(survived)
    found = lines(runs)
    assert sorted(str(run["key"]) for run in found) == sorted(UNITS)
    tagged = next(run for run in found if run["key"] == "tagged/1")
    assert isinstance(tagged["training"], dict)
    assert len(tagged["losses"]) == tagged["training"]["steps"]  # type: ignore[arg-type]
    assert set(tagged["answers"]) == {"pipeline", "16", "32", "unstopped"}  # type: ignore[call-overload]
    assert len(tagged["curve"]) > 1  # type: ignore[arg-type]

    assert hashlib.sha256((home / "bonsai.duckdb").read_bytes()).hexdigest() == before
    assert not list((home / "adapters").iterdir())
    assert not list((home / "experiments" / "quick" / "work").iterdir())

    again = bonsai(home, *RUN, "--json")
    assert len(lines(runs)) == len(UNITS)
    shown = json.loads(again.stdout)
    assert shown["runs"] == len(UNITS)
    claims = {claim["claim"]: claim for claim in shown["claims"]}
    assert claims["loss"]["verdict"] == "too_few"  # one seed
    assert claims["loss"]["difference"]["mean"] > 0
    assert sorted(Path(plot).suffix for plot in shown["plots"]) == [".png", ".svg"]
    assert all(Path(plot).stat().st_size > 5000 for plot in shown["plots"])

    other = bonsai(home, *RUN[:-4], "--passes", "2")
    assert other.returncode == 1
    assert "passes" in other.stderr

    told = bonsai(home, *COMMAND, "show", "quick", "--lang", "ja")
    assert told.returncode == 0
    assert "主張" in told.stdout
    listed = [json.loads(line) for line in bonsai(home, *COMMAND, "list", "--json").stdout.splitlines()]
    assert {one["name"]: one["runs"] for one in listed} == {"templates": 0, "quick": len(UNITS)}


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    unknown = bonsai(tmp_path, *COMMAND, "run", "tempaltes")
    assert (unknown.returncode, "templates" in unknown.stderr) == (2, True)
    nothing = bonsai(tmp_path / "home", *COMMAND, "show", "templates")
    assert nothing.returncode == 1
    assert "experiment run templates" in nothing.stderr
    empty = bonsai(tmp_path / "home", *COMMAND, "run", "quick", "--records", "home")
    assert empty.returncode == 1
    assert "--records samples" in empty.stderr
    assert not (tmp_path / "home" / "experiments").exists()
