"""Ask: a question waits in a queue, is answered side by side, judged, corrected, and forgotten with its record."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from desk import EVIL, NOW, Desk
from hand_client import HandClient
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.actions import ask
from bonsai.actions.ask import QuestionQueue
from bonsai.actions.inbox import submit
from bonsai.errors import LockTimeout
from bonsai.i18n import area_texts
from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import inbox_status, list_records
from storage import audit
from storage.tables.records_table import RecordFilter


def put(client: TestClient, question: str = "Where does Tama sleep?", **more: str) -> str:
    """Asks; the path of the answer, once it is there."""
    path = client.post("/ask", data={"question": question, **more}, follow_redirects=False).headers["location"]
    until = time.monotonic() + 20
    while client.get(f"{path}/state").json()["state"] in ("waiting", "answering"):
        assert time.monotonic() < until
        time.sleep(0.01)
    return path


def test_a_question_is_answered_side_by_side_with_the_records_that_are_like_it(asking_desk: Desk) -> None:
    told = {"instruction": "Where does Tama sleep at night?", "output": "In the sink.", "happened_on": "2024-11-02"}
    submit(asking_desk.b, {**told, "subject": "Tama", "source": "self"}, NOW)
    asking_desk.drain()
    client = asking_desk.client("mika")
    adapter = list_promotions(asking_desk.b)[0].adapter
    page = Page(client.get(put(client, voice=adapter, beside="base")).text)
    assert page.problems == []
    main = page.all("main")[0].text
    assert f"It is scratching. ({adapter})" in main
    assert "It is scratching. (base)" in main
    assert "English · Open question · The question is in English" in main
    assert "2 years ago" in main
    [record] = list_records(asking_desk.b, RecordFilter(subject="Tama"), None)
    assert f"/records/{record.record.id}" in page.links
    [kept] = ask.list_questions(asking_desk.b, 5)
    assert (kept.who, kept.question, kept.record_ids) == ("mika", "Where does Tama sleep?", (record.record.id,))


def test_given_tags_reach_the_model_and_say_so(asking_desk: Desk, inference: HandClient) -> None:
    client = asking_desk.client()
    text = client.get(put(client, language="ja", category="creative")).text
    assert [tags.language for tags in inference.asked[0].forced if tags] == ["ja"]
    assert area_texts("asking", "en")["given"] in text
    assert "Japanese · Creative writing" in text


def test_the_records_are_quoted_while_the_model_thinks(asking_desk: Desk, inference: HandClient) -> None:
    told = {"instruction": "Which vet do we go to?", "output": "Ms Adeyemi.", "happened_on": "2024-11-02"}
    submit(asking_desk.b, {**told, "subject": "Tama", "source": "community", "source_name": "Cat club"}, NOW)
    asking_desk.drain()
    inference.may_speak.clear()
    client = asking_desk.client()
    path = client.post("/ask", data={"question": "病院はどこ?"}, follow_redirects=False).headers["location"]
    page = Page(client.get(path).text)
    assert page.problems == []
    assert [one.text for one in page.all("blockquote")] == ["Ms Adeyemi."]
    assert "2 years ago (2024-11-02), Tama, Cat club, Which vet do we go to?" in page.all("main")[0].text
    inference.may_speak.set()
    while client.get(f"{path}/state").json()["state"] != "answered":
        time.sleep(0.01)
    assert inference.asked[-1].questions[0].context == "", "a bare model would go on with a passage"


def test_a_chat_model_gets_as_many_records_as_it_has_room_for(
    asking_desk: Desk, inference: HandClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonsai.actions.ask.has_chat_template", lambda folder: True)
    for answer in ("In the sink.", "On the roof of the shed, at night."):
        submit(asking_desk.b, {"instruction": f"Where is Tama, {answer[:2]}?", "output": answer, "source": "self"}, NOW)
    asking_desk.drain()
    client = asking_desk.client()
    assert client.get(put(client, "Where is Tama?")).status_code == 200
    assert inference.asked.pop().questions[0].context.startswith("- Q: Where is Tama, ")
    inference.room = 80
    assert client.get(put(client, "Where is Tama?")).status_code == 200
    assert [one.questions[0].context.count("\n- ") for one in inference.asked] == [1, 0]
    inference.room = 0
    assert client.get(put(client, "Where is Tama?")).status_code == 200
    assert inference.asked[-1].questions[0].context == ""
    assert client.get(put(client, "Where is Tama?", context="In the house.")).status_code == 422


def test_no_page_waits_for_the_model(asking_desk: Desk, inference: HandClient) -> None:
    inference.may_speak.clear()
    client = asking_desk.client()
    paths = [
        client.post("/ask", data={"question": f"Question {number}?"}, follow_redirects=False).headers["location"]
        for number in range(3)
    ]
    page = Page(client.get(paths[2]).text)
    assert page.problems == []
    assert "ahead of yours: 2" in page.all("main")[0].text
    assert client.get(f"{paths[2]}/state?lang=ja").json() == {"state": "waiting", "told": "順番待ちの質問：2 件。"}
    assert client.get("/").status_code == 200
    inference.may_speak.set()
    put(client, "The last one?")
    assert [asking.questions[0].instruction for asking in inference.asked][:3] == [f"Question {n}?" for n in range(3)]
    assert "It is scratching." in client.get(paths[2]).text


def test_a_queue_has_an_end_and_what_was_typed_is_not_lost(asking_desk: Desk, inference: HandClient) -> None:
    inference.may_speak.clear()
    client = asking_desk.client()
    longest = asking_desk.b.config.dashboard.ask_queue
    answers = [client.post("/ask", data={"question": EVIL}, follow_redirects=False) for _ in range(longest + 2)]
    refused = [one for one in answers if one.status_code != 303]
    assert refused
    assert {one.status_code for one in refused} == {503}
    page = Page(refused[-1].text)
    assert page.problems == []
    assert page.all("textarea")[0].text == EVIL


def test_a_failure_is_said_in_words_and_can_be_tried_again(asking_desk: Desk, inference: HandClient) -> None:
    inference.problem = LockTimeout("asking.training_runs")
    client = asking_desk.client()
    answer = client.get(put(client, EVIL))
    page = Page(answer.text)
    assert (answer.status_code, page.problems) == (503, [])
    assert "A night is training on the GPU" in page.all("main")[0].text
    assert [one.attributes["value"] for one in page.all("input") if one.attributes["name"] == "question"] == [EVIL]
    assert ask.list_questions(asking_desk.b, 5) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_of_ours_ends_one_question_and_not_the_queue(asking_desk: Desk, inference: HandClient) -> None:
    client = asking_desk.client()
    inference.says = None  # type: ignore[assignment]
    inference.problem = ZeroDivisionError()  # type: ignore[assignment]
    assert client.get(put(client)).status_code == 500
    inference.problem = None
    assert client.get(put(client)).status_code == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"question": " "}, 422),
        ({"question": "Who?", "voice": "ffff"}, 404),
        ({"question": "x" * 20_001}, 422),
        ({"question": "Who?", "context": "x" * 50_001}, 422),
    ],
)
def test_what_cannot_be_asked_is_said_at_once(asking_desk: Desk, form: dict[str, str], status: int) -> None:
    answer = asking_desk.client().post("/ask", data=form)
    assert (answer.status_code, Page(answer.text).problems) == (status, [])
    assert 'role="alert"' in answer.text


def test_what_repeats_itself_is_no_answer(asking_desk: Desk, inference: HandClient) -> None:
    inference.says = "the cat " * 20
    client = asking_desk.client()
    path = put(client)
    page = Page(client.get(path).text)
    assert page.problems == []
    assert "The model has no answer to this. It repeats itself." in page.all("main")[0].text
    assert page.all("summary")[0].text == "See what it wrote"


def test_a_thumb_is_kept_and_can_be_taken_back(asking_desk: Desk) -> None:
    client = asking_desk.client("mika")
    path = put(client)
    for thumb, kept in (("down", ("down", "mika")), ("up", ("up", "mika")), ("none", ("", ""))):
        answer = client.post(f"{path}/1/thumb", data={"thumb": thumb})
        assert Page(answer.text).problems == []
        [one] = ask.list_questions(asking_desk.b, 1)[0].answers
        assert (one.thumb, one.thumb_by) == kept
    assert client.post(f"{path}/1/thumb", data={"thumb": EVIL}).status_code == 422
    assert client.post(f"{path}/2/thumb", data={"thumb": "up"}).status_code == 404
    assert [act.action for act in audit.read(asking_desk.b.places.logs)] == ["thumb"] * 3


def test_a_correction_is_a_record_in_one_click_and_overrules(asking_desk: Desk) -> None:
    wrong = {"instruction": "Where does Tama sleep?", "output": "Tama sleeps on the roof.", "source": "self"}
    wrong |= {"subject": "Tama"}
    submit(asking_desk.b, wrong, NOW)
    asking_desk.drain()
    client = asking_desk.client("mika")
    path = put(client)
    given = [one.text for one in Page(client.get(path).text).all("textarea")]
    assert given == [""], "not a wrong answer to be edited"
    page = Page(client.post(f"{path}/1/correct", data={"output": "Tama sleeps in the sink."}).text)
    assert page.problems == []
    assert area_texts("dashboard", "en")["done_correct"] in page.all("main")[0].text
    assert page.all("textarea") == []
    found = {one.record.output: one for one in list_records(asking_desk.b, RecordFilter(text="Tama"), None)}
    right = found["Tama sleeps in the sink."]
    assert (right.record.source, right.record.author, right.status) == ("feedback", "mika", "active")
    assert right.record.subject == "Tama", "of the record that was quoted"
    again = Page(client.get(put(client)).text)
    assert again.all("blockquote")[0].text == "Tama sleeps in the sink.", "at once"
    assert found["Tama sleeps on the roof."].status == "held_back"


def test_a_correction_of_no_answer_tells_nothing(asking_desk: Desk) -> None:
    client = asking_desk.client("mika", drain=lambda: None)
    path = put(client)
    for number in ("9", "0", "-1"):
        assert client.post(f"{path}/{number}/correct", data={"output": "In the sink."}).status_code == 404
    assert inbox_status(asking_desk.b).pending == 0


def test_a_correction_that_is_no_record_stays_in_the_form(asking_desk: Desk) -> None:
    client = asking_desk.client()
    answer = client.post(f"{put(client)}/1/correct", data={"output": " "})
    page = Page(answer.text)
    assert (answer.status_code, page.problems) == (422, [])
    assert page.all("textarea")[0].text.strip() == ""
    assert inbox_status(asking_desk.b).pending == 0


def test_the_history_shows_each_question_once_page_by_page(asking_desk: Desk) -> None:
    client = asking_desk.client()
    size = asking_desk.b.config.dashboard.page_size
    for number in range(size + 2):
        wanted = ask.QuestionRequest(f"Question {number}?", "mika")
        ask.store_question(asking_desk.b, ask.ask_models(asking_desk.b, wanted, ask.new_question_id(), NOW))
    first = Page(client.get("/ask").text)
    [following] = [one.attributes["href"] for one in first.all("a") if one.attributes.get("rel") == "next"]
    second = Page(client.get(following).text)
    ids = [link for page in (first, second) for link in page.links if len(link) == len("/ask/") + 16]
    assert len(ids) == len(set(ids)) == size + 2


def test_only_so_many_questions_are_kept(asking_desk: Desk) -> None:
    dashboard = asking_desk.b.config.dashboard.model_copy(update={"ask_history": 2})
    b = replace(asking_desk.b, config=asking_desk.b.config.model_copy(update={"dashboard": dashboard}))
    for number in range(4):
        ask.store_question(
            b, ask.ask_models(b, ask.QuestionRequest(f"Question {number}?", "mika"), ask.new_question_id(), NOW)
        )
    assert [one.question for one in ask.list_questions(b, 9)] == ["Question 3?", "Question 2?"]
    with b.database.reading() as con:
        assert con.execute("SELECT count(*) FROM asked_answers").fetchall() == [(2,)]


def test_an_unknown_question_is_no_page(asking_desk: Desk) -> None:
    client = asking_desk.client()
    assert client.get("/ask/0123456789abcdef").status_code == 404
    assert client.get("/ask/0123456789abcdef/state", headers={"Accept": "application/json"}).status_code == 404


def test_the_end_waits_for_nobody_who_waits(desk: Desk, inference: HandClient) -> None:
    inference.may_speak.clear()
    before = set(threading.enumerate())
    queue = QuestionQueue(lambda: replace(desk.b, inference=inference), lambda: NOW)
    for question in ("One?", "Two?"):
        queue.put(ask.QuestionRequest(question, "mika"))
    while not inference.asked:
        time.sleep(0.01)
    queue.close()
    assert [one.questions[0].instruction for one in inference.asked] == ["One?"]
    assert not [one for one in set(threading.enumerate()) - before if one.name == "questions"]
