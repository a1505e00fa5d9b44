"""The blind review from the keyboard: left, right, same, and one taken back; its result joins the evidence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from browsing import Visitor
from desk import Desk
from playwright.sync_api import Page, expect
from two_mornings import two_mornings

from bonsai import bootstrap
from bonsai.queries.promotions import list_promotions


@pytest.fixture(scope="module")
def mornings(tmp_path_factory: pytest.TempPathFactory, taught: Path) -> Path:
    return two_mornings(Path(shutil.copytree(taught, tmp_path_factory.mktemp("mornings") / "home")))


@pytest.fixture
def desk(mornings: Path, tmp_path: Path) -> Desk:
    return Desk(bootstrap.open(Path(shutil.copytree(mornings, tmp_path / "home")), {}))


def press(page: Page, key: str, done: int) -> None:
    """On the page of the question that comes after so many."""
    expect(page.get_by_role("progressbar")).to_have_attribute("value", str(done))
    page.wait_for_load_state()
    page.keyboard.press(key)


def test_a_round_of_keys_joins_the_evidence(visitor: Visitor, desk: Desk) -> None:
    waiting = list_promotions(desk.b)[0].adapter
    page = visitor.go(f"/promotions/{waiting}")
    page.get_by_role("link", name="blind review").first.click()
    asked = int(page.get_by_role("progressbar").get_attribute("max") or 0)
    assert asked > 2
    press(page, "ArrowLeft", done=0)
    press(page, "u", done=1)
    for done in range(asked):
        press(page, ("ArrowLeft", "ArrowRight", "s")[done % 3], done)
    expect(page.get_by_role("region")).to_contain_text("you preferred")
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("region", name="Blind reviews")).to_contain_text("mika")
