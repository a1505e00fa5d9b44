"""A person's word on a promotion: what the pages do is what the terminal does, and the log says who."""

from __future__ import annotations

import pytest
from desk import EVIL, Desk
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.queries.promotions import champion, list_promotions, show_promotion
from bonsai.web.differences import mark_differences
from storage import audit
from storage.tables import promotions_table


@pytest.fixture
def waiting(desk: Desk) -> str:
    one = list_promotions(desk.b)[0]
    assert one.state == "waiting"
    return one.adapter


def last_line(desk: Desk) -> tuple[str, str, str]:
    with desk.b.database.reading() as con:
        entry = promotions_table.log(con)[-1].entry
    return entry.action, entry.who, entry.reason


def test_the_first_page_leads_to_what_waits_and_one_button_decides(client: TestClient, waiting: str) -> None:
    assert f"/promotions/{waiting}" in Page(client.get("/").text).links
    assert f"/promotions/{waiting}/approve" in Page(client.get(f"/promotions/{waiting}").text).values("formaction")
    assert f"/promotions/{waiting}" in Page(client.get("/promotions").text).links


def test_every_rule_is_drawn_with_its_figures(client: TestClient, desk: Desk, waiting: str) -> None:
    rules = show_promotion(desk.b, waiting).decision.rules
    page = Page(client.get(f"/promotions/{waiting}").text)
    assert len(page.all("svg")) == sum(rule.figure is not None for rule in rules) > 10
    drawn = [one.attributes["aria-label"] for one in page.all("svg")]
    gain = next(rule for rule in rules if rule.name == "bits_fixed")
    assert gain.interval is not None
    low, high = gain.interval
    assert f"Value {gain.figure:+.3f}, bounds {low:+.3f} … {high:+.3f}, required {gain.threshold:+.3f}" in drawn


def test_an_approval_makes_the_champion_and_says_who(client: TestClient, desk: Desk, waiting: str) -> None:
    answer = client.post(f"/promotions/{waiting}/approve", data={"reason": EVIL})
    assert answer.status_code == 200
    assert champion(desk.b) == waiting
    assert last_line(desk) == ("approve", EVIL, EVIL)
    acts = audit.read(desk.b.places.logs)
    assert [(act.who, act.action, act.target) for act in acts] == [(EVIL, "approve", waiting)]


def test_a_refusal_keeps_the_champion(client: TestClient, desk: Desk, waiting: str) -> None:
    client.post(f"/promotions/{waiting}/reject", data={"reason": ""})
    assert champion(desk.b) == "base"
    assert show_promotion(desk.b, waiting).state == "rejected"
    again = client.post(f"/promotions/{waiting}/approve", data={"reason": "approve it anyway"})
    assert again.status_code == 409
    assert champion(desk.b) == "base"


def test_what_the_gate_refused_needs_a_reason_and_keeps_what_was_typed(desk: Desk, waiting: str) -> None:
    client = desk.client("mika")
    desk.night(bits=2.3, day=1)
    refused = list_promotions(desk.b)[0]
    assert refused.state == "refused"
    answer = client.post(f"/promotions/{refused.adapter}/approve", data={"reason": "  "})
    assert answer.status_code == 409
    assert Page(answer.text).problems == []
    assert "did not recommend" in answer.text
    client.post(f"/promotions/{refused.adapter}/approve", data={"reason": "I know better"})
    assert champion(desk.b) == refused.adapter
    void = client.get(f"/promotions/{waiting}").text
    assert "invalidated" in void
    assert "formaction" not in void


def test_rolling_back_takes_only_who_answers(client: TestClient, desk: Desk, waiting: str) -> None:
    assert client.post(f"/promotions/{waiting}/rollback", data={"reason": ""}).status_code == 409
    client.post(f"/promotions/{waiting}/approve", data={"reason": ""})
    client.post(f"/promotions/{waiting}/rollback", data={"reason": "no"})
    assert champion(desk.b) == "base"
    client.post(f"/promotions/{waiting}/restore", data={"reason": "yes"})
    assert (champion(desk.b), last_line(desk)[0]) == (waiting, "restore")
    assert client.post(f"/promotions/{waiting}/explode", data={"reason": ""}).status_code == 404


def test_an_altered_history_is_told(client: TestClient, desk: Desk, waiting: str) -> None:
    client.post(f"/promotions/{waiting}/approve", data={"reason": "good"})
    assert "intact" in client.get("/promotions").text
    assert "intact" in client.get(f"/promotions/{waiting}").text
    with desk.b.database.writing() as con:
        con.execute("UPDATE promotion_log SET who = 'somebody else'")
    answer = client.get("/promotions")
    assert answer.status_code == 200
    assert "was altered" in answer.text
    assert "was altered" in client.get(f"/promotions/{waiting}").text


def test_what_differs_between_two_answers_is_marked() -> None:
    before, after = mark_differences("Mike sneezes at dust.", "Mike sneezes at the litter.")
    assert before == (("Mike sneezes at ", False), ("dust", True), (".", False))
    assert after == (("Mike sneezes at ", False), ("the litter", True), (".", False))
    assert mark_differences("猫は魚が好き", "猫は鳥が好き")[1] == (("猫は", False), ("鳥", True), ("が好き", False))
    assert mark_differences("", "x") == ((), (("x", True),))
    assert mark_differences("same", "same")[0] == (("same", False),)
