"""A model that stays in a process of its own: started by the first question, restarted once, ended when idle."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bonsai.errors import ConfigError, LockTimeout, TransientError, WorkerDied
from bonsai.inference.client import InferenceRequest, ModelRef
from bonsai.inference.resident import ResidentClient
from bonsai.model.bases import Base, Device
from bonsai.model.prompt import Question
from bonsai.night import device_lock as night_device_lock
from bonsai.system.locks import file_lock, has_waiters

WORKER = """
import os, signal, sys, time
from bonsai.errors import ConfigError
from bonsai.system.processes import serve_requests

def handle(request):
    told = request["questions"][0]["instruction"]
    if told.startswith("die"):
        if told == "die always" or not os.path.exists("died"):
            open("died", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
    if told == "refuse":
        raise ConfigError("model.profile_unknown", name="oak", known="elm")
    if told == "break":
        raise ZeroDivisionError("the reason")
    if told == "sleep":
        time.sleep(60)
    print("a library talks")
    tags = {"reasoning": "", "category": "open_qa", "language": "ja"}
    return {"answers": [{"response": f"{told} {os.getpid()} 日本", "tags": tags, "ended": True}]}

if __name__ == "__main__":
    sys.exit(serve_requests(handle))
"""
BASE = Base("seedling", "seedling", "", "nf4", True, "float32", 512, 96, 128, 64)


def asking(question: str = "Who?", base: Base = BASE, adapter: str = "", device: str = "cpu") -> InferenceRequest:
    return InferenceRequest(ModelRef(base, device, "tagged", adapter, adapter), (Question(question),), (None,))


@dataclass
class Made:
    """Inference clients, all of them closed at the end."""

    folder: Path
    speakers: list[ResidentClient]

    def __call__(self, idle_seconds: float = 60, timeout_seconds: float = 30, **more: object) -> ResidentClient:
        made = ResidentClient(self.folder, idle_seconds, timeout_seconds, worker="a_worker", **more)  # type: ignore[arg-type]
        self.speakers.append(made)
        return made


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    (tmp_path / "a_worker.py").write_text(WORKER, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = Made(tmp_path, [])
    yield made
    for inference in made.speakers:
        inference.close()


def pid_of(inference: ResidentClient, question: str = "Who?", **more: object) -> int:
    """Of the process that answered."""
    (said,) = inference.complete(asking(question, **more))  # type: ignore[arg-type]
    return int(said.response.split()[-2])


def gone(pid: int) -> bool:
    """Within ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.02)
    return False


def test_one_process_answers_question_after_question(make: Made) -> None:
    inference = make()
    assert inference.pid is None
    first = pid_of(inference)
    assert first == pid_of(inference, adapter="a") == inference.pid != os.getpid()
    assert "a library talks" in (make.folder / "ask.log").read_text("utf-8")
    inference.close()
    assert gone(first)
    assert pid_of(inference) != first


def test_it_ends_when_nobody_asks(make: Made) -> None:
    inference = make(idle_seconds=0.2)
    pid = pid_of(inference)
    assert gone(pid)
    assert pid_of(inference) != pid


def test_a_dead_process_is_started_once_more_and_then_it_is_said(make: Made) -> None:
    inference = make()
    assert pid_of(inference, "die") == inference.pid
    with pytest.raises(WorkerDied, match=r"SIGKILL.*ask\.log"):
        inference.complete(asking("die always"))
    assert inference.pid is None
    with pytest.raises(WorkerDied, match=r"exit code 1.*ask\.log"):
        inference.complete(asking("break"))
    assert "ZeroDivisionError: the reason" in (make.folder / "ask.log").read_text("utf-8")
    assert pid_of(inference) == inference.pid  # the next question is answered all the same


def test_one_that_was_killed_between_two_questions_is_not_noticed(make: Made) -> None:
    inference = make()
    pid = pid_of(inference)
    os.kill(pid, 9)
    assert pid_of(inference) != pid


def test_a_refusal_is_raised_here_and_the_process_stays(make: Made) -> None:
    inference = make()
    pid = pid_of(inference)
    with pytest.raises(ConfigError, match="oak"):
        inference.complete(asking("refuse"))
    assert pid_of(inference) == pid


def test_what_takes_too_long_is_ended(make: Made) -> None:
    inference = make(timeout_seconds=5)
    pid = pid_of(inference)
    inference.timeout_seconds = 0.3
    with pytest.raises(TransientError, match=r"longer than 0\.3 seconds"):
        inference.complete(asking("sleep"))
    assert gone(pid)


def test_the_end_breaks_off_what_is_being_answered(make: Made) -> None:
    inference = make()
    pid, told = pid_of(inference), list[Exception]()

    def ask() -> None:
        try:
            inference.complete(asking("sleep"))
        except WorkerDied as error:
            told.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    while not inference._turn.locked():
        time.sleep(0.01)
    inference.end()
    waiting.join(10)
    assert len(told) == 1
    assert gone(pid)
    with pytest.raises(WorkerDied):
        inference.complete(asking())
    assert inference.pid is None
    inference.end()


def test_another_base_or_too_many_adapters_take_the_place_of_those_before(make: Made) -> None:
    inference = make()
    first = pid_of(inference)
    assert {pid_of(inference, adapter=name) for name in "abcd"} == {first}
    second = pid_of(inference, adapter="e")
    assert second != first
    assert gone(first)
    assert pid_of(inference, base=replace(BASE, name="oak")) != second
    assert gone(second)


@contextmanager
def no_room(device: str) -> Iterator[Callable[[], bool]]:
    raise LockTimeout("asking.training_runs")
    yield


def test_without_room_nothing_is_started(make: Made) -> None:
    inference = make(device_lock=no_room)
    with pytest.raises(LockTimeout, match="A night is training"):
        inference.complete(asking())
    assert inference.pid is None


def test_it_makes_room_for_a_training_that_waits(make: Made) -> None:
    wanted = threading.Event()
    left = threading.Event()

    @contextmanager
    def device_lock(device: str) -> Iterator[Callable[[], bool]]:
        yield wanted.is_set
        left.set()

    inference = make(device_lock=device_lock)
    pid = pid_of(inference)
    wanted.set()
    assert gone(pid)
    assert left.wait(5)


def test_a_training_and_a_question_keep_away_from_each_others_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver alone is made by hand; the locks are those of a night."""
    monkeypatch.setattr(night_device_lock, "find_device", lambda: Device("cuda", 80.0, (f"GPU-{tmp_path.name}",)))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (lock,) = night_device_lock.lock_files(tmp_path, Device("cuda", 80.0, (f"GPU-{tmp_path.name}",)), 1)
    with file_lock(lock, exclusive=True, wait_seconds=0):
        with (
            pytest.raises(LockTimeout, match="A night is training"),
            night_device_lock.beside_no_training(tmp_path, "cuda"),
        ):
            pass
        with night_device_lock.beside_no_training(tmp_path, "cpu") as waited_for:
            assert not waited_for()
    trained = threading.Event()

    def train() -> None:
        with file_lock(lock, exclusive=True, wait_seconds=20):
            trained.set()

    with night_device_lock.beside_no_training(tmp_path, "cuda") as waited_for:
        with night_device_lock.beside_no_training(tmp_path, "cuda"):
            assert not waited_for()
        training = threading.Thread(target=train)
        training.start()
        until = time.monotonic() + 10
        while not has_waiters(lock) and time.monotonic() < until:
            time.sleep(0.01)
        assert waited_for()
        assert not trained.is_set()
    training.join(20)
    assert trained.is_set()
