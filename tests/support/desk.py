"""A home whose pages are asked for as a browser does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hand_nights import EVENING, HandEvaluator, HandTrainer
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from bonsai.actions.inbox import drain_inbox, submit
from bonsai.auth import tokens
from bonsai.context import Bonsai
from bonsai.night.steps import run_night
from bonsai.system.progress import silent
from bonsai.web.app import create_app
from storage.tables.tokens_table import Scope

EVIL = "</textarea></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ 7 * 7 }}"
ORIGIN = "http://testserver"
NOW = EVENING + timedelta(hours=10)
TEXT_FIELDS = ("instruction", "output", "input", "subject", "feeling", "source_name", "author", "fact", "reasoning")


@dataclass
class Desk:
    """A home, its clock, and browsers to look at it."""

    b: Bonsai
    started: list[tuple[str, bool]] = field(default_factory=list)
    "Nights that a page started: who, and whether cold."

    def start_night(self, who: str, cold: bool) -> None:
        self.started.append((who, cold))

    def app(self, owner: str, drain: Callable[[], None], host: str) -> ASGIApp:
        """The dashboard, called by this name; with an empty `owner` people log in."""
        return create_app(
            self.b, clock=lambda: NOW, owner=owner, drain=drain, start_night=self.start_night, hosts=[host]
        )

    def client(self, owner: str = EVIL, drain: Callable[[], None] | None = None) -> TestClient:
        """A browser on this machine; with an empty `owner` people log in."""
        app = self.app(owner, drain or self.drain, "testserver")
        return TestClient(app, headers={"Origin": ORIGIN}, base_url=ORIGIN, raise_server_exceptions=False)

    def program(self, *scopes: Scope, name: str = "mika") -> TestClient:
        """A program with a token of these scopes, speaking to the API; it sends no Origin and has no cookie."""
        client = self.client(owner="")
        del client.headers["Origin"]
        if scopes:
            client.headers["Authorization"] = f"Bearer {self.token(*scopes, name=name)}"
        return client

    def token(self, *scopes: Scope, name: str = "mika") -> str:
        return tokens.add_token(self.b, name, scopes, days=30, note="", now=NOW)

    def drain(self) -> None:
        drain_inbox(self.b, NOW)

    def night(self, bits: float, day: int) -> str:
        """A night whose challenger has these bits per byte; its id."""
        submit(self.b, {"instruction": f"What is new on day {day}?", "output": f"Thing {day}."}, NOW)
        self.drain()
        b = replace(self.b, trainer=HandTrainer(), evaluator=HandEvaluator(challenger_bits=bits))
        return run_night(b, EVENING + timedelta(days=day), silent).night
