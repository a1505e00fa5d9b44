"""Rate limits for login attempts and API requests.

Addresses count by network: one IPv6 customer holds 2^64 addresses or more, mostly a /56
(https://www.ripe.net/publications/docs/ripe-690/). All state is in bounded memory; a restart clears it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

MAX_KEYS = 10_000
"Names, addresses and tokens; the least recently active go first."
MAX_WAITING_LOGINS = 4
"Passwords waiting to be verified; further logins are told to retry, so that pages still find a thread."
IPV6_NETWORK = 56


class LoginQueueFull(Exception):
    """Too many passwords are waiting to be verified."""


@dataclass(slots=True)
class Throttle:
    """Counts failed logins by name and address; thread-safe.

    with throttle.turn():
        if throttle.must_wait(keys, now): ...          # checked in the turn: forty parallel tries are limited too
        ... throttle.failed(keys, now)
    """

    most: int
    window: timedelta
    _wrong: dict[str, deque[datetime]] = field(default_factory=dict)
    _reported_at: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    "Held while a password is verified: each takes 19 MiB, and forty at once would exhaust a small machine."
    _door: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MAX_WAITING_LOGINS))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One verification at a time. Raises LoginQueueFull."""
        if not self._door.acquire(blocking=False):
            raise LoginQueueFull
        try:
            with self._turn:
                yield
        finally:
            self._door.release()

    def must_wait(self, keys: Sequence[str], now: datetime) -> bool:
        """Whether any of the keys has used up its attempts."""
        with self._lock:
            return any(len(self._recent(key, now)) >= self.most for key in keys)

    def failed(self, keys: Sequence[str], now: datetime) -> None:
        """Count a failed login."""
        with self._lock:
            for key in keys:
                recent = self._recent(key, now)
                self._wrong.pop(key, None)
                self._wrong[key] = deque([*recent, now], maxlen=self.most)
            _evict_oldest(self._wrong)

    def is_news(self, key: str, now: datetime) -> bool:
        """Whether this key was not yet reported in this window: a log line per attempt would fill the disk."""
        with self._lock:
            if now - self._reported_at.get(key, datetime.min.replace(tzinfo=now.tzinfo)) < self.window:
                return False
            self._reported_at.pop(key, None)
            self._reported_at[key] = now
            _evict_oldest(self._reported_at)
            return True

    def _recent(self, key: str, now: datetime) -> list[datetime]:
        return [at for at in self._wrong.get(key, ()) if at > now - self.window]


@dataclass(slots=True)
class TokenBuckets:
    """A token bucket per key: `burst` requests at once, `per_minute` on average; thread-safe."""

    per_minute: float
    burst: int
    _levels: dict[str, tuple[float, datetime]] = field(default_factory=dict)
    "Tokens left, and when that was computed."
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str, now: datetime) -> float:
        """0 if the request may proceed; else seconds until one may."""
        per_second = self.per_minute / 60
        with self._lock:
            level, at = self._levels.pop(key, (float(self.burst), now))
            level = min(self.burst, level + max((now - at).total_seconds(), 0.0) * per_second)
            wait = 0.0 if level >= 1 else (1 - level) / per_second
            self._levels[key] = (level - (0 if wait else 1), now)
            _evict_oldest(self._levels)
        return wait


def network_of(address: str) -> str:
    """The unit that is counted: an IPv4 address, or an IPv6 network."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((found, IPV6_NETWORK), strict=False))


def _evict_oldest(known: dict[str, Any]) -> None:
    while len(known) > MAX_KEYS:
        del known[next(iter(known))]
