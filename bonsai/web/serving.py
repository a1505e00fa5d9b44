"""The server before the application: uvicorn, which also ends a connection whose request does not begin in time.

uvicorn bounds how long a connection may rest after an answer, and not how long the first line and the headers of a
request may take: some hundred connections that send one byte now and then would keep everybody else out ("slowloris",
https://en.wikipedia.org/wiki/Slowloris_(cyber_attack)). How long a body may take is bounded where it is read.
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
MOST_CONNECTIONS = 200
"Beyond which the server says that it is busy, before it runs out of memory or files."


class TimelyProtocol(H11Protocol):
    """HTTP/1.1 by uvicorn and h11, with a deadline for what stands before a request's body."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """As asyncio wants it."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """As asyncio wants it."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio wants it."""
        self._cancel()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """The time runs while a request is expected, and is not set back by a part of one."""
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
    """Until Ctrl-C. Behind a proxy on this machine, its word is taken for who asks."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=TimelyProtocol,
        log_level="warning",
        server_header=False,
        proxy_headers=https,
        forwarded_allow_ips=["127.0.0.1", "::1"],
        limit_concurrency=MOST_CONNECTIONS,
    )
