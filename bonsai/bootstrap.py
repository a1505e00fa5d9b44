"""Composition root: builds the home, its settings, and the training, evaluation and inference processes.

Loads no torch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import bonsai
from bonsai.config.layers import SETTINGS_FILE
from bonsai.config.settings import Config, load_config
from bonsai.context import Bonsai
from bonsai.errors import ConfigError, HomeError
from bonsai.evaluate.evaluation import ProcessEvaluator
from bonsai.evaluate.replay_maker import ProcessReplayMaker
from bonsai.i18n import TextLanguage
from bonsai.inference.client import ProcessClient
from bonsai.inference.resident import ResidentClient
from bonsai.model.bases import choose_profile, find_device
from bonsai.model.home_bases import PROFILE_FILE, complete_folders
from bonsai.night.device_lock import beside_no_training
from bonsai.train.trainer import ProcessTrainer
from storage import migrate as migrations
from storage.connect import Database
from storage.home import create_home, open_home
from storage.scale import text_index


@dataclass(frozen=True, slots=True)
class HomeResult:
    """Result of `init`."""

    home: Path
    created: bool
    "False: the home existed already."
    settings: Path
    "The home's `bonsai.toml`."


def init(home: Path, language: TextLanguage, now: datetime, environ: Mapping[str, str]) -> HomeResult:
    """Create a home, or complete and upgrade an existing one. Idempotent.

    Raises HomeError for a folder with other contents, and for the home of a newer Bonsai.
    """
    known = (home / "bonsai.toml").is_file()
    settings = load_config(home, environ).storage
    made = create_home(home, now, settings)
    if not known:
        with made.settings_file.open("a", encoding="utf-8") as file:
            file.write(f'\n[cli]\nlanguage = "{language}"\n')
    return HomeResult(home, not known, made.settings_file)


def open(home: Path, environ: Mapping[str, str]) -> Bonsai:
    """Open the home. Raises HomeError if there is none, ConfigError for invalid settings."""
    config = load_config(home, environ)
    places = open_home(home, config.storage)
    return Bonsai(
        places=places,
        config=config,
        trainer=ProcessTrainer(config.training.nice),
        evaluator=ProcessEvaluator(config.training.nice),
        replay_maker=ProcessReplayMaker(config.training.nice),
        inference=ProcessClient(places.runs, device_lock=partial(beside_no_training, places.root)),
        find_profile=_profile_finder(config),
    )


def with_resident_model(b: Bonsai) -> Bonsai:
    """The same home with a resident model, as the dashboard's settings say."""
    settings = b.config.dashboard
    inference = ResidentClient(
        folder=b.places.runs,
        idle_seconds=settings.ask_idle_seconds,
        timeout_seconds=settings.ask_timeout_seconds,
        device_lock=partial(beside_no_training, b.home),
    )
    return replace(b, inference=inference)


def kept_current(b: Bonsai, environ: Mapping[str, str]) -> Callable[[], Bonsai]:
    """The home for a server: at each call with the settings and bases of that moment, read again when a file changed.

    While the settings are invalid, the last valid ones hold: `bonsai.toml` may be half-edited.
    """
    lock, stamp, opened = threading.Lock(), _stamp(b.home), b

    def current() -> Bonsai:
        nonlocal stamp, opened
        with lock:
            now = _stamp(b.home)
            if now != stamp:
                with suppress(ConfigError):
                    config = load_config(b.home, environ)
                    opened = replace(b, config=config, find_profile=_profile_finder(config))
                stamp = now
            return opened

    return current


def _stamp(home: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes with every file that settings are read from."""
    paths = [home / SETTINGS_FILE, *(folder / PROFILE_FILE for folder in complete_folders(home))]
    seen = ((path, path.stat()) for path in paths if path.is_file())
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in seen)


def migrate(home: Path, environ: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """Migrate a home to this version's schema; returns the applied migrations. Idempotent.

    Raises HomeError if there is no home, or a newer Bonsai wrote it.
    """
    database = Database(home / "bonsai.duckdb", **asdict(load_config(home, environ).storage))
    if not database.path.is_file():
        raise HomeError("storage.no_home", path=home)
    applied = migrations.migrate(database, bonsai.__version__, now)
    text_index.complete(database, now)
    return applied


def _profile_finder(config: Config) -> Callable[[], str]:
    @cache
    def find() -> str:
        return choose_profile(config.training.profile, tuple(config.profiles), find_device())

    return find
