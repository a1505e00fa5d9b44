"""Reads a page as a browser and a screen reader would, as far as a test needs it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@dataclass
class Element:
    """One opened element."""

    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """All elements of a page, and what is wrong with it."""

    source: str
    elements: list[Element] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)
        self.close()
        self.problems += [f"<{one.name}> is never closed" for one in self._open]
        self._check()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].name != tag:
            self.problems.append(f"</{tag}> closes <{self._open[-1].name if self._open else ''}>")
        elif self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *names: str) -> list[Element]:
        return [one for one in self.elements if one.name in names]

    def values(self, name: str) -> list[str]:
        return [one.attributes[name] for one in self.elements if name in one.attributes]

    @property
    def links(self) -> list[str]:
        return [one.attributes["href"] for one in self.all("a")]

    def _check(self) -> None:
        for name, count in (("h1", 1), ("main", 1), ("title", 1)):
            if len(self.all(name)) != count:
                self.problems.append(f"{len(self.all(name))} {name}")
        ids = Counter(self.values("id"))
        self.problems += [f"id {name} stands {count} times" for name, count in ids.items() if count > 1]
        for attribute in ("aria-labelledby", "aria-describedby", "for"):
            wanted = {name for value in self.values(attribute) for name in value.split()}
            self.problems += [f"{attribute} names {name}" for name in sorted(wanted - ids.keys())]
        self._check_safety()
        self._check_names(set(self.values("for")))

    def _check_safety(self) -> None:
        for one in self.elements:
            self.problems += [
                f"{one.name} has {name}" for name in one.attributes if name.startswith("on") or name == "style"
            ]
            for name in ("src", "href", "action", "formaction"):
                address = one.attributes.get(name, "/")
                if not address.startswith(("/", "#")) or address.startswith("//"):
                    self.problems.append(f"{one.name} leads to {address}")
        self.problems += [
            "a script in the page" for one in self.all("script") if one.text or "src" not in one.attributes
        ]
        self.problems += ["a style in the page" for _ in self.all("style")]

    def _check_names(self, labelled: set[str]) -> None:
        for one in self.all("input", "select", "textarea"):
            hidden = one.attributes.get("type") in ("hidden", "checkbox", "radio")  # the latter stand in their labels
            if not hidden and one.attributes.get("id") not in labelled:
                self.problems.append(f"{one.name} {one.attributes.get('name')} has no label")
        self.problems += [
            f"empty {one.name}" for one in self.all("a", "button", "h1", "h2", "th") if not one.text.strip()
        ]
        self.problems += ["an image without alt" for one in self.all("img") if "alt" not in one.attributes]
        self.problems += ["a plot without words" for one in self.all("svg") if not one.attributes.get("aria-label")]
