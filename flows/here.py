"""`bonsai night run`: the nightly flow in this process, on the server of `bonsai up` or on an ephemeral one."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from bonsai.config.settings import PrefectSettings
from bonsai.errors import BonsaiError
from bonsai.system.progress import Progress, Report
from flows import server
from flows.settings import environment


def run_night(home: Path, settings: PrefectSettings, *, cold: bool, report: Report) -> str:
    """Run a night; returns its id. Changes this process's environment, which Prefect reads at import."""
    with ExitStack() as stack:
        up = server.running(home)
        own = environment(home, settings, os.environ, up.url) if up else {}
        if not up:
            up = stack.enter_context(server.alone(home, settings, os.environ))
            own = dict(up.environ)
        report(Progress("prefect", 0, 0))
        os.environ.clear()
        # The terminal shows progress, and errors as one line; logs would be sent at exit, to a server gone by then.
        os.environ.update(own | {"PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_LOGGING_TO_API_ENABLED": "false"})

        from flows.nightly_flow import nightly  # seconds, in which the server starts too
        from flows.tasks import watched_by

        for child in up.children:
            server.wait_until_it_answers(child, up.url, settings.server_startup_seconds)
        report(Progress("prefect", 1, 1))
        with watched_by(report):
            try:
                return nightly(cold=cold, here=True)
            except BonsaiError as error:
                # Prefect keeps the error to the end; its frames would keep DuckDB, which complains of that at length.
                raise error.with_traceback(None) from None
