"""A home is made once, found again, never put over something else; half-written folders do not count."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bonsai.config.layers import home_of
from bonsai.config.settings import DatabaseSettings, load_config
from bonsai.errors import HomeError
from storage.home import FOLDERS, Home, create_home, finished_folders, open_home, remove_unfinished


def test_where_the_home_is(tmp_path: Path) -> None:
    assert home_of({"BONSAI_HOME": str(tmp_path)}) == tmp_path
    assert home_of({"BONSAI_HOME": " "}) == home_of({}) == Path.home() / ".bonsai"
    assert home_of({"BONSAI_HOME": "relative"}).is_absolute()


def test_a_new_home_has_its_places_for_its_owner_alone(home: Home, settings: DatabaseSettings) -> None:
    assert {path.name for path in home.root.iterdir() if path.is_dir()} == set(FOLDERS)
    assert home.root.stat().st_mode & 0o077 == 0
    assert open_home(home.root, settings) == home
    places = (home.inbox, home.snapshots, home.adapters, home.runs, home.reports, home.replay, home.logs)
    assert all(place.is_dir() for place in places)
    assert load_config(home.root, {}) == load_config(home.root / "nowhere", {})


def test_making_it_again_completes_it_and_keeps_what_is_there(
    home: Home, at: datetime, settings: DatabaseSettings
) -> None:
    home.settings_file.write_text("[cli]\nlanguage = 'ja'\n")
    home.logs.rmdir()
    assert create_home(home.root, at, settings) == home
    assert home.logs.is_dir()
    assert "ja" in home.settings_file.read_text()


def test_a_home_interrupted_while_it_was_made_is_completed(
    tmp_path: Path, at: datetime, settings: DatabaseSettings
) -> None:
    root = tmp_path / "home"
    root.mkdir()
    (root / "bonsai.toml").touch()
    with pytest.raises(HomeError, match="bonsai init"):
        open_home(root, settings)
    create_home(root, at, settings)
    open_home(root, settings)


def test_no_home_is_said_and_none_is_made(tmp_path: Path, settings: DatabaseSettings) -> None:
    with pytest.raises(HomeError, match="bonsai init"):
        open_home(tmp_path / "nowhere", settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_home_is_never_put_over_something_else(
    tmp_path: Path, at: datetime, settings: DatabaseSettings, kind: str
) -> None:
    root = tmp_path / "documents"
    if kind == "folder":
        root.mkdir()
        (root / "letter.txt").write_text("dear")
    else:
        root.write_text("dear")
    with pytest.raises(HomeError, match="is not a Bonsai home"):
        create_home(root, at, settings)
    with pytest.raises(HomeError, match="no Bonsai home"):
        open_home(root, settings)
    assert len(list(tmp_path.rglob("*"))) == (2 if kind == "folder" else 1)


def test_a_folder_without_its_manifest_does_not_count(home: Home) -> None:
    for name in ("whole", "half"):
        (home.adapters / name).mkdir()
        (home.adapters / name / "weights.safetensors").touch()
    (home.adapters / "whole" / "passport.json").touch()
    (home.adapters / "a file").touch()
    assert [folder.name for folder in finished_folders(home.adapters, "passport.json")] == ["whole"]
    assert remove_unfinished(home.adapters, "passport.json") == ["half"]
    assert sorted(path.name for path in home.adapters.iterdir()) == ["a file", "whole"]
    assert finished_folders(home.root / "nowhere", "passport.json") == []
