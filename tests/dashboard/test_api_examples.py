"""docs/api.md tells the truth: its curl lines are run one after the other, and answers have the fields it shows."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from desk import Desk
from starlette.testclient import TestClient

from bonsai.queries.promotions import champion, list_promotions

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = [
    *(202, 200),  # telling
    *(200, 200, 200, 200, 200, 200, 200),  # reading
    *(200, 200, 200, 200, 200, 200, 200),  # editing
    *(200, 200, 200, 200, 200),  # contradictions
    *(202, 200, 202, 200, 200),  # files
    *(202, 200, 200, 202, 200, 200, 200),  # asking
    *(200, 200, 200, 200),  # deciding
    *(202, 422),  # nights; what is wrong
]
FILES = {"cats.csv": "question,answer\nWho sits there?,Mike does.\nWho sleeps?,\n"}
NAMED = {"record": "RECORD", "upload": "UPLOAD", "question": "QUESTION"}
"What an answer names, and what later lines call it."
FIRST = {"rejects": ("REJECT", ("id",)), "pairs": ("PAIR", ("record", "id"))}
"The same of the last item of a list, by its address."


def commands(block: str) -> list[str]:
    """Each as one line, with what is piped into it before it."""
    joined = re.sub(r"(?:\\|\|)\n", lambda found: found[0][0].replace("\\", " ") + " ", block)
    return [line for line in joined.splitlines() if "curl" in line]


def run(client: TestClient, command: str, known: dict[str, str]) -> httpx2.Response:
    """What curl would do."""
    for name, value in known.items():
        command = command.replace(f"${name}", value.replace('"', '\\"') if name == "ETAG" else value)
    words = shlex.split(command)
    start = words.index("curl")
    piped = "".join(f"{word}\n" for word in words[2 : start - 1])  # printf '%s\n' A B | curl
    headers, body, address, method = dict[str, str](), None, "", ""
    rest = iter(words[start + 1 :])
    for word in rest:
        match word:
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d" | "--data-binary":
                said = next(rest)
                body = piped if said == "@-" else FILES.get(said.removeprefix("@"), said)
            case "-X":
                method = next(rest)
            case "-i":
                pass
            case _:
                address = word
    parts = urlsplit(address)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return client.request(method or ("POST" if body else "GET"), path, content=body, headers=headers)


def listed(answer: httpx2.Response) -> dict[str, str]:
    """What a list names for later lines."""
    address = answer.url.path.rpartition("/")[2]
    if address not in FIRST or answer.request.method != "GET":
        return {}
    name, keys = FIRST[address]
    found = answer.json()["items"][-1]
    for key in keys:
        found = found[key]
    return {name: found}


def wait_for(client: TestClient, answer: httpx2.Response) -> None:
    """As the page says: a question is read until it is answered."""
    if answer.request.method == "POST" and answer.url.path.endswith("/questions"):
        until = time.monotonic() + 20
        headers = {"Authorization": answer.request.headers["Authorization"]}
        while (
            client.get(f"{answer.url.path}/{answer.json()['question']}", headers=headers).json()["state"] != "answered"
        ):
            assert time.monotonic() < until
            time.sleep(0.01)


def test_every_example_does_what_the_page_says(roomy: Desk) -> None:
    desk = roomy
    known = {"TOKEN": desk.token("append", "review"), "BONSAI": "http://127.0.0.1:8421/api/v1"}
    known["ADAPTER"] = list_promotions(desk.b)[0].adapter
    program = desk.program()
    answers: list[httpx2.Response] = []
    for kind, block in BLOCK.findall(PAGE):
        if kind == "json":
            shown, got = json.loads(block), answers[-1].json()
            assert shown.keys() - {"…"} <= got.keys()
            assert {name: got[name] for name in ("accepted", "title", "code") if name in shown} == {
                name: shown[name] for name in ("accepted", "title", "code") if name in shown
            }
            known |= {called: got[name] for name, called in NAMED.items() if name in got}
        for command in commands(block) if kind == "" else ():
            answers.append(run(program, command, known))
            known["ETAG"] = answers[-1].headers.get("etag", known.get("ETAG", ""))
            known |= listed(answers[-1])
            wait_for(program, answers[-1])
    assert [one.status_code for one in answers] == EXPECTED
    assert answers[1].json()["items"][1]["detail"] == "output: is missing"
    assert champion(desk.b) == known["ADAPTER"]
