"""Questions, answers, thumbs, corrections, adapters and blind reviews for programs."""

from __future__ import annotations

import io
import shutil
import tarfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk import NOW, Desk
from hand_client import HandClient
from starlette.testclient import TestClient

from bonsai import bootstrap
from bonsai.actions import ask
from bonsai.actions.blind_review import add_verdict, review_state
from bonsai.actions.inbox import submit
from bonsai.errors import LockTimeout
from bonsai.queries import adapters
from bonsai.queries.promotions import list_promotions
from bonsai.train.manifest import MANIFEST_FILE
from storage import audit

V1 = "/api/v1"


def answered(program: TestClient, question: str) -> Any:
    until = time.monotonic() + 20
    while True:
        found = program.get(f"{V1}/questions/{question}").json()
        if found["state"] not in ("waiting", "answering"):
            return found
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_question_is_asked_polled_rated_and_corrected(asking_desk: Desk) -> None:
    submit(asking_desk.b, {"instruction": "Where does Tama sleep at night?", "output": "In the sink."}, NOW)
    asking_desk.drain()
    adapter = list_promotions(asking_desk.b)[0].adapter
    program = asking_desk.program("read", "append")
    said = {"question": "Where does Tama sleep?", "adapters": [adapter, "base"], "language": "en"}
    put = program.post(f"{V1}/questions", json=said)
    assert (put.status_code, put.json().keys()) == (202, {"question", "state", "before"})
    found = answered(program, put.json()["question"])
    assert [(one["number"], one["adapter"]) for one in found["answers"]] == [(1, adapter), (2, "base")]
    assert (found["text"], found["who"], found["answers"][0]["given"]) == ("Where does Tama sleep?", "mika", True)
    beside = program.get(f"{V1}/questions/{found['question']}/records").json()["items"]
    assert ([one["id"] for one in beside], beside[0]["output"]) == (found["records"], "In the sink.")
    path = f"{V1}/questions/{found['question']}/answers/2"
    for thumb, kept in (("down", "down"), ("none", ""), ("up", "up")):
        assert program.post(f"{path}/thumb", json={"thumb": thumb}).status_code == 200
        assert ask.show_question(asking_desk.b, found["question"]).answers[1].thumb == kept
    told = program.post(f"{path}/correction", json={"output": "On the piano."})
    assert told.status_code == 202
    record = program.get(f"{V1}/records/{told.json()['record']}").json()
    assert (record["output"], record["source"], record["author"]) == ("On the piano.", "feedback", "mika")
    for wrong in (f"{V1}/questions/{found['question']}/answers/3", f"{V1}/questions/{'0' * 16}/answers/1"):
        assert program.post(f"{wrong}/thumb", json={"thumb": "up"}).status_code == 404
    listed = program.get(f"{V1}/questions?limit=1").json()
    assert [one["question"] for one in listed["items"]] == [found["question"]]
    assert [act.action for act in audit.read(asking_desk.b.places.logs)] == ["thumb"] * 3 + ["correct"]


def test_nobody_waits_for_a_model_and_a_full_queue_says_so(asking_desk: Desk, inference: HandClient) -> None:
    inference.may_speak.clear()
    b = replace(bootstrap.open(asking_desk.b.home, {"BONSAI_DASHBOARD__ASK_QUEUE": "1"}), inference=inference)
    program = Desk(b).program("read")
    first = program.post(f"{V1}/questions", json={"question": "One?"}).json()["question"]
    until = time.monotonic() + 20
    while program.get(f"{V1}/questions/{first}").json()["state"] == "waiting":
        assert time.monotonic() < until
    second = program.post(f"{V1}/questions", json={"question": "Two?"}).json()
    assert (second["state"], second["before"]) == ("waiting", 1)
    full = program.post(f"{V1}/questions", json={"question": "Three?"})
    assert (full.status_code, full.json()["code"]) == (503, "asking.queue_full")
    assert int(full.headers["retry-after"]) > 0
    assert program.get(f"{V1}/questions/{first}/records").status_code == 404  # there is no answer yet
    inference.may_speak.set()
    assert answered(program, second["question"])["state"] == "answered"


def test_what_failed_says_why_in_the_callers_language(asking_desk: Desk, inference: HandClient) -> None:
    inference.problem = LockTimeout("asking.training_runs")
    program = asking_desk.program("read")
    put = program.post(f"{V1}/questions", json={"question": "One?"}).json()
    assert answered(program, put["question"])["state"] == "failed"
    problems = [
        program.get(f"{V1}/questions/{put['question']}", headers={"Accept-Language": one}).json()["problem"]
        for one in ("en", "ja")
    ]
    assert problems[0]
    assert problems[0] != problems[1]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"question": " "}, 422),
        ({"question": "?", "adapters": []}, 422),
        ({"question": "?", "adapters": ["base"] * 5}, 422),
        ({"question": "?", "adapters": ["nobody"]}, 404),
        ({"question": "?", "adapters": ["../etc"]}, 422),
        ({"question": "?", "language": "fr"}, 422),
        ({"question": "?", "voice": "base"}, 422),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(
    asking_desk: Desk, inference: HandClient, said: Any, status: int
) -> None:
    assert asking_desk.program("read").post(f"{V1}/questions", json=said).status_code == status
    assert inference.asked == []


def test_a_beginning_of_an_adapters_id_names_none(asking_desk: Desk) -> None:
    adapter = list_promotions(asking_desk.b)[0].adapter
    program = asking_desk.program("review")
    assert program.post(f"{V1}/questions", json={"question": "?", "adapters": [adapter[:-1]]}).status_code == 404
    for name in (adapter[:-1], "base", "champion"):
        assert program.get(f"{V1}/adapters/{name}").status_code == 404


def test_an_adapter_has_its_manifest_its_records_and_its_files(desk: Desk) -> None:
    adapter = list_promotions(desk.b)[0].adapter
    program = desk.program("review")
    [listed] = program.get(f"{V1}/adapters").json()["items"]
    found = program.get(f"{V1}/adapters/{adapter}?check=true").json()
    assert {name: found[name] for name in listed} == listed
    assert (found["whole"], found["problem"], found["ancestors"]) == (True, None, [])
    assert found["manifest"]["adapter_id"] == adapter
    learned: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = program.get(f"{V1}/adapters/{adapter}/records", params={"limit": "1", **cursor}).json()
        learned += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(set(learned)) == listed["records"] >= 3
    tar = program.get(f"{V1}/adapters/{adapter}/download")
    assert (tar.status_code, tar.headers["content-type"]) == (200, "application/x-tar")
    names = tarfile.open(fileobj=io.BytesIO(tar.content)).getnames()
    assert {name.rpartition("/")[2] for name in names} == {one["name"] for one in found["files"]}
    assert desk.program("read").get(f"{V1}/adapters/{adapter}/download").status_code == 403


def test_an_altered_adapter_is_given_to_nobody(desk: Desk) -> None:
    adapter = list_promotions(desk.b)[0].adapter
    program = desk.program("review")
    weights = next(
        path for path in adapters.show_adapter(desk.b, adapter).folder.iterdir() if path.name != MANIFEST_FILE
    )
    weights.write_bytes(b"altered")
    assert program.get(f"{V1}/adapters/{adapter}").json()["whole"] is None
    assert program.get(f"{V1}/adapters/{adapter}?check=true").json()["whole"] is False
    broken = program.get(f"{V1}/adapters/{adapter}/download")
    assert (broken.status_code, broken.headers["content-type"]) == (500, "application/problem+json")


def test_a_blind_review_tells_nothing_before_it_is_finished(mornings: Path, tmp_path: Path) -> None:
    desk = Desk(bootstrap.open(Path(shutil.copytree(mornings, tmp_path / "home")), {}))
    adapter = list_promotions(desk.b)[0].adapter
    program = desk.program("read")
    path = f"{V1}/promotions/{adapter}/reviews"
    assert program.get(path).json() == {"items": []}
    standing = review_state(desk.b, adapter, "mika")
    assert standing.asked > 1
    while standing.question is not None:
        standing = add_verdict(desk.b, adapter, "mika", standing.question.item, "left", NOW)
        if standing.done in (1, standing.asked):
            [review] = program.get(path).json()["items"]
            assert (review["person"], review["done"], review["asked"]) == ("mika", standing.done, standing.asked)
            assert (review["tally"] is None) == (standing.question is not None)
    tally = review["tally"]
    assert tally["challenger"] + tally["champion"] == standing.asked
    assert tally["low"] <= tally["share"] <= tally["high"]
