"""Template environment and static file addresses."""

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
"Characters of an id, as in the terminal."


def make_environment() -> Environment:
    """Jinja environment: autoescaping, and undefined names are errors."""
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
    environment.filters["moment"] = format_time
    environment.filters["time"] = time_tag
    environment.filters["path"] = lambda part: quote(str(part), safe="")
    return environment


def _static(known: dict[str, str], name: str) -> str:
    """Address of a static file with a content hash, so that browsers may cache it for good."""
    if name not in known:
        known[name] = f"/static/{name}?v={sha256_file(FOLDER / 'static' / name)[:12]}"
    return known[name]


def format_time(at: datetime) -> str:
    """A time to the minute, in the server's time zone, which the footer names."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def time_tag(at: datetime) -> Markup:
    """The same as an unbreakable element."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), format_time(at))
