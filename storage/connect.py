"""The only way into the database: take the file lock, open, work, close.

    database = Database(home / "bonsai.duckdb", lock_wait_seconds=20, memory_limit="1GB", threads=2)
    with database.reading() as con: ...     # together with other readers
    with database.writing() as con: ...     # alone; one transaction, committed at the end of the block
    database.rewrite()                      # nobody writes meanwhile, everybody reads

DuckDB lets one process write and refuses every other opener with an error; a lock on a side file turns that
into waiting. Nothing may open, copy or hash the database file by other means: closing it drops DuckDB's own lock.
Settings: https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb

from bonsai.errors import HomeError, IntegrityError, NoRoom
from bonsai.system.files import move_durably
from bonsai.system.locks import held, is_wanted
from storage.scale.shared_engine import NAME, Readers, Setting, attach

LEAST_ROOM_BYTES = 1_000_000
"On the disk; where a write fails with less, that is why. DuckDB's log grows by blocks of 256 KiB."
Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database lies and how it is opened; no connection is kept."""

    path: Path
    lock_wait_seconds: float
    "How long to wait for other processes before LockTimeout."
    memory_limit: str
    "DuckDB's own, e.g. `500MB`."
    threads: int
    readers: Readers | None = None
    "Of a process that goes on (`kept`); None: every read starts DuckDB anew."

    @property
    def lock_path(self) -> Path:
        """The side file that is locked in the database's stead."""
        return self.path.with_name(self.path.name + ".lock")

    @property
    def writers_path(self) -> Path:
        """Locked by who writes, before the other: a rewrite keeps writers out and lets readers in."""
        return self.path.with_name(self.path.name + ".writers")

    def is_wanted(self) -> bool:
        """Whether somebody waits for the database now. For who has it and could let go."""
        return is_wanted(self.lock_path) or is_wanted(self.writers_path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only connection. Raises HomeError when there is no database, LockTimeout."""
        self._require_file()
        lock = partial(held, self.lock_path, exclusive=False, wait_seconds=self.lock_wait_seconds)
        with ExitStack() as stack:
            if self.readers is None:
                stack.enter_context(lock())
                con = stack.enter_context(closing(self._open(read_only=True)))
            else:
                with self._unreadable_is_said():
                    con = stack.enter_context(self.readers.reading(lock))
            yield con

    def kept(self) -> Database:
        """The same for a process that goes on: DuckDB stays started, though the file is closed between reads."""
        return self if self.readers else replace(self, readers=Readers(self.path, self._settings))

    @contextmanager
    def writing(self, *, create: bool = False, last: Callable[[], None] = lambda: None) -> Iterator[Connection]:
        """A connection inside one transaction: committed when the block ends, rolled back when it raises.

        Keep the block under a second; cut longer work into several. `last` is called when all is committed, before
        others may have the file. Raises HomeError when there is no database (unless `create`), LockTimeout, NoRoom.
        """
        if not create:
            self._require_file()
        with closing(duckdb.connect(":memory:", config=self._settings)) as con:  # 15 ms while others have the file
            with self._writers(), self._alone():
                with self._unreadable_is_said():
                    attach(con, self.path, NAME)
                try:
                    con.execute(f"USE {NAME}")
                    con.execute("BEGIN")
                    yield con
                    con.execute("COMMIT")
                    con.execute("USE memory")
                    con.execute(f"DETACH {NAME}")
                    last()
                except BaseException as error:
                    con.close()  # rolls back what was not committed, before others may have the file
                    if isinstance(error, duckdb.Error):  # of which there are several for a write that failed
                        self._require_room(error)
                    raise

    def backup(self, target: Path) -> None:
        """Copy everything into the new database file `target`, in one consistent state; others may read meanwhile.

        Written beside and renamed, so that a backup is whole or absent. Raises HomeError when `target` exists.
        """
        if target.exists():
            raise HomeError("storage.backup_exists", path=target)
        self._require_file()
        with self._writers():
            beside = self._copied_beside(target)
        beside.rename(target)

    def rewrite(self) -> None:
        """Write the whole file anew: a page that was freed shows what stood in it until something else needs it.

        Others may read meanwhile, but for the moment of the exchange. Written beside and renamed, so that a kill leaves
        the old file or the new one. Safe to repeat.
        """
        self._require_file()
        with self._writers():
            beside = self._copied_beside(self.path)
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            with self._alone():
                move_durably(beside, self.path)

    def _writers(self) -> AbstractContextManager[None]:
        """Nobody else writes."""
        return held(self.writers_path, exclusive=True, wait_seconds=self.lock_wait_seconds)

    def _alone(self) -> AbstractContextManager[None]:
        """Nobody else has the file."""
        return held(self.lock_path, exclusive=True, wait_seconds=self.lock_wait_seconds)

    def _copied_beside(self, target: Path) -> Path:
        """A copy of the database, under a temporary name in the folder of `target`; while nobody writes."""
        beside = target.with_name(f".{target.name}.tmp")
        beside.unlink(missing_ok=True)
        with self._alone(), closing(self._open(read_only=False)) as con:
            con.execute("CHECKPOINT")  # what a killed writer left beside the file; it would be read into the next one
        with replace(self, readers=None).kept().reading() as con:
            attach(con, beside, "copy")
            con.execute(f"COPY FROM DATABASE {NAME} TO copy")
            con.execute("DETACH copy")
        return beside

    def _require_file(self) -> None:
        if not self.path.is_file():
            raise HomeError("storage.no_database", path=self.path, home=self.path.parent)

    @property
    def _settings(self) -> dict[str, Setting]:
        """DuckDB's."""
        return {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": self.memory_limit,
            "temp_directory": f"{self.path}.tmp",  # else a DuckDB that starts without a file spills where it stands
            "threads": str(self.threads),
        }

    def _open(self, *, read_only: bool) -> Connection:
        with self._unreadable_is_said():
            return duckdb.connect(str(self.path), read_only=read_only, config=self._settings)

    def _require_room(self, error: duckdb.Error) -> None:
        """Raises NoRoom when the disk is full: then that is the reason of the error."""
        if shutil.disk_usage(self.path.parent).free < LEAST_ROOM_BYTES:
            raise NoRoom("storage.no_room", folder=self.path.parent) from error

    @contextmanager
    def _unreadable_is_said(self) -> Iterator[None]:
        try:
            yield
        except duckdb.IOException as error:
            self._require_room(error)
            detail = str(error).splitlines()[0]
            raise IntegrityError("storage.unreadable_database", path=self.path, detail=detail) from error
