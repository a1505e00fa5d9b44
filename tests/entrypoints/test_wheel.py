"""The built wheel, installed outside the checkout: what a person gets from `uv tool install` or `pipx install`.

Its environment sees the packages of the running one through a `.pth`, which leads to `site-packages` and not to the
editable install: a `.pth` found there is not followed. Nothing is fetched.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bonsai", "storage", "flows")
STOP_SECONDS = 240.0
"Until everything that `up` started has ended, on whatever else the machine does."
UP_SECONDS = 300
TYPES = ("bonsai/py.typed", "storage/py.typed", "flows/py.typed")


@dataclass(frozen=True)
class Installed:
    """An installed Bonsai with a home of its own."""

    python: Path
    home: Path
    elsewhere: Path
    "The current folder of everything that is run."

    @property
    def environ(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "BONSAI_", "PREFECT_"))}
        return {**kept, "BONSAI_HOME": str(self.home), "LANG": "C.UTF-8", "COLUMNS": "120"}

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python.with_name("bonsai")), *arguments]

    def run(self, command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.elsewhere, env=self.environ | more, capture_output=True, text=True, timeout=240
        )

    def said(self, *arguments: str) -> str:
        done = self.run(self.command(*arguments))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command until the end of the block, ended as by Ctrl-C."""
        process = subprocess.Popen(
            self.command(*arguments), cwd=self.elsewhere, env=self.environ, stdout=subprocess.PIPE, text=True
        )
        with process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=240)
    (made,) = folder.glob("bonsai-*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, timeout=240)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "elsewhere").mkdir()
    made = Installed(python, folder / "home", folder / "elsewhere")
    made.said("init")
    with (made.home / "bonsai.toml").open("a") as file:
        file.write(
            f"\n[prefect]\nport = 0\nworker_poll_seconds = 1\nserver_startup_seconds = 240\n"
            f"\n[dashboard]\nport = {free_port()}\n"
        )
    return made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES]
    tracked = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = zipfile.ZipFile(wheel).namelist()
    packaged = {one for one in names if ".dist-info/" not in one}
    assert len(tracked) > 400
    assert set(TYPES) <= packaged
    assert packaged == {one for one in tracked if (ROOT / one).is_file()} | {"flows/prefect.yaml"}


def test_it_is_the_version_of_the_changelog(installed: Installed) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    code = "import bonsai; from importlib import metadata; print(bonsai.__version__, metadata.version('bonsai'))"
    assert installed.run([str(installed.python), "-c", code]).stdout.split() == [version, version]
    assert f"\n## {version} — " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_installed_packages_are_run_and_not_the_checkout(installed: Installed) -> None:
    code = "import bonsai, storage, flows; print(bonsai.__file__, storage.__file__, flows.__file__)"
    files = installed.run([str(installed.python), "-c", code]).stdout.split()
    assert len(files) == len(PACKAGES)
    assert all(Path(one).is_relative_to(installed.python.parents[1]) for one in files), files


def test_its_children_import_the_same_and_nothing_goes_before_the_standard_library(installed: Installed) -> None:
    code = (
        "import json, os; from bonsai.system.processes import python_path;"
        "print(json.dumps([python_path({}), python_path({'PYTHONPATH': '/x'})]))"
    )
    assert json.loads(installed.run([str(installed.python), "-c", code]).stdout) == [{}, {"PYTHONPATH": "/x"}]


def test_doctor_finds_nothing_wrong(installed: Installed) -> None:
    done = installed.run(installed.command("doctor", "--json"))
    findings = {one["name"]: one for one in json.loads(done.stdout)}
    wrong = {name for name, one in findings.items() if one["ok"] is False}
    assert wrong <= {"gpu", "disk"}, findings  # of the machine, not of the installation
    assert findings["home"]["detail"] == str(installed.home)


def test_settings_an_empty_night_and_records(installed: Installed) -> None:
    assert "prefect.port" in installed.said("config", "show", "--json")
    installed.said("night", "run")  # without a record: it ends before a training
    installed.said("records", "add", "Who waters the fern?", "Mia does.")
    installed.said("inbox", "drain")
    assert "Mia does." in installed.said("records", "list", "--json")


def test_the_dashboard_answers_and_names_the_next_night(installed: Installed) -> None:
    with installed.running("dashboard", "--port", str(free_port())) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        port = int(first.rsplit(":", 1)[1].split("/")[0])
        assert get(port, "/help")[0] == 200
        status, home = get(port, "/")
        assert status == 200
        assert 'T03:00:00+09:00">' in home  # 3:00 in Tokyo, as prefect.yaml says
        assert get(port, "/static/style.css")[0] == 200


def get(port: int, path: str) -> tuple[int, str]:
    """As soon as somebody listens."""
    until = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)
        finally:
            connection.close()


@pytest.mark.long
@pytest.mark.timeout(UP_SECONDS + 2 * STOP_SECONDS)
def test_up_deploys_the_schedule(installed: Installed) -> None:
    about = installed.home / "prefect" / "server.json"
    with installed.running("up", "--no-dashboard") as process:
        until = time.monotonic() + UP_SECONDS
        while not about.is_file() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.5)
        assert about.is_file(), "".join(path.read_text() for path in (installed.home / "logs").glob("*.log"))[-3000:]
        deployed = asked(json.loads(about.read_text())["port"], (installed.home / "prefect" / "auth").read_text())
        (night,) = (one for one in deployed if one["entrypoint"] == "flows.nightly_flow.nightly")
        assert len(deployed) == 4
        assert [one["schedule"]["cron"] for one in night["schedules"]] == ["0 3 * * *"]
        (step,) = night["pull_steps"]
        folder = Path(step["prefect.deployments.steps.set_working_directory"]["directory"])
        assert folder.is_dir()
        assert folder.is_relative_to(installed.python.parents[1])
    assert process.returncode == 0


def asked(port: int, auth: str) -> Any:
    """The deployments that Prefect knows."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/deployments/filter", b"{}")
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Basic {base64.b64encode(auth.encode()).decode()}")
    for _ in range(10):  # 503: its SQLite is busy
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(1)
    raise AssertionError("Prefect stayed busy")
