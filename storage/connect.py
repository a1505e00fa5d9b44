"""The only access to the database: take the file lock, open, work, close.

    database = Database(home / "bonsai.duckdb", lock_wait_seconds=20, memory_limit="1GB", threads=2)
    with database.reading() as con: ...     # shared with other readers
    with database.writing() as con: ...     # exclusive; one transaction, committed at the end of the block
    database.rewrite()                      # excludes writers, admits readers

While one process writes, DuckDB refuses every other with an error; a lock on a side file turns the error into a wait.
Nothing else may open, copy or hash the database file: closing it releases DuckDB's own lock.
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
from bonsai.system.locks import file_lock, has_waiters
from storage.scale.shared_engine import NAME, Readers, Setting, attach

MIN_FREE_BYTES = 1_000_000
"A write that fails with less free space failed for lack of it. DuckDB's log grows by blocks of 256 KiB."
Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Database:
    """The database's path and settings; holds no connection."""

    path: Path
    lock_wait_seconds: float
    "Wait for other processes before LockTimeout."
    memory_limit: str
    "DuckDB's memory limit, e.g. `500MB`."
    threads: int
    readers: Readers | None = None
    "Shared DuckDB instance of a long-lived process (`kept`); None: every read starts its own."

    @property
    def lock_path(self) -> Path:
        """The side file that is locked instead of the database file."""
        return self.path.with_name(self.path.name + ".lock")

    @property
    def writers_path(self) -> Path:
        """The writers' lock, taken before the other: a rewrite holds it alone, and so admits readers."""
        return self.path.with_name(self.path.name + ".writers")

    def has_waiters(self) -> bool:
        """Whether another process waits for the database, so that the holder can yield."""
        return has_waiters(self.lock_path) or has_waiters(self.writers_path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only connection. Raises HomeError when there is no database, LockTimeout."""
        self._require_file()
        lock = partial(file_lock, self.lock_path, exclusive=False, wait_seconds=self.lock_wait_seconds)
        with ExitStack() as stack:
            if self.readers is None:
                stack.enter_context(lock())
                con = stack.enter_context(closing(self._open(read_only=True)))
            else:
                with self._unreadable_raises():
                    con = stack.enter_context(self.readers.reading(lock))
            yield con

    def kept(self) -> Database:
        """The same database for a long-lived process: DuckDB stays loaded, the file is closed between reads."""
        return self if self.readers else replace(self, readers=Readers(self.path, self._settings))

    @contextmanager
    def writing(self, *, create: bool = False, last: Callable[[], None] = lambda: None) -> Iterator[Connection]:
        """A connection in one transaction: committed when the block ends, rolled back when it raises.

        Keep the block under a second; split longer work. `last` is called after the commit and before the lock is
        released. Raises HomeError when there is no database (unless `create`), LockTimeout, NoRoom.
        """
        if not create:
            self._require_file()
        with closing(duckdb.connect(":memory:", config=self._settings)) as con:  # takes 15 ms: before the lock
            with self._exclude_writers(), self._exclusive():
                with self._unreadable_raises():
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
                    con.close()  # rolls back before the lock is released
                    if isinstance(error, duckdb.Error):  # a failed write raises one of several
                        self._require_room(error)
                    raise

    def backup(self, target: Path) -> None:
        """Copy the database into the new file `target`, in one consistent state; others may read meanwhile.

        Written to a temporary file and renamed. Raises HomeError when `target` exists.
        """
        if target.exists():
            raise HomeError("storage.backup_exists", path=target)
        self._require_file()
        with self._exclude_writers():
            temporary = self._copy_to_temporary(target)
        temporary.rename(target)

    def rewrite(self) -> None:
        """Rewrite the whole file: a freed page keeps its old content until it is reused.

        Others may read until the moment of the rename. A kill leaves the old file or the new one. Safe to repeat.
        """
        self._require_file()
        with self._exclude_writers():
            temporary = self._copy_to_temporary(self.path)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            with self._exclusive():
                move_durably(temporary, self.path)

    def _exclude_writers(self) -> AbstractContextManager[None]:
        """The writers' lock."""
        return file_lock(self.writers_path, exclusive=True, wait_seconds=self.lock_wait_seconds)

    def _exclusive(self) -> AbstractContextManager[None]:
        """The file lock, exclusive."""
        return file_lock(self.lock_path, exclusive=True, wait_seconds=self.lock_wait_seconds)

    def _copy_to_temporary(self, target: Path) -> Path:
        """A copy of the database under a temporary name in the folder of `target`; needs the writers' lock."""
        temporary = target.with_name(f".{target.name}.tmp")
        temporary.unlink(missing_ok=True)
        with self._exclusive(), closing(self._open(read_only=False)) as con:
            con.execute("CHECKPOINT")  # a killed writer's log would be replayed into the next file
        with replace(self, readers=None).kept().reading() as con:
            attach(con, temporary, "copy")
            con.execute(f"COPY FROM DATABASE {NAME} TO copy")
            con.execute("DETACH copy")
        return temporary

    def _require_file(self) -> None:
        if not self.path.is_file():
            raise HomeError("storage.no_database", path=self.path, home=self.path.parent)

    @property
    def _settings(self) -> dict[str, Setting]:
        """DuckDB's configuration."""
        return {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": self.memory_limit,
            "temp_directory": f"{self.path}.tmp",  # an in-memory DuckDB would spill into the working folder
            "threads": str(self.threads),
        }

    def _open(self, *, read_only: bool) -> Connection:
        with self._unreadable_raises():
            return duckdb.connect(str(self.path), read_only=read_only, config=self._settings)

    def _require_room(self, error: duckdb.Error) -> None:
        """Raises NoRoom when a full disk explains the error."""
        if shutil.disk_usage(self.path.parent).free < MIN_FREE_BYTES:
            raise NoRoom("storage.no_room", folder=self.path.parent) from error

    @contextmanager
    def _unreadable_raises(self) -> Iterator[None]:
        try:
            yield
        except duckdb.IOException as error:
            self._require_room(error)
            detail = str(error).splitlines()[0]
            raise IntegrityError("storage.unreadable_database", path=self.path, detail=detail) from error
