"""What the gate's tests share."""

from __future__ import annotations

import pytest
from planted import default_policy

from bonsai.decision import Policy


@pytest.fixture(scope="session")
def policy() -> Policy:
    return default_policy()
