"""`bonsai dashboard`: serve the dashboard until Ctrl-C."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import Shell, shell_of
from bonsai.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bonsai.context import Bonsai


app = noun()
CLOSING_SECONDS = 1.0
"Time for a running drain to end with the dashboard."
FIRST_PAUSE_SECONDS = 5.0
MAX_RETRY_SECONDS = 600.0
"Longest wait before a failed drain is retried."


@verb(app, "cli.dashboard")
def dashboard(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", help="cli.opt_host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="cli.opt_port", show_default=False)] = 0,
    names: Annotated[list[str] | None, typer.Option("--name", help="cli.opt_name", metavar="NAME")] = None,
    login: Annotated[bool, typer.Option("--login", help="cli.opt_login")] = False,
    https: Annotated[bool, typer.Option("--https", help="cli.opt_https")] = False,
) -> None:
    """No login on loopback; any other address needs users."""
    from bonsai import bootstrap
    from bonsai.auth import accounts
    from bonsai.web import security
    from bonsai.web.app import create_app
    from bonsai.web.serving import serve
    from flows.starting import start_night

    shell = shell_of(ctx)
    bonsai = shell.open()
    login = login or https or not security.is_loopback(host)  # behind a proxy, every client seems to come from loopback
    if login and not accounts.list_users(bonsai):
        raise UsageError("dashboard.needs_users", host=host)
    port = port or bonsai.config.dashboard.port
    _require_free(host, port)
    with background_drain(shell, bonsai) as drain:
        made = create_app(
            bootstrap.with_resident_model(bonsai),
            clock=shell.now,
            owner="" if login else shell.person(""),
            drain=drain,
            start_night=lambda who, cold: start_night(bonsai.home, shell.environ, cold=cold, who=who, now=shell.now()),
            hosts=security.trusted_hosts(host, names or []),
            environ=shell.environ,
            https=https,
        )
        shell.say("dashboard.serving", url=f"http://{f'[{host}]' if ':' in host else host}:{port}/")
        shell.out.flush()
        serve(made, host, port, https=https)


def _require_free(host: str, port: int) -> None:
    """Checked first: uvicorn would report a used port in English, after everything else has started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            values = {"host": host, "port": port, "detail": error.strerror, "other": port + 1}
            raise UsageError("dashboard.port_taken", **values) from error


@contextmanager
def background_drain(shell: Shell, bonsai: Bonsai) -> Iterator[Callable[[], None]]:
    """Yields a function that starts `bonsai inbox drain` in its own process, because it reads every record.

    Runs one at a time; a call while one runs causes another run afterwards. A failed one, say for a lock that a long
    import held, is retried. One that is running at the end of the block is left running.
    """
    requested, over = threading.Event(), threading.Event()

    def work() -> None:
        pause: float | None = None
        while True:
            requested.wait(pause)
            requested.clear()
            if over.is_set():
                return
            log = bonsai.places.logs / "dashboard-drain.log"
            environ = {**shell.environ, "BONSAI_HOME": str(bonsai.home)}
            with log.open("ab") as log_file:
                command = [sys.executable, "-P", "-m", "bonsai.cli.main", "inbox", "drain", "--json"]
                ended = subprocess.run(
                    command, env=environ, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, check=False
                )
            failed = ended.returncode != 0
            pause = min(2 * (pause or FIRST_PAUSE_SECONDS), MAX_RETRY_SECONDS) if failed else None

    thread = threading.Thread(target=work, daemon=True, name="drain")
    thread.start()
    try:
        yield requested.set
    finally:  # DuckDB's binding complains about objects that a waiting thread keeps at interpreter exit
        over.set()
        requested.set()
        thread.join(CLOSING_SECONDS)
