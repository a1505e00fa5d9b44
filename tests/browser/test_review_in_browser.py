"""The blind review from the keyboard: left, right, same, and one taken back; its result joins the evidence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from browsing import Visitor
from desk import Desk
from playwright.sync_api import expect
from two_mornings import two_mornings

from bonsai import views, wiring


@pytest.fixture(scope="module")
def mornings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_mornings(tmp_path_factory.mktemp("mornings") / "home")


@pytest.fixture
def desk(mornings: Path, tmp_path: Path) -> Desk:
    return Desk(wiring.open(Path(shutil.copytree(mornings, tmp_path / "home")), {}))


def test_a_round_of_keys_joins_the_evidence(visitor: Visitor, desk: Desk) -> None:
    waiting = views.list_promotions(desk.b)[0].adapter
    page = visitor.go(f"/promotions/{waiting}")
    page.get_by_role("link", name="blind review").first.click()
    asked = int(page.get_by_role("progressbar").get_attribute("max") or 0)
    assert asked > 2
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('progress').value === 1")
    page.keyboard.press("u")
    page.wait_for_function("document.querySelector('progress').value === 0")
    for number in range(asked):
        page.keyboard.press(("ArrowLeft", "ArrowRight", "s")[number % 3])
        page.wait_for_function(
            "(done) => (document.querySelector('progress') || { value: done }).value === done", arg=number + 1
        )
    expect(page.get_by_role("region")).to_contain_text("preferred")
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("region", name="Blind reviews")).to_contain_text("mika")
