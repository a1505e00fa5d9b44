"""What no program may do: without a token, with too small a scope, with a browser's cookie."""

from __future__ import annotations

import pytest
from api_calls import called, operations
from desk import NOW, Desk

from bonsai.auth import accounts
from bonsai.queries.records import inbox_status
from bonsai.web.api.app import PATH
from storage.tables.tokens_table import SCOPES, Scope


def test_every_operation_wants_its_scope_and_no_other(roomy: Desk) -> None:
    allowed: dict[Scope, set[Scope]] = {
        "read": {"read"},
        "append": {"append"},
        "review": {"read", "review"},
        "admin": set(SCOPES),
    }
    found = operations(roomy)
    assert len(found) >= 45
    for holder in SCOPES:
        program = roomy.program(holder)
        for one in found:
            answer = called(program, one)
            if one.scope in allowed[holder]:
                assert answer.status_code in (200, 202, 404, 409) or one.name == "upload_file", (holder, one.name)
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "api.scope_needed"), (holder, one.name)
                assert f'scope="{one.scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "said", ["", "Bearer", "Bearer ", "Bearer x", "Basic bWlrYTp4", "Bearer bonsai_00000000_" + "A" * 43, "Bearer \x7f"]
)
def test_without_a_valid_token_nothing_is_told(roomy: Desk, said: str) -> None:
    program = roomy.program()
    headers = {"Authorization": said} if said else {}
    for one in operations(roomy):
        answer = called(program, one, headers)
        assert answer.status_code == 401, one.address
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for path in ("/nowhere", "/records/openapi.json", "//openapi.json"):
        assert program.get(f"{PATH}{path}").status_code in (401, 404), path
    assert inbox_status(roomy.b).pending == 0


def test_a_cookie_opens_no_api_and_a_token_no_page(roomy: Desk) -> None:
    accounts.add_user(roomy.b, "mika", "admin", "dust in the litter", NOW)
    browser = roomy.client(owner="")
    browser.post("/login", data={"name": "mika", "password": "dust in the litter"})
    assert browser.get("/records").status_code == 200
    program = roomy.program("admin")
    for one in operations(roomy):
        assert called(browser, one).status_code == 401
    answer = program.get("/records", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login")
    assert roomy.client().get(f"{PATH}/overview").status_code == 401  # on this machine too, where pages need no login
