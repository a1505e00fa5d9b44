"""Adapters, settings, help: manifests and lineage, downloads that can be checked, where settings come from."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

import pytest
from desk import NOW, Desk
from hand_nights import EVENING
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.auth import accounts
from bonsai.i18n import area_texts
from bonsai.queries import adapters
from bonsai.queries.promotions import list_promotions
from bonsai.train.manifest import read_manifest
from bonsai.web.pages.adapters import in_units
from storage import audit
from storage.tables import adapters_table
from storage.tables.adapters_table import Adapter

PASSWORD = "dust in the litter"


@pytest.fixture
def adapter(desk: Desk) -> str:
    return list_promotions(desk.b)[0].adapter


def main(client: TestClient, path: str) -> str:
    page = Page(client.get(path).text)
    assert page.problems == []
    return page.all("main")[0].text


def test_an_adapter_leads_down_to_its_records(client: TestClient, desk: Desk, adapter: str) -> None:
    page = Page(client.get(f"/adapters/{adapter}").text)
    assert page.problems == []
    shown = adapters.show_adapter(desk.b, adapter)
    learned = adapters.learned_records(desk.b, shown.manifest.snapshot_id, 100)
    assert len(learned) == shown.line.records > 1
    assert {f"/records/{one.id}" for one in learned} <= set(page.links)
    text = page.all("main")[0].text
    assert area_texts("adapters", "en")["whole"] in text
    for told in (shown.manifest.base_hash, shown.manifest.snapshot_hash, *shown.manifest.files.values()):
        assert told in text
    assert f"/adapters/{adapter}" in Page(client.get("/adapters").text).links


def test_records_of_a_training_come_page_by_page(desk: Desk, adapter: str) -> None:
    snapshot = adapters.show_adapter(desk.b, adapter).manifest.snapshot_id
    found, after = list[str](), -1
    while page := adapters.learned_records(desk.b, snapshot, 2, after):
        found += [one.id for one in page]
        after = page[-1].place
    assert found == [one.id for one in adapters.learned_records(desk.b, snapshot, 100)]


def test_warm_starts_are_a_chain(desk: Desk, client: TestClient, adapter: str) -> None:
    with desk.b.database.writing() as con:
        first = adapters_table.get(con, adapter)
        for name, parent in (("b" * 16, adapter), ("c" * 16, "b" * 16)):
            manifest = {**first.manifest, "adapter_id": name, "parent": parent}
            adapters_table.add(con, Adapter(name, first.base, "gone", str(name), manifest, EVENING, parent))
    assert [one.id for one in adapters.show_adapter(desk.b, "c").ancestors] == ["b" * 16, adapter]
    page = Page(client.get(f"/adapters/{'c' * 16}").text)
    assert [link for link in page.links if link in (f"/adapters/{'b' * 16}", f"/adapters/{adapter}")] == [
        f"/adapters/{'b' * 16}",
        f"/adapters/{adapter}",
    ]
    assert [one.id[0] for one in adapters.list_adapters(desk.b, 2)] == ["c", "b"]
    assert [one.id for one in adapters.list_adapters(desk.b, 9, "b" * 16)] == [adapter]
    assert "cccccccccc" in main(client, f"/adapters/{'b' * 16}")
    assert area_texts("adapters", "en")["gone"] in page.all("main")[0].text  # its folder is not there


def test_a_download_is_the_adapter_and_can_be_checked(desk: Desk, adapter: str, tmp_path: Path) -> None:
    client = desk.client("mika")
    answer = client.get(f"/adapters/{adapter}/download")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-disposition"] == f'attachment; filename="bonsai-adapter-{adapter}.tar"'
    assert hashlib.sha256(answer.content).hexdigest() in main(client, f"/adapters/{adapter}")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    manifest = read_manifest(tmp_path / "out" / f"bonsai-adapter-{adapter}")
    assert manifest.adapter_id == adapter
    assert [(act.action, act.target, act.who) for act in audit.read(desk.b.places.logs)] == [
        ("download", adapter, "mika")
    ]


def test_an_altered_adapter_is_named_and_not_given_away(desk: Desk, client: TestClient, adapter: str) -> None:
    folder = adapters.show_adapter(desk.b, adapter).folder
    assert folder.is_relative_to(desk.b.home)
    (folder / "adapter_model.safetensors").write_text("other weights")
    assert "adapter_model.safetensors" in main(client, f"/adapters/{adapter}").split("Files")[1]
    answer = client.get(f"/adapters/{adapter}/download")
    assert (answer.status_code, Page(answer.text).problems) == (500, [])
    assert f"/adapters/{adapter}/download" not in Page(client.get(f"/adapters/{adapter}").text).links


def test_an_exchanged_adapter_with_a_fitting_manifest_is_named_too(
    desk: Desk, client: TestClient, adapter: str
) -> None:
    folder = adapters.show_adapter(desk.b, adapter).folder
    values = json.loads((folder / "passport.json").read_text("utf-8"))
    (folder / "extra.txt").write_text("more")
    values["files"]["extra.txt"] = hashlib.sha256(b"more").hexdigest()
    (folder / "passport.json").write_text(json.dumps(values))
    assert read_manifest(folder).files == values["files"]
    assert "passport.json" in main(client, f"/adapters/{adapter}").split("Files")[1]


@pytest.mark.parametrize("name", ["ffff", "..%2f..%2fbonsai.toml", "base"])
def test_only_adapters_of_this_home_are_given(client: TestClient, name: str) -> None:
    for path in (f"/adapters/{name}", f"/adapters/{name}/download"):
        assert client.get(path).status_code in (404, 422)


def test_roles(desk: Desk, adapter: str) -> None:
    accounts.add_user(desk.b, "con", "contributor", PASSWORD, NOW)
    accounts.add_user(desk.b, "rev", "reviewer", PASSWORD, NOW)
    for name, settings, download in (("con", 403, 403), ("rev", 403, 200)):
        client = desk.client(owner="")
        client.post("/login", data={"name": name, "password": PASSWORD, "next": "/"})
        assert client.get("/settings").status_code == settings
        assert client.get(f"/adapters/{adapter}/download").status_code == download
        links = Page(client.get("/help").text).links
        assert "/settings" not in links
        assert "/ask" in links
        offered = Page(client.get(f"/adapters/{adapter}").text).links
        assert (f"/adapters/{adapter}/download" in offered) is (download == 200)


def test_settings_say_where_they_come_from(desk: Desk, client: TestClient) -> None:
    with desk.b.places.settings_file.open("a", encoding="utf-8") as file:
        file.write("\n[night]\nminimum_new_records = 7\n")
    text = main(client, "/settings")
    changed = text.split(area_texts("settings", "en")["sections"])[0]
    assert "night.minimum_new_records" in changed
    assert str(desk.b.places.settings_file) in changed
    assert "gate.mode" in changed  # the desk's home waits for a person
    assert "one-sided error level of each claim" in text
    japanese = main(client, "/settings?lang=ja")
    assert "各主張の片側の誤り率" in japanese
    assert "one-sided" not in japanese


def test_help_leads_to_every_page_of_the_navigation(client: TestClient) -> None:
    source = client.get("/help").text
    _, navigation, rest = re.split(r"<nav\b|</nav>", source, maxsplit=2)
    links = set(re.findall(r'href="(/[^"?]*)"', navigation)) - {"/help"}
    assert len(links) >= 7
    assert links <= set(re.findall(r'href="(/[^"?]*)"', rest))
    for link in set(re.findall(r'<dt><a href="([^"]+)"', rest)):
        assert client.get(link).status_code == 200, link


def test_help_explains_the_loop_in_words_and_as_a_picture(client: TestClient) -> None:
    for language in ("en", "ja"):
        told = area_texts("guide", language)  # type: ignore[arg-type]
        page = Page(client.get(f"/help?lang={language}").text)
        assert page.problems == []
        [picture] = page.all("svg")
        assert picture.attributes["aria-label"] == told["loop_label"]
        text = page.all("main")[0].text
        for name in ("step_tell", "step_ask", "verdict_not_enough_evidence", "rule_F", "key_ctrl_enter_does"):
            assert told[name] in text


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (2_500_000, "2.5 MB"), (3_200_000_000, "3.2 GB")]
)
def test_sizes_are_read_by_people(size: int, shown: str) -> None:
    assert in_units(size) == shown
