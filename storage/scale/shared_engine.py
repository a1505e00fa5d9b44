"""One DuckDB for all who read in a process that goes on, as the dashboard: started once, the file opened each time.

To start DuckDB takes 17 ms of processor, to attach a file of a million records 2. The file is attached under the file
lock when somebody begins to read and detached when nobody reads any more, so writers find it free. Who comes while
others read joins them, but only in their first moments: else pages in a row would keep every writer out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import duckdb

JOIN_SECONDS = 0.05
"So long after the file was attached others may join; one that reads already may always read more."
NAME = "home"
Setting = str | bool | int | float | list[str]
"As DuckDB's stubs have it."


class Readers:
    """The readers of one database file in this process; `Database.reading` goes through it where it has one."""

    def __init__(self, path: Path, settings: dict[str, Setting]) -> None:
        self._path = path
        self._settings = settings
        self._changed = threading.Condition()
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._users = 0
        self._join_until = 0.0
        self._attached = ExitStack()
        self._here = threading.local()

    @contextmanager
    def reading(self, lock: Callable[[], AbstractContextManager[None]]) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection of its own. `lock` is taken by the first; raises what it and DuckDB raise."""
        con = self._enter(lock)
        try:
            con.execute(f"USE {NAME}")
            yield con
        finally:
            con.close()
            self._leave()

    def _enter(self, lock: Callable[[], AbstractContextManager[None]]) -> duckdb.DuckDBPyConnection:
        with self._changed:
            mine = getattr(self._here, "depth", 0)
            while self._users and not mine and time.monotonic() > self._join_until:
                self._changed.wait()
            if self._instance is None:
                self._instance = duckdb.connect(":memory:", config=self._settings)
            if not self._users:
                self._attach(self._instance, lock)
            self._users += 1
            self._here.depth = mine + 1
            return self._instance.cursor()

    def _attach(self, instance: duckdb.DuckDBPyConnection, lock: Callable[[], AbstractContextManager[None]]) -> None:
        with ExitStack() as stack:
            stack.enter_context(lock())
            attach(instance, self._path, NAME, "(READ_ONLY)")
            stack.callback(instance.execute, f"DETACH {NAME}")
            self._attached = stack.pop_all()
        self._join_until = time.monotonic() + JOIN_SECONDS

    def _leave(self) -> None:
        with self._changed:
            self._here.depth -= 1
            self._users -= 1
            if not self._users:
                self._attached.close()
            self._changed.notify_all()


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "") -> None:
    """Open a database file in a DuckDB that runs already. Raises what DuckDB raises."""
    quoted = str(path).replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS {name} {options}")
