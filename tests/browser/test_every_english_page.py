"""Every page in a real browser, in English. A file of its own: files run side by side, and this takes minutes."""

from __future__ import annotations

from browsing import Open
from desk import Desk
from every_page import complaints
from evil_home import use_evilly


def test_every_page_is_for_everybody_in_english(desk: Desk, address: str, visit: Open) -> None:
    use_evilly(desk)
    assert complaints(visit(address, language="en"), keys=True) == ""
