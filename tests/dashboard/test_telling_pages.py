"""The form: what Bonsai suggests and warns of while one writes, and what became of the ones told in a row."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from desk import EVIL, NOW, Desk
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import submit
from bonsai.queries.records import list_records, submission_status
from storage import inbox
from storage.tables.records_table import RecordFilter

TAMA = {"instruction": "なぜタマは鳴くの?", "output": "おなかがすいたからです。"}
"Told in every home of these tests."


def states(page: Page) -> list[str]:
    return [one.text for one in page.all("span") if "state" in one.attributes.get("class", "").split()]


def test_tags_are_suggested_while_writing_and_others_offered(client: TestClient) -> None:
    told = {"instruction": "猫はどこで寝ますか?", "output": "台所の流しで寝ます。"}
    found = client.post("/suggest", data=told).json()
    assert (found["language"], found["before"]) == ("Japanese", None)
    assert client.post("/suggest?lang=ja", data=told).json()["language"] == "日本語"
    assert client.post("/suggest", data={**told, "output": ""}).json() == {}
    words = [name for _, name in found["likely"]]
    assert len(set(words)) == len(words) == 3
    assert found["category"] not in words


def test_what_would_be_repeated_or_contradicted_is_said_at_once(desk: Desk) -> None:
    client = desk.client()

    def before(**changes: str) -> str:
        told = client.post("/suggest", data={**TAMA, **changes}).json()["before"]
        return str(told and told["words"])

    assert "exact record already exists" in before()
    assert "differently: “おなかがすいた" in before(output="さびしいからです。")
    assert "near duplicate" in before(instruction="なぜ タマは 鳴くの", output="おなかが、すいたからです!")
    assert before(instruction="なぜタマは寝るの?") == "None"
    [stored] = list_records(desk.b, RecordFilter(subject="タマ"), None)
    forget_records(desk.b, [stored.record.id], "mika", NOW)
    assert "permanently deleted" in before()
    assert before(output="さびしいからです。") == "None"


def test_a_busy_database_costs_the_warning_and_not_the_tags(desk: Desk) -> None:
    client = desk.client()
    with desk.b.database.writing():
        found = client.post("/suggest", data=TAMA).json()
    assert (found["language"], found["before"]) == ("Japanese", None)


def test_the_ones_told_in_a_row_are_listed_with_their_state(desk: Desk) -> None:
    client = desk.client("mika", drain=lambda: None)
    path = ""
    for fields in ({"instruction": "Who naps?", "output": "Pochi."}, TAMA, {**TAMA, "output": "さびしいからです。"}):
        given = {
            one.attributes.get("name"): one.attributes.get("value", "") for one in page_of(client, path).all("input")
        }
        path = str(client.post("/records", data={**fields, "told": given.get("told", "")}).url)
    page = page_of(client, path)
    assert page.problems == []
    assert (states(page), "data-waiting" in page.source) == (["being added"] * 3, True)
    desk.drain()
    page = page_of(client, path)
    assert (page.problems, "data-waiting" in page.source) == ([], False)
    assert states(page) == ["held back", "duplicate", "active"]
    assert "it answers the same question as" in page.source
    [stored] = list_records(desk.b, RecordFilter(text="Who naps?"), None)
    assert f"/records/{stored.record.id}" in page.links


def page_of(client: TestClient, path: str) -> Page:
    return Page(client.get(path or "/records/new").text)


def test_the_list_takes_no_path_and_no_more_than_a_few(desk: Desk) -> None:
    client = desk.client()
    for told in ("../../bonsai", "../bonsai.toml", EVIL, "20261121T000000000000Z-0123456789abcdef", ","):
        page = Page(client.get("/records/new", params={"told": told}).text)
        assert (page.problems, states(page)) == ([], [])
    many = [submit(desk.b, {"instruction": f"{n}?", "output": "b"}, NOW) for n in range(20)]
    answer = client.post("/records", data={"instruction": "c?", "output": "d", "told": ",".join(many)})
    told = parse_qs(urlsplit(str(answer.url)).query)["told"][0].split(",")
    assert (len(told), told[1:]) == (8, many[:7])


def test_a_damaged_submission_is_followed_too(desk: Desk) -> None:
    told = submit(desk.b, {"instruction": "a?", "output": "b"}, NOW)
    path = desk.b.places.inbox / f"{told}.record.json"
    path.write_text("{")
    assert [one.state for one in submission_status(desk.b, [told, "nonsense"])] == ["waiting", "gone"]
    desk.drain()
    assert inbox.find(desk.b.places.inbox, told) is not None
    assert [one.state for one in submission_status(desk.b, [told])] == ["unreadable"]


def test_the_keys_go_from_the_question_to_the_button(client: TestClient) -> None:
    page = Page(client.get("/records/new").text)
    [form] = [number for number, one in enumerate(page.elements) if one.attributes.get("id") == "record"]
    inside = [
        one.attributes.get("name", one.name) for one in page.elements[form:] if is_a_stop(one.name, one.attributes)
    ]
    assert inside[:9] == [
        *("instruction", "output", "subject", "happened_on", "feeling", "language", "category", "input", "button"),
    ]
    assert "autofocus" in next(one.attributes for one in page.all("textarea"))


def is_a_stop(name: str, attributes: dict[str, str]) -> bool:
    return name in ("input", "textarea", "select", "button") and attributes.get("type") != "hidden"
