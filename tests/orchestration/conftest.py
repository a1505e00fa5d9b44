"""One Prefect test server for all tests that need flows but no workers; a home for each test."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from bonsai import bootstrap


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    os.environ["DO_NOT_TRACK"] = "1"
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    bootstrap.init(made, "en", datetime.now(UTC), {})
    monkeypatch.setenv("BONSAI_HOME", str(made))
    return made
