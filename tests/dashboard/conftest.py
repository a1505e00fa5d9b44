"""A real home with a judged night, told records and a reject; every text in it is full of script."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from desk import Desk
from evil_home import make_evil_home
from hand_client import HandClient
from starlette.testclient import TestClient
from two_mornings import two_mornings

from bonsai import bootstrap


@pytest.fixture(scope="session")
def home_with_records(tmp_path_factory: pytest.TempPathFactory, taught: Path) -> Path:
    """Made once."""
    folder = Path(shutil.copytree(taught, tmp_path_factory.mktemp("dashboard") / "home"))
    make_evil_home(folder)
    return folder


@pytest.fixture(scope="session")
def mornings(tmp_path_factory: pytest.TempPathFactory, taught: Path) -> Path:
    """Made once: two nights with their reports, the second one waiting for a person."""
    return two_mornings(Path(shutil.copytree(taught, tmp_path_factory.mktemp("mornings") / "home")))


@pytest.fixture
def desk(home_with_records: Path, tmp_path: Path) -> Desk:
    return Desk(bootstrap.open(Path(shutil.copytree(home_with_records, tmp_path / "home")), {}))


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return desk.client()


@pytest.fixture
def inference() -> Iterator[HandClient]:
    """A model that answers at once, unless a test holds it back."""
    made = HandClient()
    made.may_speak.set()
    yield made
    made.may_speak.set()


@pytest.fixture
def asking_desk(desk: Desk, inference: HandClient) -> Desk:
    """The desk, with that model."""
    return Desk(replace(desk.b, inference=inference))


@pytest.fixture
def roomy(desk: Desk, inference: HandClient) -> Desk:
    """Nobody is told to wait, and no model is loaded."""
    environ = {"BONSAI_API__BURST": "100000", "BONSAI_API__ADDRESS_BURST": "100000"}
    return Desk(replace(bootstrap.open(Path(desk.b.home), environ), inference=inference))
