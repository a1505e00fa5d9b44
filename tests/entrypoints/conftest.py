"""A home to begin with, for tests that call `bonsai` as a person does."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions.learned_tagger import category_tagger


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home to copy, its category tagger learned already: that takes seconds."""
    home = tmp_path_factory.mktemp("template") / "home"
    bootstrap.init(home, "en", datetime(2026, 11, 21, tzinfo=UTC), {})
    category_tagger(bootstrap.open(home, {}))
    return home


@pytest.fixture
def home(new_home: Path, tmp_path: Path) -> Path:
    """A fresh home."""
    return Path(shutil.copytree(new_home, tmp_path / "home"))
