"""A home that was just made: each page says what to do, and nothing that is not so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from desk import Desk
from html_pages import Page

from bonsai import bootstrap
from bonsai.i18n import text
from bonsai.model.bases import Device
from bonsai.queries import base_offers
from bonsai.queries.base_plans import GIB, Machine

PAGES = ("/", "/records", "/promotions", "/nights", "/ask", "/adapters", "/pairs", "/tagging", "/subjects", "/rejects")


@pytest.fixture
def desk(taught: Path, tmp_path: Path) -> Desk:
    """No record has been told here."""
    return Desk(bootstrap.open(Path(shutil.copytree(taught, tmp_path / "home")), {}))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_of_an_empty_home_opens(desk: Desk, language: str) -> None:
    for path in PAGES:
        answer = desk.client().get(path, headers={"Accept-Language": language})
        assert (answer.status_code, Page(answer.text).problems) == (200, []), path


def test_the_first_page_says_how_to_begin_until_a_night_has_run(desk: Desk) -> None:
    def begins() -> bool:
        return any(one.attributes.get("id") == "begin" for one in Page(desk.client().get("/").text).all("h2"))

    assert begins()
    assert {"/records/new", "/records/upload", "/nights", "/ask", "/help"} <= set(
        Page(desk.client().get("/").text).links
    )
    desk.night(bits=1.0, day=1)
    assert not begins()


@pytest.mark.parametrize(("language", "base"), [("en", "smollm2-135m"), ("ja", "sarashina2.2-0.5b")])
def test_the_first_page_offers_a_real_base_while_the_seedling_is_in_use(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, language: str, base: str
) -> None:
    def offered(profile: str, gib: int = 16) -> str:
        monkeypatch.setattr(base_offers, "free_machine", lambda: Machine(Device("cpu", 0.0), gib * GIB))
        there = Desk(replace(desk.b, find_profile=lambda: profile))
        return there.client().get("/", headers={"Accept-Language": language}).text

    assert f'<a href="/bases/{base}">{base}</a>' in offered("seedling")
    assert text("bases.no_offer", language) in offered("seedling", gib=1)  # type: ignore[arg-type]
    assert "/bases/" not in offered("phi2-lora")
    assert text("bases.offer_title", language) not in offered("phi2-lora")  # type: ignore[arg-type]


def test_an_empty_list_leads_on_and_an_empty_search_says_so(desk: Desk) -> None:
    nothing, unlike = (desk.client().get(path).text for path in ("/records", "/records?text=Tama"))
    assert ("no records yet" in nothing, "No records match" in nothing) == (True, False)
    assert ("no records yet" in unlike, "No records match" in unlike) == (False, True)
