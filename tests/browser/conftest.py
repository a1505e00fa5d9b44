"""Chromium, a home full of script for each test, and the dashboard before it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, Open, Visitor, serving, start_chromium, visiting
from desk import Desk
from evil_home import make_evil_home
from playwright.sync_api import Browser, sync_playwright

from bonsai import bootstrap

OWNER = "mika"
LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="session", autouse=True)
def chromium_is_here() -> None:
    """Before any home is made."""
    if not CHROMIUM:
        pytest.skip("no chromium here; on Debian, as root: apt-get install chromium fonts-noto-cjk")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of one module: while Playwright runs, this thread has an event loop, which other tests must not meet."""
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def evil_home(tmp_path_factory: pytest.TempPathFactory, taught: Path) -> Path:
    folder = Path(shutil.copytree(taught, tmp_path_factory.mktemp("browser") / "home"))
    make_evil_home(folder)
    return folder


@pytest.fixture
def desk(evil_home: Path, tmp_path: Path) -> Desk:
    return Desk(bootstrap.open(Path(shutil.copytree(evil_home, tmp_path / "home")), {}))


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """Of a dashboard without a login."""
    with serving(desk.app(OWNER, desk.drain, LOOPBACK)) as home:
        yield home


@pytest.fixture
def shared_address(desk: Desk) -> Iterator[str]:
    """Of a dashboard where people log in."""
    with serving(desk.app("", desk.drain, LOOPBACK)) as home:
        yield home


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Open:
    """Opens browsers, each with cookies of its own: `visit(address, language="ja", size=PHONE)`.

    Each is closed before whatever was there when it was opened: a page complains when its dashboard is gone.
    """

    def opened(address: str, **wishes: Any) -> Visitor:
        with ExitStack() as stack:
            visitor = stack.enter_context(visiting(chromium, address, **wishes))
            request.node.addfinalizer(stack.pop_all().close)
        return visitor

    return opened


@pytest.fixture
def visitor(visit: Open, address: str) -> Visitor:
    """Whose machine it is, at a desk, in English."""
    return visit(address)
