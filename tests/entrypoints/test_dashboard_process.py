"""`bonsai dashboard` as a process of its own: it answers, and Ctrl-C ends it without a word."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def test_ctrl_c_ends_it_at_once_and_nothing_is_said_after_it(home: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-P", "-m", "bonsai.cli.main", "dashboard", "--port", str(port)]
    environ = {**os.environ, "BONSAI_HOME": str(home), "LANG": "C.UTF-8"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert f":{port}/" in first
        assert status(port) == 200
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "")


def status(port: int) -> int:
    """Of the first page, as soon as somebody listens."""
    until = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)
        finally:
            connection.close()
