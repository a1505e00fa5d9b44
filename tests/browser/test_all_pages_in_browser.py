"""Every page in a real browser, in both languages. Takes minutes, so its name comes first: others run beside it."""

from __future__ import annotations

import pytest
from browsing import Open
from desk import Desk
from every_page import complaints
from evil_home import use_evilly


@pytest.mark.parametrize(("language", "keys"), [("en", True), ("ja", False)])  # keys lead through the same elements
def test_every_page_is_for_everybody(desk: Desk, address: str, visit: Open, language: str, keys: bool) -> None:
    use_evilly(desk)
    assert complaints(visit(address, language=language), keys=keys) == ""
