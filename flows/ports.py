"""TCP ports on the loopback address."""

from __future__ import annotations

import socket

from flows.settings import HOST


def url_of(port: int) -> str:
    """The URL of a server on this port."""
    return f"http://{HOST}:{port}"


def listens(port: int) -> bool:
    """Whether a server listens on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
