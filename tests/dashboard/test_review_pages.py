"""The blind review and a promotion's evidence as pages; who may do what with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from desk import EVIL, NOW, Desk
from html_pages import Page
from starlette.testclient import TestClient
from two_mornings import CAPITAL

from bonsai import bootstrap
from bonsai.actions.blind_review import review_state
from bonsai.auth import accounts
from bonsai.evaluate import blind_review, questions
from bonsai.queries import promotions
from bonsai.queries.answers import AnswerFilter, list_answers
from storage import audit
from storage.tables import reviews_table
from storage.tables.users_table import Role

MOST_BYTES = 120_000
PASSWORD = "dust in the litter"


@pytest.fixture
def desk(mornings: Path, tmp_path: Path) -> Desk:
    return Desk(bootstrap.open(Path(shutil.copytree(mornings, tmp_path / "home")), {}))


@pytest.fixture
def waiting(desk: Desk) -> str:
    return promotions.list_promotions(desk.b)[0].adapter


def page_of(client: TestClient, path: str) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert len(answer.content) < MOST_BYTES, path
    page = Page(answer.text)
    assert page.problems == [], path
    return page


def fields(page: Page) -> dict[str, str]:
    return {one.attributes["name"]: one.attributes["value"] for one in page.all("input") if "value" in one.attributes}


def log_in(desk: Desk, name: str, role: Role) -> TestClient:
    accounts.add_user(desk.b, name, role, PASSWORD, NOW)
    client = desk.client(owner="")
    assert client.post("/login", data={"name": name, "password": PASSWORD, "next": "/"}).status_code == 200
    return client


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_of_the_evidence_is_sound(desk: Desk, waiting: str, language: str) -> None:
    client = desk.client()
    client.cookies.set("bonsai_language", language)
    for path in ("", "/review", "/answers", "/answers/all", "/answers/all?turn=lost", "/data", "/data?kind=edited"):
        page_of(client, f"/promotions/{waiting}{path}")
    lost = page_of(client, f"/promotions/{waiting}/answers/all?turn=lost")
    assert EVIL in "".join(one.text for one in lost.all("dd"))


def test_a_question_does_not_say_whose_answer_is_whose(desk: Desk, waiting: str) -> None:
    client = desk.client("mika")
    page = page_of(client, f"/promotions/{waiting}/review")
    standing = review_state(desk.b, waiting, "mika")
    assert standing.question is not None
    assert fields(page) == {"item": standing.question.item}
    answers = [one.text for one in page.all("dd")]
    assert answers == [standing.question.left.strip(), standing.question.right.strip()]
    champion = promotions.champion(desk.b)
    assert champion[:10] not in page.source
    main = page.all("main")[0].text
    for word in ("turned", "Before", "After"):
        assert word not in main


def test_a_round_by_buttons_alone_joins_the_evidence(desk: Desk, waiting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blind_review, "ROUND", 5)
    client = desk.client("mika")
    path = f"/promotions/{waiting}/review"
    assert "Start a blind review" in client.get(f"/promotions/{waiting}").text
    for number in range(blind_review.ROUND):
        page = page_of(client, path)
        assert f"Question {number + 1} of {blind_review.ROUND}" in page.all("label")[0].text
        item = fields(page)["item"]
        assert client.post(path, data={"item": item, "side": "left"}, follow_redirects=False).status_code == 303
        if number == 3:
            told = client.get(f"/promotions/{waiting}").text
            assert "4 of 5 answered." in told
            assert "Continue the blind review" in told
    result = page_of(client, path)
    assert "Of 5 answers" in result.all("main")[0].text
    with desk.b.database.reading() as con:
        given = reviews_table.of_promotion(con, waiting, "mika")
    assert {one.given_at for one in given} == {NOW}
    preferred = [one.preferred for one in given]
    shown = page_of(client, f"/promotions/{waiting}")
    row = next(one.text for one in shown.all("tr") if "mika" in one.text)
    assert f"{preferred.count('challenger') / blind_review.ROUND:.0%} (" in row
    assert [(act.who, act.action) for act in audit.read(desk.b.places.logs)] == [("mika", "review")]
    assert client.post(path, data={"side": "undo"}).status_code == 422


def test_the_last_verdict_is_taken_back(desk: Desk, waiting: str) -> None:
    client = desk.client("mika")
    path = f"/promotions/{waiting}/review"
    first = fields(page_of(client, path))["item"]
    second = fields(Page(client.post(path, data={"item": first, "side": "right"}).text))["item"]
    assert second != first
    assert fields(Page(client.post(path, data={"side": "undo"}).text))["item"] == first
    assert client.post(path, data={"item": first, "side": "up"}).status_code == 422
    assert client.post(path, data={"item": questions.load("score")[0].id, "side": "left"}).status_code == 422


def test_a_contributor_looks_a_reviewer_decides(desk: Desk, waiting: str) -> None:
    contributor = log_in(desk, "con", "contributor")
    page = page_of(contributor, f"/promotions/{waiting}")
    assert "formaction" not in page.source
    assert f"/promotions/{waiting}/review" not in page.links
    for path in ("answers", "answers/all", "data"):
        page_of(contributor, f"/promotions/{waiting}/{path}")
    assert contributor.get(f"/promotions/{waiting}/review").status_code == 403
    assert contributor.post(f"/promotions/{waiting}/review", data={"side": "left"}).status_code == 403
    for action in ("approve", "reject", "rollback", "restore"):
        assert contributor.post(f"/promotions/{waiting}/{action}", data={"reason": "x"}).status_code == 403
    assert promotions.show_promotion(desk.b, waiting).state == "waiting"
    reviewer = log_in(desk, "rev", "reviewer")
    answer = reviewer.post(f"/promotions/{waiting}/approve", data={"reason": "read it"})
    assert answer.status_code == 200
    assert promotions.champion(desk.b) == waiting
    assert ("rev", "approve", waiting) in [(act.who, act.action, act.target) for act in audit.read(desk.b.places.logs)]


def test_all_answers_are_found_and_paged(desk: Desk, waiting: str) -> None:
    client = desk.client()
    path = f"/promotions/{waiting}/answers/all"
    page, seen = page_of(client, path), list[str]()
    while True:
        seen += [one.text for one in page.all("h2")]
        following = [one for one in page.all("a") if one.attributes.get("rel") == "next"]
        if not following:
            break
        page = page_of(client, following[0].attributes["href"])
    wanted = [one.question for one in list_answers(desk.b, waiting, AnswerFilter())]
    assert seen == wanted
    assert CAPITAL.instruction in page_of(client, f"{path}?turn=lost&language=ja&topic=general&right=wrong").source
    assert client.get(f"{path}?turn=better").status_code == 422
    assert "No answers match" in client.get(f"{path}?text=zzzzzz").text


def test_what_changed_in_the_data_leads_to_the_records(desk: Desk, waiting: str) -> None:
    client = desk.client()
    assert "2 new, 1 edited, 1 retagged, 1 removed" in client.get(f"/promotions/{waiting}").text
    page = page_of(client, f"/promotions/{waiting}/data")
    records = {one for one in page.links if one.startswith("/records/") and one != "/records/new"}
    assert len(records) == 6, "five, and the earlier version of the edited one"
    for one in records:
        page_of(client, one)
    assert client.get(f"/promotions/{waiting}/data?kind=lost").status_code == 422


def test_the_loss_is_drawn_said_and_tabled(desk: Desk, waiting: str) -> None:
    page = page_of(desk.client(), f"/promotions/{waiting}")
    [drawn] = [one for one in page.all("svg") if "in 40 steps" in one.attributes["aria-label"]]
    assert drawn.attributes["aria-label"].count("in 40 steps") == 2
    lines = [one.attributes["class"] for one in page.all("polyline")]
    assert lines == ["line champion", "line candidate"]
    rows = [one.text.strip() for one in page.all("tr")]
    means = [sum(first / step for step in (38, 39, 40)) / 3 for first in (0.8, 1.6)]
    assert "40" + "".join(f"{mean:.3f}" for mean in means) in rows
    night = promotions.show_promotion(desk.b, waiting).night
    (desk.b.places.runs / night / "log.txt").unlink()
    assert "no longer available" in desk.client().get(f"/promotions/{waiting}").text
