"""Connections that keep the server waiting: they end, and whoever sends in time is answered."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bonsai.web import serving
from bonsai.web.serving import TimelyProtocol

HEAD_SECONDS = 0.3
HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\n"


async def answer(request: Request) -> Response:
    return PlainTextResponse(await request.body())


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(serving, "HEAD_SECONDS", HEAD_SECONDS)
    app = Starlette(routes=[Route("/", answer, methods=["POST"])])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, http=TimelyProtocol, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as made:
        yield made


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX: "])
def test_a_request_that_does_not_begin_in_time_ends(line: socket.socket, sent: bytes) -> None:
    line.sendall(sent)
    assert line.recv(100) == b""


def test_a_byte_now_and_then_buys_no_time(line: socket.socket) -> None:
    begun = time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() < begun + 5:
            line.sendall(b"x")
            time.sleep(HEAD_SECONDS / 5)
    assert time.monotonic() < begun + 3


def test_a_body_has_a_time_of_its_own_and_so_has_the_next_request(line: socket.socket) -> None:
    for _ in range(2):
        line.sendall(HEAD)
        time.sleep(2 * HEAD_SECONDS)
        line.sendall(b"Tama")
        told = b""
        while not told.endswith(b"Tama"):
            told += line.recv(1_000)
    line.sendall(HEAD[:20])
    assert line.recv(100) == b""
