"""Help page: the nightly loop as a diagram, and explanations of pages, keys and terms."""

from __future__ import annotations

from fastapi import APIRouter
from markupsafe import Markup, escape
from starlette.responses import Response

from bonsai.web.labels import Link
from bonsai.web.request import Contributor, Visit
from storage.tables.users_table import Role

STEPS = ("tell", "check", "train", "judge", "promote", "ask")
PLACES = ((8, 24), (196, 24), (196, 134), (196, 244), (8, 244), (8, 134))
"Positions of the boxes, clockwise from the top left."
BOX = (156, 72)
ARROWS = ("M164 60H192", "M274 96V130", "M274 206V240", "M196 280H168", "M86 244V210", "M86 134V100")
VERDICTS = ("promote", "keep", "not_enough_evidence", "invalid")
RULES = ("A", "B", "C", "D", "E", "F")
WORDS = ("champion", "challenger", "adapter", "suite", "pool", "suspect", "held_back", "cold", "warm")
KEYS = ("tab", "enter", "ctrl_enter", "alt_digit", "review", "tagging")
PAGES: tuple[tuple[str, str, str, Role], ...] = (
    ("nav_home", "/", "home", "contributor"),
    ("nav_promotions", "/promotions", "promotions", "contributor"),
    ("nav_records", "/records", "records", "contributor"),
    ("nav_add", "/records/new", "add", "contributor"),
    ("entering.upload", "/records/upload", "upload", "contributor"),
    ("curating.pairs", "/pairs", "pairs", "contributor"),
    ("curating.tagging", "/tagging", "tagging", "reviewer"),
    ("curating.subjects", "/subjects", "subjects", "contributor"),
    ("rejects", "/rejects", "rejects", "contributor"),
    ("nights.title", "/nights", "nights", "contributor"),
    ("asking.nav", "/ask", "ask", "contributor"),
    ("adapters.nav", "/adapters", "adapters", "contributor"),
    ("bases.nav", "/bases", "bases", "admin"),
    ("settings.nav", "/settings", "settings", "admin"),
    ("api.nav", "/api", "api", "contributor"),
)
"(Name, path, description, minimum role.)"
Pairs = list[tuple[str, str]]


def loop_plot(visit: Visit) -> Markup:
    """Six boxes in a ring, sized for a phone; the list below it is the text alternative."""
    width, height = BOX
    boxes = []
    for number, (step, (x, y)) in enumerate(zip(STEPS, PLACES, strict=True), 1):
        title, note = (escape(visit.text(f"guide.box_{step}{part}")) for part in ("", "_note"))
        middle = x + width // 2
        boxes.append(
            f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'
            f'<text class="box-title middle" x="{middle}" y="{y + 31}">{number}. {title}</text>'
            f'<text class="tick middle" x="{middle}" y="{y + 52}">{note}</text>'
        )
    arrows = "".join(f'<path class="arrow" d="{path}" marker-end="url(#tip)"/>' for path in ARROWS)
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>'
    )
    label = escape(visit.text("guide.loop_label"))
    return Markup(
        f'<svg class="loop" role="img" aria-label="{label}" viewBox="0 0 360 340">{tip}{arrows}{"".join(boxes)}</svg>'
    )


def steps(visit: Visit) -> list[str]:
    """The loop in sentences."""
    return [visit.text(f"guide.step_{one}") for one in STEPS]


def pages(visit: Visit) -> list[tuple[Link, str]]:
    """Pages that the user's role may see, with descriptions."""
    person = visit.person
    return [
        (Link(visit.text(nav), path), visit.text(f"guide.page_{name}"))
        for nav, path, name, role in PAGES
        if person is not None and person.may(role)
    ]


def keys(visit: Visit) -> Pairs:
    """Keyboard shortcuts."""
    return [(visit.text(f"guide.key_{one}"), visit.text(f"guide.key_{one}_does")) for one in KEYS]


def verdicts(visit: Visit) -> Pairs:
    """The gate's four verdicts."""
    return [(visit.text(f"cli.verdict_{one}"), visit.text(f"guide.verdict_{one}")) for one in VERDICTS]


def rules(visit: Visit) -> Pairs:
    """The gate's six rules."""
    return [(f"{one}. {visit.text(f'rule_{one}')}", visit.text(f"guide.rule_{one}")) for one in RULES]


def words(visit: Visit) -> Pairs:
    """Further terms."""
    return [(visit.text(f"guide.word_{one}"), visit.text(f"guide.word_{one}_means")) for one in WORDS]


router = APIRouter()


@router.get("/help")
def show(visit: Contributor) -> Response:
    """Needs no database."""
    return visit.page(
        "help/help.html",
        loop=loop_plot(visit),
        steps=steps(visit),
        pages=pages(visit),
        keys=keys(visit),
        verdicts=verdicts(visit),
        rules=rules(visit),
        words=words(visit),
    )
