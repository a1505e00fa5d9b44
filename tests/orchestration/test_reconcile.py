"""Which unfinished runs are dead: told by the process that their worker noted."""

import socket
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun

from bonsai.system.locks import file_lock, is_locked
from flows.reconcile import may_live


def run(pid: str | None, deployed: bool = True) -> FlowRun:
    return FlowRun(flow_id=uuid4(), deployment_id=uuid4() if deployed else None, infrastructure_pid=pid)


def test_a_run_of_a_living_prefect_process_lives() -> None:
    program = "import time; print('here', flush=True); time.sleep(60)"
    sleeper = subprocess.Popen([sys.executable, "-c", program, "prefect"], stdout=subprocess.PIPE)
    try:
        assert sleeper.stdout is not None
        sleeper.stdout.readline()  # before this the kernel may not know its command line yet
        assert may_live(run(f"{socket.gethostname()}:{sleeper.pid}"), night_held=False)
        assert may_live(run(str(sleeper.pid)), night_held=False)
    finally:
        sleeper.kill()
        sleeper.communicate()
    assert not may_live(run(f"{socket.gethostname()}:{sleeper.pid}"), night_held=False)


def test_a_process_id_that_another_program_got_since_is_no_life() -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        assert not may_live(run(f"{socket.gethostname()}:{other.pid}"), night_held=False)
    finally:
        other.kill()
        other.wait()


def test_another_host_is_given_the_benefit() -> None:
    assert may_live(run("elsewhere:1"), night_held=False)


@pytest.mark.parametrize(
    ("deployed", "held_now", "lives"), [(True, True, False), (False, True, True), (False, False, False)]
)
def test_a_run_without_a_process_is_a_person_s_night_or_dead(deployed: bool, held_now: bool, lives: bool) -> None:
    assert may_live(run(None, deployed), night_held=held_now) is lives


def test_a_lock_tells_whether_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "night.lock"
    assert not is_locked(path)
    with file_lock(path, exclusive=True, wait_seconds=0):
        assert is_locked(path)
    assert not is_locked(path)
