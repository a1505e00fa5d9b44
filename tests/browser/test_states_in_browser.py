"""Pages in the states that no link leads to: with mistakes to correct, in the middle of something, with nothing yet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PHONE, Open, Visitor, serving
from desk import NOW, Desk
from evil_home import use_evilly
from inspecting import axe, problems
from playwright.sync_api import Page
from two_mornings import two_mornings

from bonsai import bootstrap
from bonsai.actions.edit import edit_record
from bonsai.actions.inbox import submit
from bonsai.night.steps import begin_night
from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import list_records, list_rejects
from storage.tables.records_table import RecordFilter

LANGUAGES = pytest.mark.parametrize("language", ["en", pytest.param("ja", marks=pytest.mark.long)])
"Other words in the same states: the pages themselves are seen in both languages every time."
EMPTY = (
    *("/", "/promotions", "/records", "/nights", "/ask", "/adapters", "/pairs", "/tagging", "/subjects", "/rejects"),
    *("/records/new", "/records/upload"),
)


def serve_copy(home: Path, to: Path) -> Iterator[tuple[Desk, str]]:
    desk = Desk(bootstrap.open(Path(shutil.copytree(home, to)), {}))
    with serving(desk.app("mika", desk.drain, "127.0.0.1")) as address:
        yield desk, address


@pytest.fixture
def empty(taught: Path, tmp_path: Path) -> Iterator[tuple[Desk, str]]:
    """Nothing told yet, no champion, no night."""
    yield from serve_copy(taught, tmp_path / "empty")


@pytest.fixture(scope="module")
def mornings(tmp_path_factory: pytest.TempPathFactory, taught: Path) -> Path:
    return two_mornings(Path(shutil.copytree(taught, tmp_path_factory.mktemp("mornings") / "home")))


@pytest.fixture
def to_review(mornings: Path, tmp_path: Path) -> Iterator[tuple[Desk, str]]:
    yield from serve_copy(mornings, tmp_path / "review")


def press(page: Page, words: str) -> None:
    """A button by its place, whatever the language; what a browser would ask for itself is left to us."""
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.locator(words).first.click()
    page.wait_for_load_state()


def see_mistake(visitor: Visitor, path: str, button: str, **fields: str) -> list[str]:
    """What is wrong with the page that says what is wrong with a form."""
    page = visitor.go(path)
    for name, value in fields.items():
        page.locator(f"[name={name}]").first.fill(value)
    press(page, button)
    page.get_by_role("alert").first.wait_for()
    return [f"{path} with a mistake: {one}" for one in problems(visitor, keys=False)]


@LANGUAGES
def test_forms_with_mistakes(desk: Desk, address: str, visit: Open, language: str) -> None:
    use_evilly(desk)
    visitor = visit(address, language=language)
    visitor.noticed.expected |= {409, 422}
    reject = list_rejects(desk.b, 1)[0]
    desk.night(bits=2.3, day=1)
    refused = list_promotions(desk.b)[0].adapter
    found = [
        *see_mistake(visitor, "/records/new", "main form button", instruction="Why?", output=" "),
        *see_mistake(visitor, "/ask", "main form button", question=" "),
        *see_mistake(visitor, f"/rejects/{reject.id}", "main form button", raw="{"),
        *see_mistake(visitor, f"/rejects/{reject.id}", "button.danger"),
        *see_mistake(visitor, f"/promotions/{refused}", "button[formaction$=approve]"),
    ]
    assert not found, "\n".join(found)


@LANGUAGES
def test_an_edit_that_somebody_else_was_faster_with(desk: Desk, address: str, visit: Open, language: str) -> None:
    [stored] = list_records(desk.b, RecordFilter(subject="タマ"), None)
    visitor = visit(address, language=language)
    visitor.noticed.expected.add(409)
    page = visitor.go(f"/records/{stored.record.id}/edit")
    page.locator("#output").fill("さびしいからです。")
    edit_record(desk.b, stored.record.id, {"output": "ひまだからです。"}, "hana", NOW)
    press(page, "main form button")
    page.get_by_role("alert").wait_for()
    assert problems(visitor) == []


@LANGUAGES
def test_a_home_with_nothing_in_it(empty: tuple[Desk, str], visit: Open, language: str) -> None:
    visitor = visit(empty[1], language=language)
    found = []
    for path in EMPTY:
        visitor.go(path)
        found += [f"{path}: {one}" for one in problems(visitor, keys=False)]
    assert not found, "\n".join(found)


@LANGUAGES
def test_a_night_that_runs(desk: Desk, address: str, visit: Open, language: str) -> None:
    submit(desk.b, {"instruction": "What is new?", "output": "A box."}, NOW)
    desk.drain()
    night = begin_night(desk.b, NOW).night  # by this process, which lives
    visitor = visit(address, language=language)
    found = []
    for path in ("/", "/nights", f"/nights/{night}"):
        visitor.go(path).get_by_role("progressbar").wait_for()
        found += [f"{path}: {one}" for one in problems(visitor, keys=False)]
    assert not found, "\n".join(found)


@LANGUAGES
def test_a_blind_review_in_its_middle(to_review: tuple[Desk, str], visit: Open, language: str) -> None:
    desk, address = to_review
    visitor = visit(address, language=language)
    page = visitor.go(f"/promotions/{list_promotions(desk.b)[0].adapter}/review")
    page.keyboard.press("ArrowLeft")
    page.locator("[value=undo]").wait_for()
    assert problems(visitor) == []


@LANGUAGES
def test_the_login_and_a_page_that_is_not_there(shared_address: str, visit: Open, language: str) -> None:
    visitor = visit(shared_address, language=language)
    visitor.noticed.expected |= {401, 404}
    page = visitor.go("/nowhere")
    found = problems(visitor)
    page = visitor.go("/login")
    found += problems(visitor)
    page.get_by_role("textbox").first.fill("nobody")
    page.locator("#password").fill("not the password")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    found += problems(visitor)
    assert not found, "\n".join(found)


@LANGUAGES
def test_the_open_menu_of_a_phone(address: str, visit: Open, language: str) -> None:
    visitor = visit(address, language=language, size=PHONE)
    page = visitor.go("/records")
    page.locator(".menu-button").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert axe(page) == []
    assert visitor.overflow == 0
