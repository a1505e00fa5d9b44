"""`bonsai night run`: the nightly flow in this process, on the server of `bonsai up` or on one for this run alone."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from bonsai.config import PrefectSettings
from bonsai.progress import Report
from flows import server
from flows.settings import environment


def run_night(home: Path, settings: PrefectSettings, *, cold: bool, report: Report) -> str:
    """The night's id. Changes this process's environment, which Prefect reads when it is imported, only here."""
    with ExitStack() as stack:
        up = server.running(home)
        own = environment(home, settings, os.environ, up.url) if up else {}
        if not up:
            up = stack.enter_context(server.alone(home, settings, os.environ))
            own = dict(up.environ)
        os.environ.clear()
        # The terminal shows progress instead; logs would be sent at exit, to a server that is gone by then.
        os.environ.update(own | {"PREFECT_LOGGING_LEVEL": "WARNING", "PREFECT_LOGGING_TO_API_ENABLED": "false"})

        from flows.nightly_flow import nightly  # seconds, in which the server starts too
        from flows.progress import watched_by

        for child in up.children:
            server.wait_until_it_answers(child, up.url, settings.server_startup_seconds)
        with watched_by(report):
            return nightly(cold=cold, here=True)
