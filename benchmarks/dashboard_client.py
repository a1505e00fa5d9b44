"""One client of a running dashboard, for `benchmarks/dashboard.py`: requests and times pages, adds a record."""

from __future__ import annotations

import http.client
import os
import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

EACH_KIND = 3
"Addresses requested of each kind of page."


@dataclass(frozen=True, slots=True)
class Timed:
    """Some requests of one kind."""

    name: str
    milliseconds: tuple[float, ...]
    bytes: int = 0
    "Of the largest page with its files."
    cpu_ms: float | None = None
    "CPU time of the dashboard per request; independent of other load on the machine."

    @property
    def p50(self) -> float:
        """Median."""
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        """95th percentile."""
        return sorted(self.milliseconds)[max(round(0.95 * len(self.milliseconds)) - 1, 0)]


@dataclass(slots=True)
class Browser:
    """One persistent connection, and the sizes of the files that pages load."""

    port: int
    pid: int
    weights: dict[str, int] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> bytes:
        """The body. Raises SystemExit for anything but 200."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.connection.request("GET", path, headers={"Accept-Language": "en"})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
        return body

    def send(self, path: str, fields: Mapping[str, str]) -> None:
        """Send a form. Raises SystemExit for anything but a redirect."""
        assert self.connection is not None
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
        self.connection.request("POST", path, urlencode(fields), headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 303:
            raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")

    def weight(self, page: bytes) -> int:
        """Bytes of a page and the files it loads."""
        loaded = {unescape(one) for one in re.findall(r'(?:src|rel="[\w ]+" href)="([^"]+)"', page.decode())}
        self.foreign |= {one for one in loaded if not one.startswith("/") or one.startswith("//")}
        for path in loaded - self.foreign - set(self.weights):
            self.weights[path] = len(self.get(path))
        return len(page) + sum(self.weights.get(path, 0) for path in loaded)

    def timed(self, name: str, paths: Sequence[str], rounds: int) -> Timed:
        """Every path `rounds` times, after one untimed request."""
        weight = max(self.weight(self.get(path)) for path in paths)
        taken, cpu = [], cpu_seconds(self.pid)
        for _ in range(rounds):
            for path in paths:
                began = time.perf_counter()
                self.get(path)
                taken.append(1_000 * (time.perf_counter() - began))
        return Timed(name, tuple(taken), weight, 1_000 * (cpu_seconds(self.pid) - cpu) / len(taken))


def crawl(browser: Browser) -> dict[str, list[str]]:
    """Kind of page -> addresses of that kind, found by following links from the first page."""
    waiting, found, seen = ["/"], dict[str, list[str]](), set[str]()
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"[0-9a-f]{10,}|\d{4}-\d\d-\d\d[\w-]*", "ID", path.partition("?")[0])
        known = found.setdefault(kind, [])
        if path in seen or len(known) == EACH_KIND:
            continue
        seen.add(path)
        page = browser.get(path).decode("utf-8", "replace")
        if "<html" not in page:  # a download
            continue
        known.append(path)
        links = (unescape(one).partition("#")[0] for one in re.findall(r'<a [^>]*href="([^"]+)"', page))
        waiting += [one for one in links if one.startswith("/") and "lang=" not in one]
    return {kind: paths for kind, paths in found.items() if paths}


def add_record(browser: Browser) -> float:
    """Add a record; seconds until a search finds it."""
    word = f"benchmark{time.time_ns()}"
    began = time.perf_counter()
    browser.send("/records", {"instruction": f"What is {word}?", "output": "A word for this time only."})
    while f"What is {word}?" not in browser.get(f"/records?text={word}").decode():
        if time.perf_counter() - began > 60:
            raise SystemExit("a told record is not stored after a minute")
        time.sleep(0.05)
    return time.perf_counter() - began


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
