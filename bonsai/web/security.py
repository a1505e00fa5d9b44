"""Security headers, cross-site protection and body limits, for every page.

Nothing is loaded from elsewhere and no script is inline (Content-Security-Policy without `unsafe-inline`). A state
change must come from our own page, by `Sec-Fetch-Site` or else `Origin`
(https://web.dev/articles/fetch-metadata). Bodies are bounded in size and time. Foreign `Host` headers (DNS rebinding
against a loopback server) are refused by Starlette's TrustedHostMiddleware.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bonsai.web.problems import Problem

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
    "Referrer-Policy": "same-origin",  # with `no-referrer`, a form's own Origin would be `null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MAX_BODY_BYTES = 2_000_000
"Maximum of a form body: the longest record with every character escaped."
BODY_SECONDS = 30.0
"Slower bodies only hold a connection."


@dataclass(frozen=True, slots=True)
class SafeHeaders:
    """ASGI middleware: `HEADERS` on every response; personal pages are not cached."""

    app: ASGIApp
    https: bool = False
    "Whether browsers use HTTPS, through a proxy in front; then they are told to use nothing else (HSTS)."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
                if self.https:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)


def is_loopback(host: str) -> bool:
    """Whether the address is reachable from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def trusted_hosts(host: str, names: Sequence[str]) -> list[str]:
    """Accepted `Host` values: the listening address, loopback, and the given names."""
    own = [] if host in ("0.0.0.0", "::") else [f"[{host}]" if ":" in host else host]
    return [*dict.fromkeys([*own, "localhost", "127.0.0.1", "[::1]", *names])]


def is_from_our_page(request: Request, *, https: bool = False) -> bool:
    """Whether a request may change state. Clients that name no origin are refused."""
    if request.method in SAFE_METHODS:
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    scheme = "https" if https else request.url.scheme
    return request.headers.get("origin") == f"{scheme}://{request.headers.get('host', '')}"


def check_content_length(request: Request) -> None:
    """Raises Problem if Content-Length is too large; actual bytes are counted too."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        raise Problem(413, "problem_too_long")


async def read_body(request: Request) -> bytes:
    """The whole body, within bounds. Raises Problem: too long, or too slow."""
    check_content_length(request)
    request.state.body_begun = True  # a broken-off body cannot be read again
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise Problem(413, "problem_too_long")
    except TimeoutError:
        raise Problem(408, "problem_too_slow") from None
    return bytes(body)
