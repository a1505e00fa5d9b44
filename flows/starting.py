"""Starts a night in the background: on the server of `bonsai up`, or as a detached `bonsai night run`.

The process has its own session and outlives its parent. `night-start.json` in the home records who started it, until
the night writes its own status (`storage.night_status`); its output is in `logs/night-run.log`. Does not import
Prefect, which is too large for the dashboard.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bonsai.errors import TerminalError, UsageError
from bonsai.system.files import write_json_atomic
from bonsai.system.locks import is_locked, may_be_running, process_name
from flows import server
from flows.settings import auth_string
from storage import night_status

START = "night-start.json"
LOG = "night-run.log"
NIGHTLY = "nightly/cpu"
SERVER_STARTS_WITHIN = timedelta(minutes=2)
ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Started:
    """A night that somebody started."""

    at: datetime
    who: str
    process: str
    "`host:pid:start` of `bonsai night run`; empty when the server of `bonsai up` starts it."


def start_night(home: Path, environ: Mapping[str, str], *, cold: bool = False, who: str, now: datetime) -> Started:
    """Start a night. Raises UsageError while a night runs or starts, TerminalError when the server refuses."""
    if is_locked(home / "night.lock") or starting(home, now):
        raise UsageError("flows.night_runs")
    made = Started(now, who, "")
    up = server.running(home)
    if up:
        _trigger(up.url, auth_string(home), cold)
    else:
        made = replace(made, process=_run_detached(home, environ, cold))
    write_json_atomic(home / START, {**asdict(made), "at": now.isoformat()})
    return made


def _run_detached(home: Path, environ: Mapping[str, str], cold: bool) -> str:
    """Start `bonsai night run` detached; returns its process name."""
    log = home / "logs" / LOG
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-P", "-m", "bonsai.cli.main", "night", "run", *(["--cold"] if cold else [])]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**environ, "BONSAI_HOME": str(home)},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True, name="night").start()  # else it stays a zombie
    return process_name(process.pid)


def _trigger(url: str, auth: str, cold: bool) -> None:
    deployment = _call(url, auth, "GET", f"/deployments/name/{NIGHTLY}")
    _call(url, auth, "POST", f"/deployments/{deployment['id']}/create_flow_run", {"parameters": {"cold": cold}})


def _call(url: str, auth: str, method: str, path: str, body: object = None) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {base64.b64encode(auth.encode()).decode()}"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            return json.loads(answer.read())
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise TerminalError("flows.server_refused", url=url, detail=error) from error


def last_start(home: Path) -> Started | None:
    """The last start of a night."""
    try:
        content = json.loads((home / START).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Started(datetime.fromisoformat(content["at"]), str(content["who"]), str(content["process"]))


def starting(home: Path, now: datetime) -> Started | None:
    """The night that was started and does not run yet: Prefect needs ten seconds."""
    found = last_start(home)
    if found is None:
        return None
    begun = night_status.newest(home / "runs")
    if begun and begun.updated_at >= found.at:
        return None
    alive = may_be_running(found.process) if found.process else now - found.at < SERVER_STARTS_WITHIN
    return found if alive else None
