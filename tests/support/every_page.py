"""Goes through every page in a real browser: WCAG 2.2 AA in light and dark, no mouse needed, no page too wide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from browsing import Visitor
from inspecting import problems


def kind(path: str) -> str:
    """Pages of one kind look alike: ids, queries and places on a page do not count."""
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


def complaints(visitor: Visitor, *, keys: bool) -> str:
    """What is wrong with a page of each kind; empty when nothing is. `keys`: also press Tab through them."""
    return "\n".join(f"{path}: {one}" for path in every_kind(visitor) for one in problems(visitor, keys=keys))
