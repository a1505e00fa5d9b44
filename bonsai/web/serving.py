"""HTTP server: uvicorn, with a deadline for request headers.

uvicorn bounds how long a connection may idle after a response, but not how long a request line and headers may take:
a few hundred connections that send a byte now and then would block everybody else ("slowloris",
https://en.wikipedia.org/wiki/Slowloris_(cyber_attack)). Bodies are bounded where they are read.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
"From the first byte of a request, or from the connection, to the end of its headers."
MAX_CONNECTIONS = 200
"Beyond this the server answers that it is busy, before it runs out of memory or files."


class TimelyProtocol(H11Protocol):
    """HTTP/1.1 by uvicorn and h11, with a deadline for the request head."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """asyncio callback."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """asyncio callback."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio callback."""
        self._cancel()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Run the timer while a request head is expected; partial data does not reset it."""
        if self.conn.their_state is not h11.IDLE:
            self._cancel()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._end)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def serve(app: ASGIApp, host: str, port: int, *, https: bool = False) -> None:
    """Serve until Ctrl-C. Trusts forwarded headers of a proxy on this machine."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=TimelyProtocol,
        log_level="warning",
        server_header=False,
        proxy_headers=https,
        forwarded_allow_ips=["127.0.0.1", "::1"],
        limit_concurrency=MAX_CONNECTIONS,
    )
