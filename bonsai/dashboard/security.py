"""What no request may do, whatever page it asks for.

Nothing is loaded from elsewhere and no script stands in a page (Content-Security-Policy without `unsafe-inline`); a
request that changes something must come from a page of ours, by `Sec-Fetch-Site` or else by `Origin`
(https://web.dev/articles/fetch-metadata); a body has a largest size; wrong passwords soon have to wait. Foreign `Host`
headers, with which a page elsewhere could reach a server on loopback, are refused by Starlette's TrustedHostMiddleware.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with `no-referrer` a form's own Origin would be `null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MOST_BODY_BYTES = 2_000_000
"Of a form: the longest record, each of its characters escaped."
MOST_REMEMBERED = 10_000
"Names and addresses whose wrong passwords are counted; the oldest go first."


@dataclass(frozen=True, slots=True)
class SafeHeaders:
    """ASGI middleware: `HEADERS` on every answer; what is personal is not kept by browsers."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI wants it."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def trusted_hosts(host: str, names: Sequence[str]) -> list[str]:
    """What a `Host` header may say: the address that is listened on, loopback, and the names that were given."""
    own = [] if host in ("0.0.0.0", "::") else [f"[{host}]" if ":" in host else host]
    return [*dict.fromkeys([*own, "localhost", "127.0.0.1", "[::1]", *names])]


def is_from_our_page(request: Request) -> bool:
    """Whether a request may change something. Browsers say where it comes from; who does not say is not let in."""
    if request.method in SAFE_METHODS:
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") == f"{request.url.scheme}://{request.headers.get('host', '')}"


def body_is_too_long(headers: Headers) -> bool:
    """By its own account; what is read is counted too."""
    length = headers.get("content-length", "0")
    return not length.isdecimal() or int(length) > MOST_BODY_BYTES


@dataclass(slots=True)
class Throttle:
    """Counts wrong passwords by name and by address; thread-safe. A restart forgets them."""

    most: int
    window: timedelta
    turn: threading.Lock = field(default_factory=threading.Lock)
    "Held while a password is verified: each takes 19 MiB, and forty at once would be the whole machine's."
    _wrong: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def must_wait(self, keys: Sequence[str], now: datetime) -> bool:
        """Whether any of the keys has used up its attempts."""
        with self._lock:
            return any(len(self._recent(key, now)) >= self.most for key in keys)

    def failed(self, keys: Sequence[str], now: datetime) -> None:
        """One more wrong password."""
        with self._lock:
            for key in keys:
                self._wrong[key] = deque([*self._recent(key, now), now], maxlen=self.most)
            while len(self._wrong) > MOST_REMEMBERED:
                del self._wrong[next(iter(self._wrong))]

    def _recent(self, key: str, now: datetime) -> list[datetime]:
        return [at for at in self._wrong.get(key, ()) if at > now - self.window]
