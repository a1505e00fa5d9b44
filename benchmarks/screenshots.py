"""Screenshots for docs/dashboard.md: pages of a home made by `bonsai demo`, in real Chromium.

    TZ=Asia/Tokyo bonsai demo --home /tmp/tama/home              # about 10 minutes
    python benchmarks/screenshots.py /tmp/tama/home              # writes docs/screenshots/, from a copy of the home
    python benchmarks/screenshots.py /tmp/tama/home --all /tmp/p # whole pages of every kind, for inspection

With `--all` a file is called PAGE.LANGUAGE.SIZE.SCHEME.png; `--only ja.phone` selects some. States that the demo lacks
are made first through the pages: an edited record, an upload with bad lines, a record with
uncertain tags. Needs Debian's chromium and fonts-noto-cjk.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from bonsai.samples import sample_path

ROOT = Path(__file__).resolve().parents[1]
DESKTOP, PHONE = (1280, 800), (360, 740)
TIMEZONE = "Asia/Tokyo"
"Time zone of the screenshots."
SIZES = {"desktop": DESKTOP, "phone": PHONE}
ID = re.compile(r"[0-9a-f]{10,}|\d{4}-\d\d-\d\d-.*|\d{8}T.*")
COLOURS = 96
"Size of the palette: pages have few colours, and files take a third of the bytes."


Step = tuple[Literal["click", "see", "go"], str] | tuple[Literal["type", "give"], str, str]
"An action with its target (a CSS selector or address), and the text to type; records and adapters are clicked."


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    path: str
    steps: tuple[Step, ...] = ()
    language: Literal["en", "ja"] = "en"
    size: tuple[int, int] = DESKTOP
    scheme: Literal["light", "dark"] = "light"


NEWEST: Step = ("click", "main tbody th a")
FURNISHING: tuple[Step, ...] = (
    ("go", "/records/upload"), ("give", "#file", "messy.csv"), ("click", "main form button"), ("see", "main h2"),
    ("go", "/records/new"), ("type", "#instruction", "2024-03-02?"), ("type", "#output", "4.2 kg"),
    ("click", "main form button"), ("see", "#recent .state-active"),
    ("go", "/records?text=boiled"), NEWEST, ("click", "a[href$='/edit']"),
    ("type", "#output", "Yes, a little boiled egg now and then; never raw."), ("click", "main form button"),
)  # fmt: skip
SHOTS = (
    Shot("home-en", "/"),
    Shot("home-ja-phone", "/", language="ja", size=PHONE),
    Shot("tell-en", "/records/new", (("type", "#instruction", "Where does Mike hide when it thunders?"),
         ("type", "#output", "Behind the washing machine, until about an hour after the last thunder."),
         ("type", "#subject", "Mike"), ("see", "#suggestion:not(:empty)"))),
    Shot("tell-ja-phone", "/records/new", (("type", "#instruction", "ミケは雷のとき、どこに隠れますか?"),
         ("type", "#output", "洗濯機の後ろです。雷がやんでも一時間ほど出てきません。"),
         ("see", "#suggestion:not(:empty)")), "ja", PHONE),
    Shot("promotion-en", "/promotions", (NEWEST,)),
    Shot("promotion-ja-phone", "/promotions", (NEWEST,), "ja", PHONE),
    Shot("answers-ja-dark", "/promotions", (NEWEST, ("click", "a[href$='/answers']")), "ja", scheme="dark"),
    Shot("review-en", "/promotions", (NEWEST, ("click", "a[href$='/review']"))),
    Shot("review-ja-phone", "/promotions", (NEWEST, ("click", "a[href$='/review']")), "ja", PHONE),
    Shot("records-en-phone", "/records", size=PHONE),
    Shot("pairs-ja", "/pairs?kind=contradiction", language="ja"),
    Shot("timeline-ja-phone", "/subjects", (("click", "main tbody tr:nth-child(2) th a"),), "ja", PHONE),
    Shot("nights-en", "/nights"),
    Shot("ask-en", "/ask", (("type", "#question", "Can cats eat grapes?"), ("type", "#beside", "base"),
         ("click", "main form button"), ("see", "#answer-1"))),
    Shot("adapter-en-phone", "/adapters", (NEWEST,), size=PHONE),
    Shot("help-ja", "/help", language="ja"),
    Shot("menu-ja-phone-dark", "/", (("click", ".menu-button"),), "ja", PHONE, "dark"),
    Shot("upload-en", "/records/upload", (NEWEST,)),
    Shot("tagging-ja-phone", "/tagging", (), "ja", PHONE),
    Shot("night-en", "/nights", (NEWEST,)),
)  # fmt: skip


@contextmanager
def dashboard(home: Path) -> Iterator[str]:
    """Address of a `bonsai dashboard` on a copy of the home, with the owner Mika."""
    with TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        copy = shutil.copytree(home, Path(folder) / "home")
        environ = {**os.environ, "BONSAI_HOME": str(copy), "USER": "mika", "TZ": TIMEZONE}
        command = [sys.executable, "-P", "-m", "bonsai.cli.main", "dashboard", "--port", str(port)]
        server = subprocess.Popen(command, env=environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server listens; it prints the reason itself if it cannot."""
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(1)


def open_page(
    browser: Browser, home: str, language: str, size: tuple[int, int], scheme: str = "light", dots: int = 1
) -> Page:
    """A new browser context; `dots` is the device pixel ratio."""
    context = browser.new_context(
        base_url=home,
        locale={"en": "en-GB", "ja": "ja-JP"}[language],
        timezone_id=TIMEZONE,
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=dots,
        reduced_motion="reduce",  # or a button is met on its way from one colour to the other
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(120_000)  # a page of thirty screens is drawn for seconds
    return context.new_page()


def keep(page: Page, file: Path, *, whole: bool) -> int:
    """Save a picture; returns its size in bytes."""
    picture = Image.open(io.BytesIO(page.screenshot(full_page=whole)))
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    return file.stat().st_size


def take(page: Page, step: Step) -> None:
    """One step; a choice is typed as its value. The model answers a first question after some ten seconds."""
    if step[0] == "go":
        page.goto(step[1])
        return
    place = page.locator(step[1]).first
    if step[0] == "click":
        place.click()
    elif step[0] == "see":
        place.wait_for(timeout=60_000)
    elif step[0] == "give":
        place.set_input_files(sample_path(step[2]))
    elif place.evaluate("one => one.matches('select')"):
        place.select_option(step[2])
    else:
        place.fill(step[2])


def take_all(browser: Browser, home: str, shots: Sequence[Shot], folder: Path) -> None:
    """The pictures of the documentation."""
    for shot in shots:
        page = open_page(browser, home, shot.language, shot.size, shot.scheme, dots=2 if shot.size == PHONE else 1)
        page.goto(shot.path)
        for step in shot.steps:
            take(page, step)
        print(f"{keep(page, folder / f'{shot.name}.png', whole=False):>8} {shot.name}")
        page.context.close()


def take_every_kind(browser: Browser, home: str, language: str, folder: Path, only: str) -> None:
    """Whole pages: one of each kind that links lead to, on desk and phone, in light and dark."""
    for name, size in SIZES.items():
        if only not in f"{language}.{name}":
            continue
        page = open_page(browser, home, language, size)
        waiting, seen = ["/"], set[str]()
        while waiting:
            path = waiting.pop(0)
            kind = kind_of(path)
            if kind in seen or "lang=" in path or path.endswith(".json"):
                continue
            seen.add(kind)
            page.goto(path)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.screenshot(path=folder / f"{kind}.{language}.{name}.{scheme}.png", full_page=True)
            links = "links => links.map(link => link.getAttribute('href'))"
            waiting += page.eval_on_selector_all("a[href^='/']:not([download])", links)
        page.context.close()


def kind_of(path: str) -> str:
    """Kind of a page: its path without ids and queries."""
    parts = path.partition("?")[0].partition("#")[0].strip("/").split("/")
    return ".".join("ID" if ID.fullmatch(one) else one for one in parts) or "home"


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every kind of page instead, to be looked at")
    parser.add_argument("--only", default="", help="pictures whose name has this in it")
    chosen = parser.parse_args()
    folder = chosen.all or ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with dashboard(chosen.home) as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = open_page(browser, home, "en", DESKTOP)
        for step in FURNISHING:
            take(page, step)
        if chosen.all:
            for language in ("en", "ja"):
                take_every_kind(browser, home, language, folder, chosen.only)
        else:
            take_all(browser, home, [shot for shot in SHOTS if chosen.only in shot.name], folder)
        browser.close()


if __name__ == "__main__":
    main()
