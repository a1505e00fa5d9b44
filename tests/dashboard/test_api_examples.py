"""docs/api.md tells the truth: its curl lines are run one after the other, and answers have the fields it shows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from desk import Desk
from starlette.testclient import TestClient

from bonsai import views

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = [202, 200, 200, 200, 200, 200, 200, 200, 200, 200, 202, 422]


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
    headers, body, address = dict[str, str](), None, ""
    rest = iter(words[start + 1 :])
    for word in rest:
        match word:
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d" | "--data-binary":
                said = next(rest)
                body = piped if said == "@-" else said
            case "-i":
                pass
            case _:
                address = word
    parts = urlsplit(address)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return client.request("POST" if body else "GET", path, content=body, headers=headers)


def test_every_example_does_what_the_page_says(desk: Desk) -> None:
    known = {"TOKEN": desk.token("append", "review"), "BONSAI": "http://127.0.0.1:8421/api/v1"}
    known["ADAPTER"] = views.list_promotions(desk.b)[0].adapter
    program = desk.program()
    answers: list[httpx2.Response] = []
    for kind, block in BLOCK.findall(PAGE):
        if kind == "json":
            shown, got = json.loads(block), answers[-1].json()
            assert shown.keys() - {"…"} <= got.keys()
            assert {name: got[name] for name in ("accepted", "title", "code") if name in shown} == {
                name: shown[name] for name in ("accepted", "title", "code") if name in shown
            }
            known["RECORD"] = got.get("record", known.get("RECORD", ""))
        for command in commands(block) if kind == "" else ():
            answers.append(run(program, command, known))
            known["ETAG"] = answers[-1].headers.get("etag", known.get("ETAG", ""))
    assert [one.status_code for one in answers] == EXPECTED
    assert answers[1].json()["items"][1]["detail"] == "output: is missing"
    assert views.champion(desk.b) == known["ADAPTER"]
