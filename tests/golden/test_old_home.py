"""A home that version 0.1.0 made (`make_home.sh`), with one real night: every later version opens it and goes on.

The paths in a home are absolute, so it is moved as its owner has to move one: a link at the old place leads to the new
one. The night's job and plan, the manifest's plan and the adapter's row of the database hold such paths.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest
from hand_answers import DeskEvaluator, ignorant, learned
from hand_nights import HandTrainer

from bonsai import bootstrap
from bonsai.actions.import_file import import_file
from bonsai.cli import main as cli
from bonsai.night.steps import run_night
from bonsai.queries.nights import show_night
from bonsai.samples import sample_path
from bonsai.system.progress import silent
from bonsai.train.manifest import read_manifest

ARCHIVE = Path(__file__).parent / "home-0.1.0.tar.gz"
MADE_AT = Path("/tmp/bonsai-home-0.1.0")
CHAMPION = "c27d0365e6357f7c"
RECORDS = 491
LATER = datetime(2027, 3, 1, 22, tzinfo=UTC)
Say = Callable[..., list[Any]]


@contextmanager
def standing_at(place: Path, home: Path) -> Iterator[None]:
    """A link to the home, where it was made; one test at a time on this machine."""
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if place.is_symlink():  # of a test that was killed
            place.unlink()
        place.symlink_to(home, target_is_directory=True)
        try:
            yield
        finally:
            place.unlink()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path / "home", filter="data")
    with standing_at(MADE_AT, tmp_path / "home"):
        yield MADE_AT


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*argv: str) -> list[Any]:
        """The values of a command's JSON."""
        code = cli.run([*argv, "--json"], {"BONSAI_HOME": str(home), "LANG": "C.UTF-8", "USER": "mika"})
        said = capsys.readouterr()
        assert (code, said.err) == (0, ""), argv
        try:
            return [json.loads(said.out)]
        except ValueError:
            return [json.loads(line) for line in said.out.splitlines()]

    return run


def test_it_is_opened_and_whole(home: Path, say: Say) -> None:
    say("db", "migrate")
    [findings] = say("db", "check")
    assert [one for one in findings if not one["ok"]] == []
    assert {one["name"]: one["detail"] for one in findings} == {"database": "", "adapters": "1", "snapshots": "1"}


def test_what_it_knows_is_listed_and_shown(home: Path, say: Say) -> None:
    say("db", "migrate")
    [adapter] = say("adapters", "list")
    assert (adapter["id"], adapter["state"], adapter["base"]) == (CHAMPION, "champion", "seedling")
    [shown] = say("adapters", "show", CHAMPION)
    assert (shown["whole"], shown["manifest"]["adapter_id"]) == (True, CHAMPION)
    assert read_manifest(home / "adapters" / CHAMPION).adapter_id == CHAMPION
    [promotion] = say("promotions", "list")
    assert (promotion["adapter"], promotion["state"], promotion["judged_against"]) == (CHAMPION, "champion", "base")
    [told] = say("promotions", "show")
    assert (told["adapter"], told["verdict"]) == (CHAMPION, "promote")
    assert len(say("promotions", "answers")) > 100
    [night] = say("night", "list")
    assert (night["status"], night["challenger"]) == ("done", CHAMPION)
    assert say("benchmark", "show")[0]["rows"]
    records = say("records", "list")
    assert len(records) == RECORDS
    [edited] = [one for one in records if one["output"] == "Mike sleeps on the old piano."]
    assert [one["number"] for one in say("records", "versions", edited["id"])] == [1]
    assert len(say("records", "rejects")) == 5
    assert say("asked", "list")[0]["text"] == "What does it mean when my cat sneezes?"
    assert [one["name"] for one in say("users", "list")] == ["mika"]
    assert [one["name"] for one in say("tokens", "list")] == ["mika"]
    assert len(say("benchmark", "list")[0]["questions"]) == 2


def test_the_next_night_goes_on_from_it(home: Path, say: Say) -> None:
    """Trained and examined by hand: what it learns now is judged against the champion of then."""
    say("db", "migrate")
    evaluator = DeskEvaluator(planned_models={"base": ignorant(), CHAMPION: learned(1.0)}, newcomer=learned(0.2))
    b = replace(bootstrap.open(home, {}), trainer=HandTrainer(), evaluator=evaluator)
    told = import_file(b, sample_path("household.jsonl"), now=LATER, source="self")
    assert told.new > 100
    begun = run_night(b, LATER, silent)
    night = show_night(b, begun.night)
    assert (begun.status, night.status, night.champion) == ("started", "done", CHAMPION)
    [findings] = say("db", "check")
    assert [one for one in findings if not one["ok"]] == []
    states = {one["adapter"]: one["state"] for one in say("promotions", "list")}
    assert states == {night.challenger: "champion", CHAMPION: "replaced"}


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_real_night_goes_on_from_it(home: Path, say: Say) -> None:
    say("db", "migrate")
    b = bootstrap.open(home, {})
    told = import_file(b, sample_path("household.jsonl"), now=LATER, source="self")
    assert told.new > 100
    begun = run_night(b, LATER, silent)
    night = show_night(b, begun.night)
    assert (night.status, night.champion) == ("done", CHAMPION)
    [findings] = say("db", "check")
    assert [one for one in findings if not one["ok"]] == []
