"""Every page in a real browser, in both languages: WCAG 2.2 AA in light and dark, no mouse needed, no page too wide.

It takes a minute or two, so its name comes first: the other files run beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import Open, Visitor
from desk import Desk
from evil_home import use_evilly
from inspecting import problems


def kind(path: str) -> str:
    """Pages of one kind look alike: ids, queries and places on a page do not count, nor do bases that are not here."""
    path = re.sub(r"^/bases/(?!seedling$|auto/)[^/?]+", "/bases/NAME", path)
    return re.sub(r"[0-9a-f]{10,}|\d{4}-[^/]*", "ID", re.split("[?#]", path)[0])


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


@pytest.mark.parametrize(("language", "keys"), [("en", True), pytest.param("ja", False, marks=pytest.mark.long)])
def test_every_page_is_for_everybody(desk: Desk, address: str, visit: Open, language: str, keys: bool) -> None:
    use_evilly(desk)
    visitor = visit(address, language=language)
    found = [f"{path}: {one}" for path in every_kind(visitor) for one in problems(visitor, keys=keys)]
    assert not found, "\n".join(found)
