"""The embedded deployment: one server, one worker a pool, `prefect.yaml` deployed; `bonsai up` for a person.

Everything started here is a child in a process group of its own, is stopped with its whole group, and gets
SIGTERM from the kernel when this process is killed. No Prefect is imported here: its own commands are run, and
`flows.reconcile` is run as one, so that Prefect reads the environment that was made for it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bonsai.config import PrefectSettings
from bonsai.errors import TerminalError, UsageError
from bonsai.files import write_json_atomic
from flows.locks import is_held
from flows.settings import CODE, HOST, environment, folder
from storage.locks import held

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


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

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
    if not path.is_file() or not is_held(home / "prefect" / "up.lock"):
        return None
    port = int(json.loads(path.read_text("utf-8"))["port"])
    return Running(_url(port), home / "logs", {}) if _listens(port) else None


@contextmanager
def started(home: Path, settings: PrefectSettings, environ: Mapping[str, str]) -> Iterator[Running]:
    """Server, deployments and workers during the block; all of them are gone after it.

    Raises LockTimeout when this home is up already, UsageError when the port is taken, TerminalError when
    something does not start.
    """
    with held(folder(home) / "up.lock", exclusive=True, wait_seconds=0), ExitStack() as stack:
        port = settings.port or _free_port()
        if _listens(port):
            raise UsageError("flows.port_taken", port=port)
        own = environment(home, settings, environ, _url(port))
        starting = _Starting(stack, home / "logs", settings.stop_seconds)
        server = starting.child("server", ["prefect", "server", "start", "--host", HOST, "--port", str(port)], own)
        wait_until_it_answers(server, _url(port), settings.server_startup_seconds)
        crashed = tuple(json.loads(_run([sys.executable, "-m", "flows.reconcile", *POOLS], own)))
        _run([sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"], own)
        workers = tuple(starting.child(pool, _worker(pool), _seen_by(pool, own)) for pool in POOLS)
        about = folder(home) / "server.json"
        write_json_atomic(about, {"port": port, "pid": server.process.pid})
        stack.callback(about.unlink, missing_ok=True)
        yield Running(_url(port), home / "logs", own, (server, *workers), crashed)


@contextmanager
def alone(home: Path, settings: PrefectSettings, environ: Mapping[str, str]) -> Iterator[Running]:
    """A server for this process only, gone after the block. It may not answer yet: `wait_until_it_answers`.

    Prefect would start one by itself, but that one outlives a killed parent and is only started after the import.
    """
    port = _free_port()
    own = environment(home, settings, environ, _url(port))
    app = Path(str(find_spec("prefect").origin)).parents[1]  # type: ignore[union-attr]  # a dependency of ours
    command = ["uvicorn", "--app-dir", str(app), "--factory", "prefect.server.api.server:create_app"]
    with ExitStack() as stack:
        starting = _Starting(stack, home / "logs", settings.stop_seconds)
        options = ["--host", HOST, "--port", str(port), "--log-level", "error", "--lifespan", "on"]
        server = starting.child("server-alone", [*command, *options], {**own, "PREFECT_UI_ENABLED": "0"})
        yield Running(_url(port), home / "logs", own, (server,))


def wait(running: Running) -> None:
    """Until one of the children ends, which it should not: raises TerminalError. Ctrl-C raises as ever."""
    while True:
        for child in running.children:
            if child.process.poll() is not None:
                raise TerminalError("flows.child_ended", name=child.name, code=child.process.returncode, log=child.log)
        time.sleep(LOOK_SECONDS)


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

    def child(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Child:
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
        return Child(name, process, log)


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


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
