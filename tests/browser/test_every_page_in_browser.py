"""Every page in a real browser, in both languages: WCAG 2.2 AA in light and dark, no mouse needed, no page too wide.

axe sees about half of what the guidelines ask. The rest of this file sees some more: focus that is shown, reflow at 320
pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from browsing import DESKTOP, NARROWEST, Open, Visitor
from desk import Desk
from evil_home import use_evilly
from playwright.sync_api import Page

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_RULES = {"runOnly": LEVELS, "rules": {"target-size": {"enabled": True}}}
"`target-size` is new in WCAG 2.2; axe leaves it out unless it is asked for."
MOST_BYTES = 120_000


def axe(page: Page) -> list[str]:
    """What axe finds: rule, where, and what to do."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("(rules) => axe.run({ resultTypes: ['violations'], ...rules })", ALL_RULES)
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def kind(path: str) -> str:
    """Pages of one kind look alike: ids and queries do not count."""
    return re.sub(r"[0-9a-f]{10,}|\d{4}-[^/]*", "ID", path.partition("?")[0])


def every_kind(visitor: Visitor) -> Iterator[str]:
    """Goes to one page of each kind that links lead to, from the first on."""
    waiting, seen = ["/"], set[str]()
    while waiting:
        path = waiting.pop(0)
        if kind(path) in seen or "lang=" in path or path.endswith(".json"):
            continue
        seen.add(kind(path))
        page = visitor.go(path)
        yield path
        waiting += page.eval_on_selector_all(
            "a[href^='/']:not([download])", "links => links.map(link => link.getAttribute('href'))"
        )


@pytest.fixture
def used(desk: Desk) -> Desk:
    use_evilly(desk)
    return desk


@pytest.mark.parametrize(
    ("language", "scheme"),
    [
        ("en", "light"),
        ("ja", "dark"),  # what one language or scheme breaks, it breaks in the other's company too
        pytest.param("en", "dark", marks=pytest.mark.long),
        pytest.param("ja", "light", marks=pytest.mark.long),
    ],
)
def test_every_page_is_for_everybody(
    used: Desk, address: str, visit: Open, language: str, scheme: Literal["light", "dark"]
) -> None:
    visitor = visit(address, language=language)
    page, found = visitor.page, list[str]()
    page.emulate_media(color_scheme=scheme)
    for path in every_kind(visitor):
        problems = [*axe(page), *weight(page)]
        if scheme == "light":
            problems += without_mouse(page)
        visitor.resize(NARROWEST)
        if visitor.overflow > 0:
            problems.append(f"{visitor.overflow} px too wide")
        visitor.resize(DESKTOP)
        found += [f"{path}: {one}" for one in problems]
    assert not found, "\n".join(found)


def weight(page: Page) -> list[str]:
    """Of the page and all that it loads, before compression."""
    load = "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))"
    total = page.evaluate(f"{load}.reduce((sum, one) => sum + one.decodedBodySize, 0)")
    return [f"weighs {total} bytes"] if not 0 < total <= MOST_BYTES else []


WATCH_FOCUS = """() => {
  const usable = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const byArrows = (one) => one.type === "radio" && !one.checked;
  window.unreached = new Set(usable.filter((one) => one.checkVisibility() && !one.disabled && !byArrows(one)));
  window.unseen = new Set();
  unreached.delete(document.activeElement);  // a form's first field has the focus from the start
  document.addEventListener("focusin", ({ target }) => {
    unreached.delete(target);
    if (getComputedStyle(target).outlineStyle === "none") unseen.add(target);
  });
  const dates = document.querySelectorAll("input[type=date]").length;  // day, month, year
  return 2 * (unreached.size + 3 * dates + 2);  // twice round: a page that begins in its middle goes on at its top
}"""
TOLD_FOCUS = """() => {
  const told = (why, elements) => [...elements].map((one) => `${why}: ${one.outerHTML.slice(0, 200)}`);
  return [...told("Tab does not lead to", unreached), ...told("focus is not seen on", unseen)];
}"""


def without_mouse(page: Page) -> list[str]:
    """Whether Tab leads to whatever can be used, and shows where it is."""
    for _ in range(page.evaluate(WATCH_FOCUS)):
        page.keyboard.press("Tab")
        if page.evaluate("unreached.size") == 0:
            break
    return list(page.evaluate(TOLD_FOCUS))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_pages_that_no_link_leads_to(shared_address: str, visit: Open, language: str) -> None:
    visitor = visit(shared_address, language=language)
    visitor.noticed.expected |= {401, 404}
    page = visitor.go("/nowhere")
    assert axe(page) == []
    page = visitor.go("/login")
    assert axe(page) == []
    assert without_mouse(page) == []
    page.get_by_role("textbox").first.fill("nobody")
    page.locator("#password").fill("not the password")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert axe(page) == []
