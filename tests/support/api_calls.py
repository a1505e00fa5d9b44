"""Every operation of the API and every route of the pages, ready to be called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from desk import Desk
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount
from starlette.testclient import TestClient

from bonsai.queries.nights import list_nights
from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import list_records, list_rejects
from bonsai.web.api.app import PATH, openapi_document
from storage.tables.records_table import RecordFilter
from storage.tables.tokens_table import Scope

RECORD = {"instruction": "a?", "output": "b"}
BODIES: dict[str, Any] = {
    "append_record": RECORD,
    "append_records": [RECORD],
    "suggest": RECORD,
    "edit_record": {"feeling": "glad"},
    "restore_record": {"number": 1},
    "change_status": {"action": "exclude"},
    "tag_record": {"category": "creative"},
    "untag_record": {"version": 1},
    "resolve_pair": {"keep": "both"},
    "take_upload": {},
    "repair_reject": {"raw": "{}"},
    "dismiss_reject": {"reason": "r"},
    "ask": {"question": "a?"},
    "rate_answer": {"thumb": "up"},
    "correct_answer": {"output": "b"},
    "decide": {"action": "reject", "reason": "r"},
    "start_night": {"cold": False},
}
"By operation."
ADDRESSED = {
    "upload": "20261121T000000-00000000",
    "question": "0" * 16,
    "submission": "none",
    "number": "1",
    "base": "oak",
}
"What a home has none of."


@dataclass(frozen=True)
class Operation:
    """One operation of the document, its address filled in."""

    name: str
    method: str
    address: str
    scope: Scope


def operations(desk: Desk) -> list[Operation]:
    """Of every address, on what is there in the home."""
    known = {
        **ADDRESSED,
        "adapter": list_promotions(desk.b)[0].adapter,
        "record_id": list_records(desk.b, RecordFilter(), 1)[0].record.id,
        "night": list_nights(desk.b, 1)[0].night,
        "reject": list_rejects(desk.b, 1)[0].id,
    }
    found = []
    for path, methods in openapi_document("en")["paths"].items():
        for method, told in methods.items():
            [scope] = told["security"][0]["token"]
            needed = [one["name"] for one in told.get("parameters", ()) if one["in"] == "query" and one.get("required")]
            query = "".join(f"{'&' if number else '?'}{name}=x" for number, name in enumerate(needed))
            found.append(Operation(told["operationId"], method, PATH + path.format(**known) + query, scope))
    return found


def called(program: TestClient, one: Operation, headers: dict[str, str] | None = None) -> Any:
    """Its answer."""
    return program.request(one.method, one.address, json=BODIES.get(one.name), headers=headers)


def routes(app: Any) -> list[APIRoute]:
    """Every route of the pages, those of rooms that come later too."""
    inner = app.app
    assert isinstance(inner, FastAPI)
    found, waiting = list[APIRoute](), list[Any](inner.routes)
    while waiting:
        one = waiting.pop()
        if isinstance(one, APIRoute):
            found.append(one)
        elif not isinstance(one, Mount):
            waiting += getattr(one, "routes", None) or one.original_router.routes
    return found


def addresses(client: TestClient) -> list[tuple[str, str]]:
    filled = [(one, one.path_format) for one in routes(client.app)]
    return [
        (method, "".join("0" * 64 if i % 2 else part for i, part in enumerate(path.replace("}", "{").split("{"))))
        for one, path in filled
        for method in sorted(one.methods)
    ]
