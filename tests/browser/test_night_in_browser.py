"""A real night of the seedling, started on the page by `bonsai dashboard` and followed there to its verdict."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from browsing import Open
from playwright.sync_api import expect

from bonsai import bootstrap
from bonsai.actions.import_file import import_file
from bonsai.queries.nights import list_nights
from bonsai.samples import sample_path
from flows import starting

RECORDS = 60
SHORT = """
[training]
threads = 1
anchor_share = 0.2

[profiles.seedling.recipe]
epochs = 2

[benchmark]
canaries = 4
"""
"The verdict is not what this is about."
MILLISECONDS = 600_000

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    now, folder = datetime.now(UTC), tmp_path / "home"
    bootstrap.init(folder, "en", now, {})
    with (folder / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write(SHORT)
    told = tmp_path / "told.jsonl"
    with sample_path("experience.jsonl").open(encoding="utf-8") as rows:
        told.write_text("".join(islice(rows, RECORDS)), "utf-8")
    import_file(bootstrap.open(folder, {}), told, now=now, source="community")
    yield folder
    start = starting.last_start(folder)
    if start and start.process:
        kill_group(int(start.process.split(":")[-2]))


def kill_group(pid: int) -> None:
    """A night that a failed test left behind."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture
def real_address(home: Path) -> Iterator[str]:
    """Of `bonsai dashboard`, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-P", "-m", "bonsai.cli.main", "dashboard", "--port", str(port)]
    environ = {**os.environ, "BONSAI_HOME": str(home), "USER": "mika", "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    while not listens(port):
        assert server.poll() is None
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_night_is_started_and_followed_to_its_verdict(home: Path, real_address: str, visit: Open) -> None:
    page = visit(real_address).go("/nights")
    page.get_by_role("button", name="Start now").click()
    page.evaluate("window.never_reloaded = true")
    now = page.get_by_role("region", name="Current status")
    bar = now.locator("progress[max]")
    expect(now.locator("strong")).to_contain_text("training", timeout=MILLISECONDS)
    expect(bar).to_be_visible(timeout=MILLISECONDS)
    seen = bar.get_attribute("value") or ""
    expect(bar).not_to_have_attribute("value", seen, timeout=MILLISECONDS)
    expect(now.locator("svg")).to_be_visible(timeout=MILLISECONDS)
    expect(now.get_by_text("tokens so far")).to_be_visible()
    expect(page.locator("#live-said")).to_have_text("The night is finished.", timeout=MILLISECONDS)
    assert page.evaluate("window.never_reloaded")
    now.get_by_role("link", name="See the result").click()
    expect(page.get_by_role("region", name="Verdict")).to_be_visible()
    expect(page.get_by_role("region", name="Steps").get_by_role("row")).not_to_have_count(1)
    [night] = list_nights(bootstrap.open(home, {}), None)
    assert night.verdict
    assert json.loads((home / starting.START).read_text("utf-8"))["who"] == "mika"
