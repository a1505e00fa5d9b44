"""What every test shares. CI sets BONSAI_FORBID_SKIP: there, a skipped test is a failed run, and long tests run too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """Real input beside the checkout; the test is skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real input is not here: {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def plain_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU without AMX, whatever this one has: the same base gets the same profile everywhere."""
    monkeypatch.setattr("bonsai.model.bases.cpu_features", frozenset)


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home to copy, its category tagger learned already: that takes seconds."""
    from hand_nights import EVENING  # here: most tests need none of it, and it takes a second

    from bonsai import bootstrap
    from bonsai.actions.learned_tagger import category_tagger

    home = tmp_path_factory.mktemp("taught") / "home"
    bootstrap.init(home, "en", EVENING, {})
    category_tagger(bootstrap.open(home, {}))
    return home


LEFT_OUT = pytest.StashKey[int]()
"How many long tests this run leaves out."


def all_are_wanted(config: pytest.Config) -> bool:
    """Long tests too: `make test-all`, CI, and when the person names files. A worker of xdist is told by its master."""
    if hasattr(config, "workerinput"):
        return bool(config.workerinput["all_are_wanted"])
    if os.environ.get("BONSAI_ALL_TESTS") or os.environ.get("BONSAI_FORBID_SKIP"):
        return True
    return config.args_source is not pytest.Config.ArgsSource.TESTPATHS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `long`, unless it is wanted."""
    if all_are_wanted(config):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.stash[LEFT_OUT] = len(long)
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


class Workers:
    """What this process and the workers of xdist tell each other about long tests."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker starts."""
        node.workerinput["all_are_wanted"] = all_are_wanted(node.config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended; each of them collects everything."""
        node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_configure(config: pytest.Config) -> None:
    """As `Workers` says."""
    config.pluginmanager.register(Workers())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and how to run it."""
    left_out = terminalreporter.config.stash.get(LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(f"{left_out} long tests were left out; `make test-all` runs them too.")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn skips into a failure where skipping is forbidden."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("BONSAI_FORBID_SKIP") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
