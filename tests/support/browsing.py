"""The dashboard on a port of its own, and a browser before it that notices what no page may do."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Playwright, Request, expect
from starlette.types import ASGIApp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
"Debian's. Playwright's own would be a download of 150 MB, from another machine."
ON_THIS_MACHINE_ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
DESKTOP = (1200, 800)
PHONE = (360, 740)
NARROWEST = (320, 640)
"WCAG 2.2, 1.4.10: 1280 pixels at 400 %."


@dataclass
class Noticed:
    """What went wrong on the pages of one browser context."""

    home: str
    problems: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    "Statuses of pages that a test asks for on purpose; Chromium writes each failed page to the console."

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self.on_console)
        context.on("request", self.on_request)
        context.on("dialog", self.on_dialog)
        context.on("weberror", lambda error: self.problems.append(f"error: {error.error}"))

    def on_console(self, message: ConsoleMessage) -> None:
        on_purpose = any(f"responded with a status of {status} " in message.text for status in self.expected)
        if message.type in ("error", "warning") and not on_purpose:
            self.problems.append(f"console: {message.text} ({message.location['url']})")

    def on_request(self, request: Request) -> None:
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.problems.append(f"asked for {request.url}")

    def on_dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@dataclass
class Visitor:
    """One person's browser: cookies, language and scheme of their own."""

    home: str
    context: BrowserContext
    page: Page
    noticed: Noticed

    def go(self, path: str) -> Page:
        self.page.goto(self.home + path)
        return self.page

    @property
    def path(self) -> str:
        """Where the browser is, without the query."""
        return self.page.url.removeprefix(self.home).partition("?")[0]

    def resize(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    @property
    def overflow(self) -> int:
        """Pixels that the page is wider than its window."""
        return int(self.page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth"))


Open = Callable[..., Visitor]
'Opens a browser: `visit(address, language="ja", size=PHONE)`.'


def start_chromium(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[ON_THIS_MACHINE_ALONE])


@contextmanager
def visiting(
    chromium: Browser, home: str, *, language: str = "en", size: tuple[int, int] = DESKTOP, scripts: bool = True
) -> Iterator[Visitor]:
    """A browser context; at its end nothing may have been noticed."""
    context = chromium.new_context(
        locale={"en": "en-GB", "ja": "ja-JP"}[language],
        timezone_id="Asia/Tokyo",
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=scripts,
        reduced_motion="reduce",  # or axe meets colours on their way from one scheme to the other
    )
    context.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)  # five seconds are few where trainings run beside it
    noticed = Noticed(home)
    noticed.watch(context)
    try:
        yield Visitor(home, context, context.new_page(), noticed)
    finally:
        context.close()
    assert not noticed.problems, "\n".join(noticed.problems)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The address of a server in a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", server_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
