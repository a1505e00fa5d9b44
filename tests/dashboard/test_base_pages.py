"""Base models: list, one, use with and without a champion of another base, add and check in the background, remove."""

from __future__ import annotations

import html
import json
import shutil
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from desk import NOW, Desk
from hand_bases import FAILED, HandChecker, HandHub
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.actions.promotions import approve
from bonsai.auth import accounts
from bonsai.errors import HomeError
from bonsai.i18n import TEXT_LANGUAGES, TextLanguage, area_texts, text
from bonsai.model.home_bases import complete_folders
from bonsai.model.known_bases import known_bases
from bonsai.model.seedling import weights_folder
from bonsai.queries.promotions import list_promotions
from bonsai.system.locks import file_lock, process_name
from flows import base_work
from flows.base_work import BaseWork, last_work
from storage import audit
from storage.tables import adapters_table, promotions_table

PASSWORD = "dust in the litter"
HERE = process_name()


@dataclass
class Background:
    """Processes that were started, none of them real: `run` does the work of the last one here."""

    home: Path
    hub: HandHub
    checker: HandChecker = field(default_factory=HandChecker)
    started: list[BaseWork] = field(default_factory=list)
    process: str = HERE
    "In which it seems to run."

    def launch(self, home: Path, environ: Mapping[str, str], work: BaseWork) -> str:
        self.started.append(work)
        return self.process

    def run(self) -> base_work.WorkStatus:
        return base_work.perform(self.home, {}, self.started[-1], self.hub, self.checker)


@pytest.fixture
def background(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Background:
    made = Background(desk.b.home, HandHub())
    monkeypatch.setattr(base_work, "launch", made.launch)
    monkeypatch.setattr("bonsai.web.pages.bases.HuggingFaceHub", lambda: made.hub)
    return made


@pytest.fixture
def oak(tmp_path: Path) -> Path:
    """A person's own folder with a model."""
    return Path(shutil.copytree(weights_folder(), tmp_path / "oak"))


def shown(client: TestClient, path: str, language: TextLanguage = "en") -> str:
    page = Page(client.get(f"{path}?lang={language}").text)
    assert page.problems == []
    return page.all("main")[0].text


def sent(client: TestClient, path: str, status: int = 200, **form: str) -> str:
    """What a browser gets; it names the content type of an empty form too."""
    answer = client.post(path, data=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    page = Page(answer.text)
    assert (answer.status_code, page.problems) == (status, [])
    return page.all("main")[0].text


def add(client: TestClient, background: Background, source: Path) -> None:
    sent(client, "/bases", source=str(source))
    assert background.run().error == ""


def profile_of(desk: Desk) -> str:
    settings = tomllib.loads(desk.b.places.settings_file.read_text("utf-8"))
    return str(settings.get("training", {}).get("profile", ""))


def champion(desk: Desk) -> str:
    with desk.b.database.reading() as con:
        return promotions_table.champion(con).adapter


def crown(desk: Desk) -> str:
    """Make the waiting adapter champion; its id."""
    waiting = list_promotions(desk.b)[0]
    approve(desk.b, waiting.adapter, by="mika", reason="so", now=waiting.created_at)
    return waiting.adapter


def of_other_base(desk: Desk) -> str:
    """A champion that was trained on another base."""
    adapter = crown(desk)
    with desk.b.database.writing() as con:
        found = adapters_table.get(con, adapter)
        manifest = json.dumps({**found.manifest, "base_name": "elm", "base_hash": "0" * 64})
        con.execute("UPDATE adapters SET base = 'elm', passport = ? WHERE id = ?", [manifest, adapter])
    return adapter


@pytest.mark.parametrize("language", TEXT_LANGUAGES)
def test_the_list_has_what_is_here_and_what_could_be(client: TestClient, language: TextLanguage) -> None:
    said = shown(client, "/bases", language)
    table = known_bases()
    assert f"seedling {text('bases.used_now', language)}" in said
    for told in (text("bases.state_missing", language), table["qwen3-4b"].note(language), "apache-2.0", "4.02 B"):
        assert told in said
    assert {"/bases/seedling", "/bases/qwen3-4b"} <= set(Page(client.get("/bases").text).links)
    for way in ("/adapters", "/settings", "/help"):
        assert "/bases" in Page(client.get(way).text).links


@pytest.mark.parametrize("language", TEXT_LANGUAGES)
def test_one_base_shows_everything(
    client: TestClient, background: Background, oak: Path, language: TextLanguage
) -> None:
    add(client, background, oak)
    said = shown(client, "/bases/oak", language)
    assert str(oak) in said
    for key in ("bases.state_added", "bases.point_tokenizer", "bases.unknown_licence", "outcome_pass"):
        assert text(key if "." in key else f"dashboard.{key}", language) in said
    assert text("bases.found_tokens", language, en=0.24, ja=1.69) in said
    assert known_bases()["qwen3-4b"].note(language) in shown(client, "/bases/qwen3-4b", language)
    assert text("bases.check_shipped", language) in shown(client, "/bases/seedling", language)
    assert "hf download microsoft/phi-2" in shown(client, "/bases/phi2-lora", language)


def test_an_unknown_base_is_not_found(client: TestClient) -> None:
    for path in ("/bases/oak", "/bases/oak/use", "/bases/..%2fadapters", "/bases/phi-2/use"):
        assert client.get(path).status_code == 404
    for act in ("use", "check", "remove"):
        sent(client, f"/bases/oak/{act}", 404)


def test_a_plan_that_is_loaded_again_leads_to_the_list(client: TestClient) -> None:
    answer = client.get("/bases/plan", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/bases")


def test_use_without_a_champion(desk: Desk, client: TestClient, background: Background, oak: Path) -> None:
    add(client, background, oak)
    said = shown(client, "/bases/oak/use")
    assert text("bases.first_night") in said
    assert "checkbox" not in client.get("/bases/oak/use").text
    assert area_texts("dashboard", "en")["done_base_use"] in sent(client, "/bases/oak/use")
    assert profile_of(desk) == "oak"
    assert f"oak {text('bases.used_now')}" in shown(client, "/bases/oak")  # at once, in the running dashboard
    assert text("bases.use_auto") in shown(client, "/bases/auto/use")
    sent(client, "/bases/auto/use")
    assert profile_of(desk) == "auto"
    acts = [(act.action, act.target) for act in audit.read(desk.b.places.logs)]
    assert acts == [("base_add", "oak"), ("base_use", "oak"), ("base_use", "auto")]


def test_a_champion_of_this_base_goes_on_answering(desk: Desk, client: TestClient) -> None:
    adapter = crown(desk)
    assert text("bases.keeps_champion") in shown(client, "/bases/seedling/use")
    sent(client, "/bases/seedling/use")
    assert champion(desk) == adapter


def test_a_champion_of_another_base_is_rolled_back_only_when_ticked(desk: Desk, client: TestClient) -> None:
    adapter = of_other_base(desk)
    for language in TEXT_LANGUAGES:
        words = {"champion": adapter[:10], "base": "elm", "name": "seedling"}
        assert text("bases.rolls_back_on_page", language, **words) in shown(client, "/bases/seedling/use", language)
    client.cookies.clear()
    before = profile_of(desk)
    for sure in ({}, {"sure": "yes"}, {"sure": "b" * 16}):
        assert text("bases.not_sure") in sent(client, "/bases/seedling/use", 422, **sure)
    assert (champion(desk), profile_of(desk)) == (adapter, before)
    sent(client, "/bases/seedling/use", sure=adapter)
    assert (champion(desk), profile_of(desk)) == ("base", "seedling")


def test_what_overrules_the_choice_is_said_before(desk: Desk) -> None:
    from bonsai.web.app import create_app

    environ = {"BONSAI_TRAINING__PROFILE": "seedling"}
    app = create_app(desk.b, clock=lambda: NOW, owner="mika", drain=desk.drain, hosts=["testserver"], environ=environ)
    assert "BONSAI_TRAINING__PROFILE" in shown(TestClient(app), "/bases/seedling/use")


def test_remove_is_refused_while_something_needs_it(
    desk: Desk, client: TestClient, background: Background, oak: Path
) -> None:
    add(client, background, oak)
    adapter = crown(desk)
    with desk.b.database.writing() as con:
        con.execute("UPDATE adapters SET base = 'oak' WHERE id = ?", [adapter])
    assert adapter[:10] in sent(client, "/bases/oak/remove", 409)
    assert text("bases.not_added_on_page", name="seedling") in sent(client, "/bases/seedling/remove", 409)
    with desk.b.database.writing() as con:
        con.execute("UPDATE adapters SET base = 'seedling' WHERE id = ?", [adapter])
    with desk.b.places.settings_file.open("a", encoding="utf-8") as file:
        file.write('\n[training]\nprofile = "oak"\n')
    assert text("bases.in_use_on_page", name="oak") in sent(client, "/bases/oak/remove", 409)
    assert len(complete_folders(desk.b.home)) == 1


def test_what_was_added_is_removed_and_its_source_stays(
    desk: Desk, client: TestClient, background: Background, oak: Path
) -> None:
    add(client, background, oak)
    assert text("bases.remove_about", source=oak) in shown(client, "/bases/oak")
    assert area_texts("dashboard", "en")["done_base_remove"] in sent(client, "/bases/oak/remove")
    assert complete_folders(desk.b.home) == []
    assert oak.is_dir()
    assert client.get("/bases/oak").status_code == 404
    assert client.get("/base-work").text.count("<p") == 0, "nor is anything said of its adding"
    assert text("bases.point_tokenizer") not in shown(client, "/bases")


WRONG = {
    "": "bases.source_needed",
    "  ": "bases.source_needed",
    "~": "model.folder_incomplete",
    "{empty}": "model.folder_incomplete",
    "~/nowhere": "bases.no_such_path",
    "~nobody-of-this-name/models": "bases.no_such_path",
    "/" + "a" * 900: "bases.no_such_path",
    "{empty}/notes.txt": "bases.no_gguf",
    "no such thing": "bases.no_source",
    "owner/model": "bases.offline",
    "qwen3-4b": "bases.offline",
    "seedling": "bases.here_already_on_page",
    "phi2-qlora": "bases.weights_missing_on_page",
}
"What is typed -> text that answers it."


@pytest.mark.parametrize("typed", WRONG)
def test_a_wrong_source_is_one_sentence(
    client: TestClient, background: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "empty"))
    source = typed.replace("{empty}", str(tmp_path / "empty"))
    for language in TEXT_LANGUAGES:
        for path in ("/bases/plan", "/bases"):
            answer = client.post(f"{path}?lang={language}", data={"source": source})
            page = Page(answer.text)
            assert (answer.status_code, page.problems) == (422, [])
            [problem] = [one.text for one in page.all("p") if "problem" in one.attributes.get("class", "")]
            end = text(WRONG[typed], language, **dict.fromkeys(("path", "file", "folder", "files"), "|"),
                       given="|", known="|", model="|", name="|", command="|").split("|")[-1]  # fmt: skip
            assert problem.endswith(end)
            assert html.escape(source, quote=True) in answer.text  # what was typed is still there
    assert background.started == []


def test_a_name_can_be_given_and_must_be_free(client: TestClient, background: Background, oak: Path) -> None:
    assert text("bases.taken_on_page", name="seedling") in sent(
        client, "/bases/plan", 422, source=str(oak), name="seedling"
    )
    assert "my-oak" in sent(client, "/bases/plan", 422, source=str(oak), name="My Oak")
    assert text("bases.plan_title", name="elm") in sent(client, "/bases/plan", source=str(oak), name="elm")
    sent(client, "/bases", source=str(oak), name="elm")
    background.run()
    assert "elm" in shown(client, "/bases/elm")


@pytest.mark.parametrize("language", TEXT_LANGUAGES)
def test_adding_is_planned_then_started_then_there(
    desk: Desk, client: TestClient, background: Background, oak: Path, language: TextLanguage
) -> None:
    client.cookies.set("bonsai_language", language)
    said = sent(client, "/bases/plan", source=str(oak))
    for told in ("2.96 M", "GiB", "cpu-small", text("bases.unknown_licence", language)):
        assert told in said
    assert background.started == []
    said = sent(client, "/bases", source=str(oak), name="oak")
    assert text("dashboard.done_base_start", language) in said
    assert text("bases.work_add_running", language, name="oak", took=text("nights.no_second", language)) in said
    assert background.started == [BaseWork("add", "oak", str(oak), NOW)]
    for path, form in (("/bases", {"source": str(oak)}), ("/bases/seedling/check", {})):  # one at a time
        assert text("bases.work_runs", language) in sent(client, path, 422 if form else 409, **form)
    assert text("bases.work_runs", language) in sent(client, "/bases/seedling/remove", 409)
    background.run()
    assert text("bases.work_add_done", language, name="oak") in shown(client, "/bases", language)
    assert text("bases.work_add_done", language, name="oak") in shown(desk.client(), "/bases", language)  # restarted
    assert [one.name for one in complete_folders(desk.b.home)] == ["oak"]


def test_a_hub_model_of_the_table_is_added_by_its_name(client: TestClient, background: Background) -> None:
    background.hub = HandHub(weights_folder(), {"architectures": ["LlamaForCausalLM"]})
    assert "apache-2.0" in sent(client, "/bases/plan", source="qwen3-4b")
    sent(client, "/bases", source="qwen3-4b", name="qwen3-4b")
    assert background.started[0].source == "qwen3-4b"


def test_while_it_runs_the_page_says_how_far_it_is(desk: Desk, client: TestClient, background: Background) -> None:
    work = BaseWork("check", "seedling", "", NOW - timedelta(minutes=3, seconds=20))
    base_work.start(desk.b.home, {}, work)
    status = {"step": "base_check", "done": 3, "total": 12}
    (desk.b.home / "bases" / base_work.STATUS).write_text(json.dumps(status))
    for path in ("/bases", "/bases/seedling"):
        source = client.get(path).text
        assert "checking the base model" in source
        assert text("bases.work_check_running", name="seedling", took="3 min 20 s") in source
        assert "nights.js" in source
        assert text("nights.refresh") in source  # without scripts
    part = client.get("/base-work").text
    assert 'value="3"' in part
    assert "data-goes-on" in part
    assert "data-goes-on" not in client.get("/bases/qwen3-4b").text


def test_only_a_hub_is_fetched_from(desk: Desk, client: TestClient, background: Background) -> None:
    said = {"/oak.GGUF": "cli.step_base_convert", "/oak": "bases.work_check_begins", "a/b": "bases.work_add_begins"}
    for source, key in said.items():
        base_work.start(desk.b.home, {}, BaseWork("add", "oak", source, NOW))
        assert text(key) in client.get("/base-work").text
        (desk.b.home / "bases" / base_work.WORK).unlink()


def test_a_check_that_failed_says_which_point(client: TestClient, background: Background) -> None:
    background.checker.findings = FAILED
    sent(client, "/bases/seedling/check")
    background.run()
    for language in TEXT_LANGUAGES:
        said = shown(client, "/bases/seedling", language)
        assert text("bases.work_check_failed", language, name="seedling") in said
        assert text("training.no_effect", language) in said
    assert "data-goes-on" not in client.get("/base-work").text


def test_a_base_that_fails_is_not_added_and_says_why(client: TestClient, background: Background, oak: Path) -> None:
    background.checker.findings = FAILED
    add(client, background, oak)
    said = shown(client, "/bases")
    assert text("bases.work_add_failed", name="oak") in said
    assert text("training.no_effect") in said
    assert client.get("/bases/oak").status_code == 404
    assert "/bases/oak" not in Page(client.get("/bases").text).links


@pytest.mark.parametrize("act", ["add", "check"])
def test_an_error_of_the_process_is_its_sentence(
    desk: Desk, client: TestClient, background: Background, oak: Path, act: Literal["add", "check"]
) -> None:
    name, source = ("oak", "owner/model") if act == "add" else ("seedling", "")
    background.checker.dies = True
    base_work.start(desk.b.home, {}, BaseWork(act, name, source, NOW))
    assert background.run().error
    key = "bases.offline" if act == "add" else "processes.killed"
    for language in TEXT_LANGUAGES:
        reason = text(key, language, model="owner/model", module="by hand", signal="SIGKILL", log="-")
        assert text(f"bases.work_{act}_error", language, name=name, reason=reason) in shown(client, "/bases", language)


def test_two_clicks_start_one(desk: Desk, client: TestClient, background: Background) -> None:
    folder = desk.b.home / "bases"
    folder.mkdir()
    with file_lock(folder / base_work.LOCK, exclusive=True, wait_seconds=0):
        assert text("bases.work_runs") in sent(client, "/bases/seedling/check", 409)
    assert background.started == []


def test_a_home_that_cannot_be_written_is_said_so(desk: Desk, background: Background) -> None:
    (desk.b.home / "bases").touch()
    with pytest.raises(HomeError, match="File exists"):
        base_work.start(desk.b.home, {}, BaseWork("check", "seedling", "", NOW))
    assert background.started == []


def test_a_process_that_died_is_said_to_be_dead(client: TestClient, background: Background, oak: Path) -> None:
    background.process = HERE.rpartition(":")[0] + ":1"  # an id that another process has now
    said = sent(client, "/bases", source=str(oak))
    log = background.home / "logs" / base_work.LOG
    assert text("bases.work_add_died", name="oak", log=log) in said
    background.process = HERE
    sent(client, "/bases", source=str(oak))  # and no other one waits for it


def test_a_real_process_outlives_the_request(desk: Desk, oak: Path) -> None:
    (oak / "tokenizer.json").unlink()
    base_work.start(desk.b.home, {}, BaseWork("add", "oak", str(oak), NOW))
    until = time.monotonic() + 60
    while (found := last_work(desk.b.home)) and found.state == "running" and time.monotonic() < until:
        time.sleep(0.1)
    assert found is not None
    assert (found.state, found.status.error) == ("failed", "model.folder_incomplete"), (
        desk.b.places.logs / base_work.LOG
    ).read_text()


def test_only_administrators_change_bases(desk: Desk, background: Background) -> None:
    for name, role in (("con", "contributor"), ("rev", "reviewer"), ("adm", "admin")):
        accounts.add_user(desk.b, name, role, PASSWORD, NOW)  # type: ignore[arg-type]
        client = desk.client(owner="")
        client.post("/login", data={"name": name, "password": PASSWORD, "next": "/"})
        allowed = role == "admin"
        for path in ("/bases", "/bases/seedling", "/bases/seedling/use", "/base-work"):
            assert client.get(path).status_code == (200 if allowed else 403)
        for path in ("/bases", "/bases/plan", "/bases/seedling/use", "/bases/seedling/check", "/bases/seedling/remove"):
            assert allowed or client.post(path, data={"source": "qwen3-4b"}).status_code == 403
        assert ("/bases" in Page(client.get("/adapters").text).links) is allowed
    assert background.started == []


def test_a_foreign_page_starts_nothing(client: TestClient, background: Background, oak: Path) -> None:
    for path in ("/bases", "/bases/seedling/use", "/bases/seedling/check", "/bases/seedling/remove"):
        answer = client.post(path, data={"source": str(oak)}, headers={"Origin": "https://elsewhere.example"})
        assert answer.status_code == 403
    assert background.started == []


def test_a_program_reads_what_the_pages_show(desk: Desk, client: TestClient, background: Background, oak: Path) -> None:
    program = desk.program("admin")
    add(client, background, oak)
    found = {one["name"]: one for one in program.get("/api/v1/bases").json()["items"]}
    assert (found["seedling"]["in_use"], found["oak"]["origin"], found["qwen3-4b"]["origin"]) == (
        True,
        "added",
        "table",
    )
    one = program.get("/api/v1/bases/oak", headers={"Accept-Language": "ja"}).json()
    assert one["source"] == str(oak)
    assert one["check"]["findings"][0]["detail"] == text("bases.found_tokens", "ja", en=0.24, ja=1.69)
    assert program.get("/api/v1/bases/elm").status_code == 404
    assert desk.program("read").get("/api/v1/bases").status_code == 403
