"""A real home with a judged night, told records and a reject; every text in it is full of script."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from desk import EVIL, TEXT_FIELDS, Desk
from hand_nights import EVENING, open_stage
from starlette.testclient import TestClient
from two_mornings import two_mornings

from bonsai import pipeline, wiring
from bonsai.pipeline.learned_tagger import category_tagger
from bonsai.progress import silent


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home to copy, its category tagger learned already: that takes seconds."""
    home = tmp_path_factory.mktemp("taught") / "home"
    wiring.init(home, "en", EVENING, {})
    category_tagger(wiring.open(home, {}))
    return home


@pytest.fixture(scope="session")
def told_home(tmp_path_factory: pytest.TempPathFactory, taught: Path) -> Path:
    """Made once. Its gate waits for a person, and one adapter does."""
    folder = Path(shutil.copytree(taught, tmp_path_factory.mktemp("dashboard") / "home"))
    stage = open_stage(folder)
    with (folder / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write('\n[gate]\nmode = "review"\n')
    b = replace(wiring.open(folder, {}), trainer=stage.trainer, examiner=stage.examiner)
    for number in range(3):
        fields = {name: f"{EVIL} {name} {number}" for name in TEXT_FIELDS}
        pipeline.submit(b, {**fields, "happened_on": "2026-11-20", "source": "self"}, EVENING)
    pipeline.submit(b, {"instruction": EVIL, "output": "", "language": EVIL}, EVENING)
    pipeline.submit(
        b, {"instruction": "なぜタマは鳴くの?", "output": "おなかがすいたからです。", "subject": "タマ"}, EVENING
    )
    pipeline.drain_inbox(b, EVENING)
    begun = pipeline.run_night(b, EVENING, silent)
    assert begun.status == "started"
    return folder


@pytest.fixture(scope="session")
def mornings(tmp_path_factory: pytest.TempPathFactory, taught: Path) -> Path:
    """Made once: two nights with their reports, the second one waiting for a person."""
    return two_mornings(Path(shutil.copytree(taught, tmp_path_factory.mktemp("mornings") / "home")))


@pytest.fixture
def desk(told_home: Path, tmp_path: Path) -> Desk:
    return Desk(wiring.open(Path(shutil.copytree(told_home, tmp_path / "home")), {}))


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return desk.client()
