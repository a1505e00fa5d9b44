"""schemathesis tries what the OpenAPI document allows and what it forbids, and finds nothing.

Its engine runs with all its checks and phases against the application itself; seed and examples are fixed. The answers
that a valid request may have besides success are named in `EXPECTED`: the state of things may be against it.
https://schemathesis.readthedocs.io
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from desk import NOW, Desk
from hand_client import HandClient
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.types import ASGIApp, Receive, Scope, Send

from bonsai import bootstrap
from bonsai.web.api.app import PATH, openapi_document
from bonsai.web.app import create_app

EXPECTED = ["2xx", "404", "409", "412"]
SETTINGS = {
    "seed": 20261121,
    "workers": 1,
    "generation": {"max-examples": 5, "deterministic": True, "database": "none", "no-shrink": True},
    "checks": {"positive_data_acceptance": {"expected-statuses": EXPECTED}},
    "phases": {"stateful": {"max-steps": 4}},
    "warnings": False,
    # what a file holds no schema says: one that is no table of records is refused
    "operations": [
        {
            "include-operation-id": "upload_file",
            "checks": {"positive_data_acceptance": {"expected-statuses": [*EXPECTED, "422"]}},
        }
    ],
}


def with_keys_of_its_own(app: ASGIApp) -> ASGIApp:
    """The same key for another request is refused, as it should be; so every request here has another one."""
    numbers = count()

    def changed(name: bytes, value: bytes) -> tuple[bytes, bytes]:
        is_key = name == b"idempotency-key" and re.fullmatch(rb"[!-~]{1,200}", value)
        return name, value + b"-%d" % next(numbers) if is_key else value

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if "headers" in scope:
            scope = {**scope, "headers": [changed(*pair) for pair in scope["headers"]]}
        await app(scope, receive, send)

    return asked


@pytest.mark.long
@pytest.mark.timeout(900)  # two minutes of work, on whatever else the machine does
@pytest.mark.filterwarnings("ignore")  # of its own making
def test_schemathesis_finds_nothing(desk: Desk) -> None:
    environ = {"BONSAI_API__BURST": "1000000", "BONSAI_API__ADDRESS_BURST": "1000000"}
    environ["BONSAI_DASHBOARD__ASK_QUEUE"] = "1000"
    token, started = desk.token("admin"), desk.start_night
    inference = HandClient()
    inference.may_speak.set()
    b = replace(bootstrap.open(Path(desk.b.home), environ), inference=inference)
    app = create_app(b, clock=lambda: NOW, owner="", drain=lambda: None, start_night=started, hosts=["testserver"])
    config = SchemathesisConfig.from_dict({**SETTINGS, "headers": {"Authorization": f"Bearer {token}"}})
    schema = schemathesis.openapi.from_asgi(f"{PATH}/openapi.json", with_keys_of_its_own(app), config=config)
    found: list[str] = []
    tried = Counter[str]()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
        if isinstance(event, events.ScenarioFinished):
            tried[event.label or ""] += len(event.recorder.cases)
            for case, checks in event.recorder.checks.items():
                for check in checks:
                    failure = check.failure_info
                    if failure is not None:
                        curl = event.recorder.cases[case].value.as_curl_command()
                        found.append(f"{event.phase} {check.name}: {failure.failure}\n{curl}")
    assert not found, "\n\n".join(found[:10])
    assert len(tried) >= 45
    assert min(tried[label] for label in tried if label) >= 5
    assert tried.total() > 1_000


def test_the_document_is_the_same_in_both_languages_but_for_its_words() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(one) for name, one in value.items() if name not in ("description", "summary")}
        return [shape(one) for one in value] if isinstance(value, list) else value

    english, japanese = openapi_document("en"), openapi_document("ja")
    assert shape(english) == shape(japanese)
    assert english["openapi"].startswith("3.1")
    assert "api." not in json.dumps([one for one in _words(japanese)])
    assert all(any(ord(letter) > 0x3000 for letter in one) or one == "api" for one in _words(japanese))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name in ("description", "summary") and isinstance(one, str):
                yield one
            else:
                yield from _words(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)
