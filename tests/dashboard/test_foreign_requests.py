"""What other pages, other hosts and odd addresses may not do, to pages and to the API."""

from __future__ import annotations

import pytest
from api_calls import addresses
from desk import ORIGIN, Desk

from bonsai.queries.promotions import list_promotions
from bonsai.web.api.app import PATH
from storage import audit


@pytest.mark.parametrize("origin", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}])
def test_no_route_that_changes_something_listens_to_another_page(roomy: Desk, origin: dict[str, str]) -> None:
    client = roomy.client()
    del client.headers["Origin"]
    changing = [one for one in addresses(client) if one[0] not in ("GET", "HEAD")]
    assert len(changing) >= 6
    for method, address in changing:
        answer = client.request(method, address, data={"sure": "yes"}, headers=origin, follow_redirects=False)
        assert answer.status_code == 403, address
    assert not audit.read(roomy.b.places.logs)


def test_no_header_can_be_smuggled_in(roomy: Desk) -> None:
    program = roomy.program("admin")
    adapter = list_promotions(roomy.b)[0].adapter
    for path in ("/records/%0d%0aSet-Cookie:%20a=b", f"/promotions/{adapter}%0d%0aX: y", "/nights/..%2f..%2fetc"):
        answer = program.get(PATH + path)
        assert answer.status_code in (404, 422)
        assert "set-cookie" not in answer.headers
        assert "x" not in answer.headers
    pages = roomy.client()
    for path in ("/records/%0d%0aSet-Cookie:%20a=b", "/login?next=/%0d%0aSet-Cookie:%20a=b", "/?lang=%0d%0aX: y"):
        answer = pages.get(path, follow_redirects=False)
        assert "\n" not in "".join(answer.headers.values())
        assert "a=b" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "", "testserver:80:80"]
)
def test_a_foreign_host_gets_neither_page_nor_api(roomy: Desk, host: str) -> None:
    for path in ("/", "/api", f"{PATH}/openapi.json", f"{PATH}/overview"):
        answer = roomy.client().get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    "path", ["//evil.example", "//evil.example/%2e%2e", "/records/", "/\\evil.example", "/login?next=//evil.example"]
)
def test_no_address_leads_elsewhere(roomy: Desk, path: str) -> None:
    for client in (roomy.client(), roomy.client(owner="")):
        where = client.get(f"{ORIGIN}{path}", follow_redirects=False).headers.get("location", "/")
        assert where.startswith((f"{ORIGIN}/", "/")), where
        assert not where.startswith(("//", "/\\")), where


def test_everything_that_is_answered_stays_with_the_caller(roomy: Desk) -> None:
    program = roomy.program("read")
    for address in (f"{PATH}/overview", f"{PATH}/nowhere", f"{PATH}/openapi.json"):
        answer = program.get(address)
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
    assert program.options(f"{PATH}/records", headers={"Origin": "http://evil.example"}).status_code == 405
