"""Ports of this machine's loopback address."""

from __future__ import annotations

import socket

from flows.settings import HOST


def url_of(port: int) -> str:
    """Of a server there."""
    return f"http://{HOST}:{port}"


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
