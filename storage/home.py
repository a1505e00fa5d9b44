"""The home: the folder that holds all of a person's Bonsai, `$BONSAI_HOME` or `~/.bonsai`.

    bonsai.toml       settings            snapshots/   what each night trained on
    bonsai.duckdb     records and nights  adapters/    what each night made
    inbox/            submissions         runs/        work in progress: checkpoints, worker logs
    uploads/          files to import     reports/     benchmark reports and their cache
    replay/           own answers of bases, made once each
    bases/            base models that were added, a folder each (`bonsai.model.home_bases`)
    calibrations/     smallest gains that count, by base and recipe; forms/, their form adapters; twins/; unfinished/
    downloads/        the base of `bonsai demo --base smollm2`
    logs/             of flows, workers

A snapshot or adapter folder is complete once its manifest, written last, exists.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import bonsai
from bonsai.config.settings import DatabaseSettings
from bonsai.errors import HomeError
from bonsai.system.files import remove_abandoned, write_atomic
from storage.connect import Database
from storage.migrate import migrate, require_current
from storage.scale import text_index

FOLDERS = ("inbox", "uploads", "snapshots", "adapters", "runs", "reports", "replay", "calibrations", "logs")
SETTINGS_HEADER = """\
# The settings of this home. Whatever is not set here has its default:
# every setting with its unit and meaning stands in bonsai/config/defaults.toml.
"""


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one home."""

    root: Path
    database: Database

    @property
    def settings_file(self) -> Path:
        """`bonsai.toml`."""
        return self.root / "bonsai.toml"

    @property
    def inbox(self) -> Path:
        """Pending submissions."""
        return self.root / "inbox"

    @property
    def uploads(self) -> Path:
        """Uploaded files, a folder each."""
        return self.root / "uploads"

    @property
    def snapshots(self) -> Path:
        """One folder a snapshot."""
        return self.root / "snapshots"

    @property
    def adapters(self) -> Path:
        """One folder an adapter."""
        return self.root / "adapters"

    @property
    def runs(self) -> Path:
        """Work in progress."""
        return self.root / "runs"

    @property
    def reports(self) -> Path:
        """Benchmark reports."""
        return self.root / "reports"

    @property
    def replay(self) -> Path:
        """Own answers of bases, a file each (`bonsai.train.own_answers`)."""
        return self.root / "replay"

    @property
    def calibrations(self) -> Path:
        """Measured minimum gains of the gate."""
        return self.root / "calibrations"

    @property
    def forms(self) -> Path:
        """Form adapters of finished calibrations, a folder each."""
        return self.calibrations / "forms"

    @property
    def unfinished_calibrations(self) -> Path:
        """Adapters and reports of calibrations that have not ended: they learned and ask the owner's records."""
        return self.calibrations / "unfinished"

    @property
    def calibration_lock(self) -> Path:
        """Held by a calibration while it runs."""
        return self.calibrations / ".lock"

    @property
    def logs(self) -> Path:
        """Of flows and workers."""
        return self.root / "logs"


def create_home(root: Path, at: datetime, settings: DatabaseSettings) -> Home:
    """Create a home, or complete or upgrade an existing one. Safe to repeat and to interrupt.

    Raises HomeError for a folder with other content, and for the home of a newer Bonsai.
    """
    home = _home(root, settings)
    if root.exists() and not root.is_dir():
        raise HomeError("storage.not_a_home", path=root)
    if root.is_dir() and any(root.iterdir()) and not home.settings_file.exists():
        raise HomeError("storage.not_a_home", path=root)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)  # private to its owner
    if not home.settings_file.exists():
        write_atomic(home.settings_file, SETTINGS_HEADER)
    for name in FOLDERS:
        (root / name).mkdir(exist_ok=True, mode=0o700)
    migrate(home.database, bonsai.__version__, at)
    text_index.complete(home.database, at)
    return home


def open_home(root: Path, settings: DatabaseSettings) -> Home:
    """The home at `root`. Raises HomeError when there is none, or for one of another version of Bonsai."""
    home = _home(root, settings)
    if not home.settings_file.is_file() and not home.database.path.is_file():
        raise HomeError("storage.no_home", path=root)
    with home.database.reading() as con:
        require_current(con)
    return home


def finished_folders(parent: Path, manifest: str) -> list[Path]:
    """The complete folders in `parent`: those with a manifest."""
    return sorted(folder for folder in _folders(parent) if (folder / manifest).is_file())


def remove_unfinished(parent: Path, manifest: str) -> list[str]:
    """Remove the incomplete folders in `parent`; returns their names. Only under the lock of the night."""
    doomed = [folder for folder in _folders(parent) if not (folder / manifest).is_file()]
    for folder in doomed:
        shutil.rmtree(folder)
    return sorted(folder.name for folder in doomed)


def remove_leftovers(home: Home) -> None:
    """Remove the temporary files of killed processes. Safe at any time."""
    parents = (home.snapshots, home.runs, home.reports, home.replay, home.adapters, home.calibrations)
    for folder in (home.root, *parents, *(folder for parent in parents for folder in _folders(parent))):
        if folder.is_dir():
            remove_abandoned(folder)


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []


def _home(root: Path, settings: DatabaseSettings) -> Home:
    path = root / "bonsai.duckdb"
    return Home(root, Database(path, settings.lock_wait_seconds, settings.memory_limit, settings.threads))
