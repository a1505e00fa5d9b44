"""What unit tests share: the gate's policy, and a place to write files that are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted import default_policy
from readings import Write

from bonsai.gate.decision import Policy


@pytest.fixture(scope="session")
def policy() -> Policy:
    return default_policy()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the test's own."""

    def written(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written
