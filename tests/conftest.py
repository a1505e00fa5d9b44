"""What every test shares. CI sets BONSAI_FORBID_SKIP: there, a skipped test is a failed run, and long tests run too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """Real input beside the checkout; the test is skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real input is not here: {SHARED_DATA}")
    return SHARED_DATA


def all_are_wanted() -> bool:
    """Long tests too: `make test-all`, and CI."""
    return bool(os.environ.get("BONSAI_ALL_TESTS") or os.environ.get("BONSAI_FORBID_SKIP"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `long`, unless every test is wanted or the person names files."""
    if all_are_wanted() or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and how to run it."""
    left_out = [one for one in terminalreporter.stats.get("deselected", ()) if one.get_closest_marker("long")]
    if left_out:
        terminalreporter.write_line(f"{len(left_out)} long tests were left out; `make test-all` runs them too.")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn skips into a failure where skipping is forbidden."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("BONSAI_FORBID_SKIP") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
