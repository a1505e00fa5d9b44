"""Every page that a link leads to, in both languages: well-formed, named, light, and no text of a record is markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from desk import EVIL, Desk
from evil_home import use_evilly
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.i18n import area_texts
from bonsai.web.rendering import FOLDER

MOST_BYTES = 120_000


def crawl(client: TestClient, language: str) -> dict[str, Page]:
    """Every page by its path, found by following links from the first."""
    client.cookies.set("bonsai_language", language)
    waiting, seen = ["/"], dict[str, Page]()
    while waiting:
        path = waiting.pop()
        if path in seen or path.startswith("#") or "lang=" in path or path.endswith(".json"):
            continue
        answer = client.get(path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue  # a download
        assert len(answer.content) < MOST_BYTES, path
        seen[path] = Page(answer.text)
        waiting += seen[path].links
    return seen


@pytest.fixture
def used(desk: Desk) -> Desk:
    use_evilly(desk)
    return desk


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_is_sound_and_shows_evil_texts_as_text(used: Desk, language: str) -> None:
    pages = crawl(used.client(), language)
    assert {path: page.problems for path, page in pages.items() if page.problems} == {}
    paths = {re.sub(r"\d{8}T\d{6}-[0-9a-f]{8}", "UPLOAD", path.partition("?")[0]) for path in pages}
    kinds = {re.sub(r"[0-9a-f]{10,}", "ID", path) for path in paths}
    kinds = {re.sub(r"-[0-9a-f]{8}\b", "-NIGHT", path) for path in kinds}
    assert {
        "/",
        "/nights",
        "/nights/2026-11-21-NIGHT",
        "/nights/2026-11-21-NIGHT/logs/training",
        "/promotions",
        "/promotions/ID",
        "/promotions/ID/answers",
        "/promotions/ID/answers/all",
        "/promotions/gate",
        "/promotions/ID/data",
        "/promotions/ID/review",
        "/records",
        "/records/ID",
        "/records/ID/edit",
        "/records/ID/versions",
        "/records/new",
        "/records/upload",
        "/records/upload/UPLOAD",
        "/pairs",
        "/pairs/decided",
        "/tagging",
        "/subjects",
        "/timeline",
        "/rejects",
        "/ask",
        "/ask/ID",
        "/adapters",
        "/adapters/ID",
        "/bases",
        "/bases/seedling",
        "/bases/qwen3-4b",
        "/settings",
        "/help",
        "/rejects/ID",
        "/api",
        *(
            f"/api/{group}"
            for group in ("records", "pairs", "files", "questions", "adapters", "bases", "promotions", "nights")
        ),
    } <= kinds
    assert {page.all("html")[0].attributes["lang"] for page in pages.values()} == {language}
    texts = "".join(page.all("body")[0].text for page in pages.values())
    assert texts.count("<script>alert(1)</script>") > 20
    assert "{{ 7 * 7 }}" in texts  # a template never runs what a record says
    assert "<script>alert" not in "".join(page.source for page in pages.values())


def test_problem_pages_look_the_same(client: TestClient) -> None:
    for path, status in (("/nowhere", 404), ("/records/ffff", 404), ("/promotions/ffff", 404)):
        answer = client.get(path, headers={"Accept-Language": "ja"})
        page = Page(answer.text)
        assert (answer.status_code, page.problems) == (status, [])
        assert page.all("h1")[0].text == area_texts("dashboard", "ja")["problem_404"]
    assert client.post("/").status_code == 405
    told = client.get("/nowhere", headers={"Accept": "application/json"})
    assert (told.headers["content-type"], told.json()["status"]) == ("application/problem+json", 404)


def test_a_mistake_of_ours_is_a_page_too(desk: Desk) -> None:
    def broken() -> None:
        raise RuntimeError(EVIL)

    answer = desk.client(drain=broken).post("/records", data={"instruction": "a", "output": "b"})
    assert answer.status_code == 500
    assert Page(answer.text).problems == []
    assert "RuntimeError" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ja", "ja"),
        ("en-GB,ja;q=0.5", "en"),
        ("fr, ja;q=0.8, en;q=0.3", "ja"),
        ("ja;q=0, en", "en"),
        ("", "en"),
        (";;,q", "en"),
    ],
)
def test_the_browser_says_which_language(client: TestClient, header: str, language: str) -> None:
    assert f'<html lang="{language}">' in client.get("/", headers={"Accept-Language": header}).text


def test_a_choice_of_language_is_remembered(client: TestClient) -> None:
    assert '<html lang="ja">' in client.get("/?lang=ja").text
    assert '<html lang="ja">' in client.get("/records", headers={"Accept-Language": "en"}).text
    assert '<html lang="ja">' in client.get("/?lang=%3Cscript%3E").text


def test_every_text_that_a_template_names_is_there() -> None:
    areas = [path.stem for path in (FOLDER.parent / "i18n" / "en").glob("*.toml")]
    known = {f"{area}.{name}" for area in areas for name in area_texts(area, "en")}
    used = {
        (key if "." in key else f"dashboard.{key}", path.name)
        for path in (FOLDER / "templates").rglob("*.html")
        for key in re.findall(r"\b(?:t|html)\([\"']([\w.]+)[\"'](?! ~)", path.read_text("utf-8"))
    }
    assert len(used) > 60
    assert sorted(one for one in used if one[0] not in known) == []


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * one for one in digits) if len(digits) == 3 else digits
    shares = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_are_told_apart(scheme: int) -> None:
    """WCAG 2.2: 4.5:1 for text, 3:1 for what is drawn and for the edges of controls."""
    css = (Path(FOLDER) / "static" / "style.css").read_text("utf-8")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", css.split("@media (prefers-color-scheme: dark)")[scheme]))
    for ground in ("ground", "card"):
        for ink in ("ink", "quiet", "link", "good", "bad", "unsure", "ja", "en"):
            assert contrast(found[ink], found[ground]) >= 4.5, (ink, ground)
        assert contrast(found["control"], found[ground]) >= 3
        assert contrast(found["focus"], found[ground]) >= 3
    assert contrast(found["on-link"], found["link"]) >= 4.5
    assert contrast(found["ink"], found["notice"]) >= 4.5
