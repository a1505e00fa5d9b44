"""`bonsai night run`: the nightly flow in this process, on the server of `bonsai up` or on one for this run alone."""

from __future__ import annotations

import os
from pathlib import Path

from bonsai.config import PrefectSettings
from bonsai.progress import Report
from flows import settings as prefect_settings


def run_night(home: Path, settings: PrefectSettings, *, cold: bool, report: Report) -> str:
    """The night's id. Sets this process's environment before Prefect is imported, which reads it then."""
    from flows.server import running

    up = running(home)
    os.environ.update(prefect_settings.environment(home, settings, os.environ, up.url if up else ""))
    os.environ["PREFECT_LOGGING_LEVEL"] = "WARNING"  # the terminal shows progress instead

    from flows.nightly_flow import nightly
    from flows.progress import watched_by

    with watched_by(report):
        return nightly(cold=cold, here=True)
