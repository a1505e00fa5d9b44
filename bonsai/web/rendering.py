"""Templates: how values become what a page shows, and where its static files are."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bonsai.system.files import sha256_file

FOLDER = Path(__file__).parent
ID_LENGTH = 10
"Characters of an id that pages show, as the terminal does."


def make_environment() -> Environment:
    """Templates: whatever is filled in is escaped, and a name that is not there is a mistake of ours."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["static"] = partial(_static, {})
    environment.filters["short"] = lambda identity: str(identity)[:ID_LENGTH]
    environment.filters["moment"] = moment
    environment.filters["time"] = time_tag
    environment.filters["path"] = lambda part: quote(str(part), safe="")
    return environment


def _static(known: dict[str, str], name: str) -> str:
    """A static file's address, which changes with the file: browsers may keep it for good."""
    if name not in known:
        known[name] = f"/static/{name}?v={sha256_file(FOLDER / 'static' / name)[:12]}"
    return known[name]


def moment(at: datetime) -> str:
    """A time to the minute, where this machine stands; each page's foot says where."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def time_tag(at: datetime) -> Markup:
    """The same as an element, which stays on one line."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), moment(at))
