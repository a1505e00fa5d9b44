"""One DuckDB instance for all readers of a long-lived process such as the dashboard.

Starting DuckDB takes 17 ms of CPU time, attaching a file of a million records 2 ms. The file is attached under the
file lock by the first reader and detached by the last, which leaves it free for writers. A new reader joins only
within `JOIN_SECONDS` after the attach: otherwise overlapping pages would starve every writer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import duckdb

JOIN_SECONDS = 0.05
"How long after the attach new readers may join; a thread that reads already may always nest."
NAME = "home"
Setting = str | bool | int | float | list[str]
"As in DuckDB's stubs."


class Readers:
    """The readers of one database file in this process; used by `Database.reading`."""

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
        """A read-only cursor. The first reader takes `lock`. Raises what `lock` and DuckDB raise."""
        con = self._enter(lock)
        try:
            con.execute(f"USE {NAME}")
            yield con
        finally:
            con.close()
            self._leave()

    def _enter(self, lock: Callable[[], AbstractContextManager[None]]) -> duckdb.DuckDBPyConnection:
        with self._changed:
            depth = getattr(self._here, "depth", 0)
            while self._users and not depth and time.monotonic() > self._join_until:
                self._changed.wait()
            if self._instance is None:
                self._instance = duckdb.connect(":memory:", config=self._settings)
            if not self._users:
                self._attach(self._instance, lock)
            self._users += 1
            self._here.depth = depth + 1
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
    """Attach a database file to a running DuckDB. Raises what DuckDB raises."""
    quoted = str(path).replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS {name} {options}")
