"""`bonsai up` as a person starts it: a server, a worker a pool, `prefect.yaml` deployed, one night to its promotion."""

import base64
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bonsai import bootstrap
from bonsai.actions.import_file import import_file
from bonsai.config.settings import load_config
from bonsai.errors import LockTimeout
from bonsai.queries.nights import list_nights
from bonsai.queries.promotions import champion
from bonsai.queries.records import list_records
from bonsai.samples import sample_path
from bonsai.system.progress import silent
from flows import server, tasks
from flows.settings import auth_file
from storage.tables.records_table import RecordFilter

pytestmark = pytest.mark.long  # a whole night between a server and its two workers

SHORT = """
[prefect]
port = 0
worker_poll_seconds = 1
server_startup_seconds = 240

[benchmark]

# The gate itself is tested elsewhere; what a training on this machine's cores lost is no matter here.
[gate]
language_margin_bits = 5.0
retention_margin_bits = 5.0
slice_margin_bits = 5.0
retention_floor = 0.0

[gate.guard_floors]
ended = 0.0
language = 0.0
no_loop = 0.0
not_empty = 0.0
no_leak = 0.0
"""
RECORDS = 478
"All samples: with fewer, or in fewer passes, too little is learned for a pool that no night has seen to confirm it."
NIGHT_SECONDS = 2400
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True)
class Api:
    """Prefect's REST API as its owner."""

    url: str
    auth: str = ""

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        request = urllib.request.Request(f"{self.url}/api{path}", method=method)
        request.add_header("Content-Type", "application/json")
        if self.auth:
            request.add_header("Authorization", f"Basic {base64.b64encode(self.auth.encode()).decode()}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        data = None if body is None else json.dumps(body).encode()
        for pause in (1, 2, 4, 8, None):  # 503: its SQLite is busy; Prefect's own client tries again too
            try:
                with urllib.request.urlopen(request, data, timeout=60) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                if error.code != 503 or pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("not reached")

    def status(self, method: str, path: str, body: object = None, **headers: str) -> int:
        try:
            self.call(method, path, body, **headers)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def run(self, deployment: str, seconds: float) -> dict[str, Any]:
        """Start a deployment and wait for its end."""
        found = self.call("GET", f"/deployments/name/{deployment}")
        run = self.call("POST", f"/deployments/{found['id']}/create_flow_run", {})
        until = time.monotonic() + seconds
        while run["state_type"] not in OVER and time.monotonic() < until:
            time.sleep(1)
            with suppress(TimeoutError):  # a busy machine
                run = self.call("GET", f"/flow_runs/{run['id']}")
        return dict(run)


@dataclass(frozen=True)
class Up:
    """A running Bonsai."""

    home: Path
    running: server.Running

    @property
    def api(self) -> Api:
        return Api(self.running.url, auth_file(self.home).read_text())


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    home = tmp_path_factory.mktemp("up") / "home"
    bootstrap.init(home, "en", tasks.now(), {})
    with (home / "bonsai.toml").open("a") as file:
        file.write(SHORT)
    bonsai = bootstrap.open(home, {})
    import_file(bonsai, sample_path("experience.jsonl"), now=tasks.now(), report=silent)
    with server.started(home, load_config(home, {}).prefect, os.environ) as running:
        yield Up(home, running)


def test_without_the_password_nothing_can_be_started(up: Up) -> None:
    stranger = Api(up.running.url)
    assert stranger.status("POST", "/flow_runs/filter", {}) == 401
    assert stranger.status("POST", "/deployments/filter", {}) == 401
    assert Api(up.running.url, "bonsai:wrong").status("POST", "/flow_runs/filter", {}) == 401
    assert up.api.status("POST", "/flow_runs/filter", {}) == 200
    assert auth_file(up.home).stat().st_mode & 0o777 == 0o600


def test_a_foreign_page_is_not_let_in(up: Up) -> None:
    asked = {"Access_Control_Request_Method": "POST"}
    assert up.api.status("OPTIONS", "/flow_runs/filter", Origin="http://evil.example", **asked) == 400


def test_it_listens_on_loopback_alone(up: Up) -> None:
    port = int(up.running.url.rsplit(":", 1)[1])
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_a_second_server_for_the_same_home_is_refused(up: Up) -> None:
    with pytest.raises(LockTimeout), server.started(up.home, load_config(up.home, {}).prefect, os.environ):
        pass


def test_every_deployment_is_there_and_the_night_is_scheduled(up: Up) -> None:
    found = {one["entrypoint"]: one for one in up.api.call("POST", "/deployments/filter", {})}
    assert len(found) == 4
    (schedule,) = found["flows.nightly_flow.nightly"]["schedules"]
    assert schedule["schedule"] == {"cron": "0 3 * * *", "timezone": "Asia/Tokyo", "day_or": True}
    assert all(one["concurrency_options"]["collision_strategy"] == "CANCEL_NEW" for one in found.values())


def test_the_next_nights_are_scheduled(up: Up) -> None:
    # Under SQLAlchemy 2.1 Prefect's scheduler fails in the background and no night ever comes.
    scheduled = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "flows": {"name": {"any_": ["nightly"]}}}
    until = time.monotonic() + 60
    while not (runs := up.api.call("POST", "/flow_runs/filter", scheduled)) and time.monotonic() < until:
        time.sleep(1)
    assert runs
    assert all(run["auto_scheduled"] and run["expected_start_time"][11:13] == "18" for run in runs)  # 3:00 in Tokyo


@pytest.mark.timeout(3000)
def test_a_night_trains_on_the_gpu_pool_and_ends_in_a_promotion(up: Up) -> None:
    run = up.api.run("nightly/cpu", NIGHT_SECONDS)
    assert run["state_type"] == "COMPLETED", (up.running.logs / "bonsai-gpu.log").read_text()[-3000:]
    bonsai = bootstrap.open(up.home, {})
    (night,) = list_nights(bonsai, None)
    assert (night.status, night.verdict) == ("done", "promote"), night.reasons_in("en")
    assert champion(bonsai) == night.challenger != "base"

    runs = up.api.call("POST", "/flow_runs/filter", {})
    trained = [one for one in runs if one["work_pool_name"] == "bonsai-gpu"]
    assert [one["parameters"] for one in trained] == [{"night": night.night}]

    again = up.api.run("nightly/cpu", NIGHT_SECONDS)
    assert again["state_type"] == "COMPLETED"
    assert [one.status for one in list_nights(bonsai, None) if one.night == night.night] == ["done"]


def test_the_server_was_told_ids_and_no_record(up: Up) -> None:
    records = list_records(bootstrap.open(up.home, {}), RecordFilter(), None)
    told = json.dumps(
        [
            up.api.call("POST", "/logs/filter", {"limit": 200}),
            up.api.call("POST", "/flow_runs/filter", {}),
            up.api.call("POST", "/task_runs/filter", {}),
        ],
        ensure_ascii=False,
    )
    assert len(records) == RECORDS
    assert not [stored.record.id for stored in records if stored.record.output in told]
