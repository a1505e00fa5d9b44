"""How nights are judged, for the base in use at the moment of looking."""

from __future__ import annotations

from desk import Desk
from fastapi.testclient import TestClient
from html_pages import Page

from bonsai.config.edit import with_setting


def test_it_follows_the_settings_while_the_server_runs(desk: Desk, client: TestClient) -> None:
    def shown() -> str:
        return Page(client.get("/promotions/gate").text).all("main")[0].text

    assert "on seedling, is judged by" in shown()
    assert "measured on 6 seeds" in shown()
    file = desk.b.places.settings_file
    before = file.read_text("utf-8")
    file.write_text(with_setting(before, "training", "profile", "seed-script"), "utf-8")
    assert "on phi-2, is judged by" in shown()
    assert "Not calibrated" in shown()
    assert "measured on 6 seeds" not in shown()
    file.write_text("half-edited [", "utf-8")
    assert "on phi-2, is judged by" in shown(), "the last valid settings hold"
    file.write_text(before, "utf-8")
    assert "on seedling, is judged by" in shown()
