"""The embedded deployment of `bonsai up`: one server, one worker for each pool, and `prefect.yaml` deployed.

Everything started here is a child in a process group of its own, is stopped with its whole group, and gets
SIGTERM from the kernel when this process is killed. No Prefect is imported here: its own commands are run, and
`flows.reconcile` is run as one, so that Prefect reads the environment that was made for it.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from bonsai.config.settings import PrefectSettings
from bonsai.errors import TerminalError, UsageError
from bonsai.system.files import write_json_atomic
from bonsai.system.locks import file_lock, is_locked
from bonsai.system.processes import CODE
from flows.settings import DEPLOYMENTS, HOST, environment, folder, free_port, listens, url_of

POOLS = ("bonsai-cpu", "bonsai-gpu")
LOOK_SECONDS = 0.5
SHORT_LOOK_SECONDS = 0.1
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Child:
    """A process that we started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    again: Callable[[], Child] | None = None
    "Starts another in its place; None for the server, without which nothing goes on."
    needed: bool = True
    "False: when it ends too often it is given up, and the others go on."


@dataclass(frozen=True, slots=True)
class Patience:
    """The restart policy of a worker, with exponential backoff."""

    first_pause_seconds: float = 1.0
    "Before the first new start; each further death within the window doubles it."
    longest_pause_seconds: float = 60.0
    most_deaths: int = 5
    "Within the window; one more is no accident, and everything stops."
    window_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Death:
    """A worker that ended and will be started again."""

    name: str
    code: int
    log: Path
    pause_seconds: float
    "Infinite for one that is given up."


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Running:
    """A running server."""

    url: str
    logs: Path
    "One file for the server, one for each worker."
    environ: Mapping[str, str]
    "In which a client of this server runs; empty when another process started it."
    children: tuple[Child, ...] = ()
    crashed: tuple[str, ...] = ()
    "Runs of an earlier server that were found dead, and are marked now."


def running(home: Path) -> Running | None:
    """The server of this home, if one is up. Its file alone proves nothing: a killed one leaves it behind."""
    path = home / "prefect" / "server.json"
    if not path.is_file() or not is_locked(home / "prefect" / "up.lock"):
        return None
    port = int(json.loads(path.read_text("utf-8"))["port"])
    return Running(url_of(port), home / "logs", {}) if listens(port) else None


@contextmanager
def started(
    home: Path,
    settings: PrefectSettings,
    environ: Mapping[str, str],
    also: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[Running]:
    """Server, deployments and workers during the block; all of them are gone after it.

    `also` names what else runs beside them, each with its module and arguments; nothing depends on it.

    Raises LockTimeout when this home is up already, UsageError when the port is taken, TerminalError when
    something does not start.
    """
    with file_lock(folder(home) / "up.lock", exclusive=True, wait_seconds=0), ExitStack() as stack:
        port = settings.port or free_port()
        if listens(port):
            raise UsageError("flows.port_taken", port=port)
        own = environment(home, settings, environ, url_of(port))
        starting = _Starting(stack, home / "logs", settings.stop_seconds)
        server = starting.child("server", ["prefect", "server", "start", "--host", HOST, "--port", str(port)], own)
        wait_until_it_answers(server, url_of(port), settings.server_startup_seconds)
        crashed = tuple(json.loads(_run([sys.executable, "-m", "flows.reconcile", *POOLS], own)))
        deploy = ["prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(DEPLOYMENTS)]
        _run([sys.executable, "-m", *deploy], own)
        workers = tuple(_started_worker(starting, pool, own) for pool in POOLS)
        others = tuple(_started_beside(starting, name, command, own) for name, command in also.items())
        about = folder(home) / "server.json"
        write_json_atomic(about, {"port": port, "pid": server.process.pid})
        stack.callback(about.unlink, missing_ok=True)
        yield Running(url_of(port), home / "logs", own, (server, *workers, *others), crashed)


@contextmanager
def alone(home: Path, settings: PrefectSettings, environ: Mapping[str, str]) -> Iterator[Running]:
    """A server for this process only, gone after the block. It may not answer yet: `wait_until_it_answers`.

    Prefect would start one by itself, but that one outlives a killed parent and is only started after the import.
    """
    port = free_port()
    own = environment(home, settings, environ, url_of(port))
    app = Path(str(find_spec("prefect").origin)).parents[1]  # type: ignore[union-attr]  # a dependency of ours
    command = ["uvicorn", "--app-dir", str(app), "--factory", "prefect.server.api.server:create_app"]
    with ExitStack() as stack:
        starting = _Starting(stack, home / "logs", settings.stop_seconds)
        options = ["--host", HOST, "--port", str(port), "--log-level", "error", "--lifespan", "on"]
        server = starting.child("server-alone", [*command, *options], {**own, "PREFECT_UI_ENABLED": "0"})
        yield Running(url_of(port), home / "logs", own, (server,))


def wait(running: Running, on_death: Callable[[Death], None], patience: Patience = PATIENCE) -> None:
    """Keep everything up. A worker that ends is started again after a pause; `on_death` is called first.

    Raises TerminalError when the server ends, or a worker too often. Ctrl-C raises as ever.
    """
    watched = [_Watched(child, patience) for child in running.children]
    while True:
        for one in watched:
            one.look(time.monotonic(), on_death)
        time.sleep(LOOK_SECONDS)


@dataclass(slots=True)
class _Watched:
    """A child, and how it fared."""

    child: Child
    patience: Patience
    deaths: list[float] = field(default_factory=list)
    due: float | None = None
    "When it is to be started again."

    def look(self, now: float, on_death: Callable[[Death], None]) -> None:
        """Notice its death, or start it again when that is due."""
        if self.due is not None:
            if now >= self.due and self.child.again is not None:
                self.child, self.due = self.child.again(), None
            return
        code = _ended(self.child.process)
        if code is None:
            return
        self.deaths = [one for one in self.deaths if now - one < self.patience.window_seconds] + [now]
        name, log = self.child.name, self.child.log
        too_often = len(self.deaths) > self.patience.most_deaths
        if self.child.again is None or (too_often and self.child.needed):
            raise TerminalError("flows.child_ended", name=name, code=code, log=log)
        doubled = self.patience.first_pause_seconds * 2 ** (len(self.deaths) - 1)
        pause = math.inf if too_often else min(doubled, self.patience.longest_pause_seconds)
        self.due = now + pause
        on_death(Death(name, code, log, pause))


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a child that ended, else None.

    It stays unreaped, so that no other process gets its id: runs that it left behind go on, and are found by the id
    of their group when everything stops.
    """
    if process.returncode is not None:
        return process.returncode
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def wait_until_it_answers(server: Child, url: str, seconds: float) -> None:
    """Raises TerminalError when it ends instead, or takes longer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.process.poll() is None:
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            with urllib.request.urlopen(f"{url}/api/health", timeout=2):
                return
        time.sleep(SHORT_LOOK_SECONDS)
    raise TerminalError("flows.server_did_not_start", seconds=f"{seconds:g}", log=server.log)


@dataclass(frozen=True, slots=True)
class _Starting:
    """Starts Python modules as children that end with `stack`."""

    stack: ExitStack
    logs: Path
    stop_seconds: float

    def child(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        again: Callable[[], Child] | None = None,
    ) -> Child:
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=dict(environ),
                cwd=CODE,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        self.stack.callback(_stop, process, self.stop_seconds)
        return Child(name, process, log, again)


def _started_beside(starting: _Starting, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Child:
    """An optional child, on which nothing depends."""
    again = partial(_started_beside, starting, name, command, environ)
    return replace(starting.child(name, command, environ, again), needed=False)


def _started_worker(starting: _Starting, pool: str, environ: Mapping[str, str]) -> Child:
    """A worker. Before one takes the place of another, dead runs are marked: they would block their deployment."""

    def again() -> Child:
        _run([sys.executable, "-m", "flows.reconcile", *POOLS], environ)
        return _started_worker(starting, pool, environ)

    return starting.child(pool, _worker(pool), _seen_by(pool, environ), again)


def _worker(pool: str) -> list[str]:
    """A training takes the whole accelerator, so the GPU worker takes one run at a time."""
    limit = ["--limit", "1"] if pool.endswith("gpu") else []
    return ["prefect", "worker", "start", "--pool", pool, "--type", "process", "--name", pool, *limit]


def _seen_by(pool: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Only the GPU worker sees the accelerator."""
    return dict(environ) if pool.endswith("gpu") else {**environ, "CUDA_VISIBLE_DEVICES": ""}


def _run(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run a command of Prefect's to its end; its output. Raises TerminalError with its last line."""
    done = subprocess.run(command, env=dict(environ), cwd=CODE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "-").splitlines()[-1]
        raise TerminalError("flows.command_failed", command=" ".join(command[1:]), code=done.returncode, said=said)
    return done.stdout


def _stop(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask the child, then kill its whole group: a worker's runs must not outlive it."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
