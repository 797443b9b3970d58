"""Limits: how often, how much and how many at once, by key, in this process's memory.

Two settings carry them all, so that a load test switches everything off with two words: `LIMIT_MESSAGES` for what one
conversation (or one person at work) does, `LIMIT_CONVERSATIONS` for what comes from one address. Every kind of call has
its share of one of them.
"""

from __future__ import annotations

import ipaddress
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from handoff.errors import ApiError
from handoff.settings import settings

Limit = int | Literal["off"]
MINUTE = 60.0
HOUR = 3600.0
SWEEP_EVERY = 1000
MOST_KEYS = 50_000
LEAST = 5
BUSY_RETRY = 5.0

# What one conversation may do in a minute, as shares of LIMIT_MESSAGES; `polls`, `sockets`: at once.
CONVERSATION_SHARES = {
    "messages": 1.0,  # new messages
    "sends": 5.0,  # attempts to send, repetitions and refused ones included
    "signals": 2.0,  # typing, read
    "acts": 0.5,  # asking for a person and giving up, rating, language, token
    "calls": 20.0,  # everything together
    "frames": 20.0,  # packets of one socket
    "polls": 0.2,
    "sockets": 0.4,
}
# What one address may do in a minute, as shares of LIMIT_CONVERSATIONS; `sockets` and `strangers`
# (connections without a whole request yet): at once.
ADDRESS_SHARES = {"conversations": 1.0, "failures": 2.5, "handshakes": 5.0, "sockets": 10.0, "strangers": 2.0}
AGENT_SHARE = 5.0
# Files' worth of ATTACHMENT_LIMIT in an hour.
CONVERSATION_FILES, ADDRESS_FILES = 30, 150


class Window:
    """What a key spent lately, as (time, amount), and until when that matters."""

    __slots__ = ("parts", "total", "until")

    def __init__(self) -> None:
        self.parts: deque[tuple[float, int]] = deque()
        self.total = 0
        self.until = 0.0

    def spend(self, moment: float, amount: int, *, until: float) -> None:
        """Note an amount."""
        self.parts.append((moment, amount))
        self.total += amount
        self.until = until

    def forget(self, before: float) -> None:
        """Drop what lies before this moment."""
        while self.parts and self.parts[0][0] <= before:
            self.total -= self.parts.popleft()[1]


class Limits:
    """Sliding windows, and counts of what goes on right now."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}
        self._held: Counter[str] = Counter()
        self._count = 0

    def check(self, key: str, limit: Limit, window: float = MINUTE, amount: int = 1) -> None:
        """Spend `amount`; raises 429 `too_many_requests` when `key` would spend more than `limit` within `window`."""
        if limit == "off":
            return
        moment = time.monotonic()
        self._sweep(moment)
        kept = self._windows.get(key) or self._windows.setdefault(key, Window())
        kept.forget(moment - window)
        if kept.total + amount > limit:
            oldest = kept.parts[0][0] if kept.parts else moment
            raise ApiError(429, "too_many_requests", retry_after=oldest + window - moment)
        kept.spend(moment, amount, until=moment + window)

    @contextmanager
    def hold(self, key: str, limit: Limit) -> Iterator[None]:
        """Count one more at once until the block ends; raises 429 when there are `limit` already."""
        if limit != "off" and self._held[key] >= limit:
            raise ApiError(429, "too_many_requests", retry_after=BUSY_RETRY)
        self._held[key] += 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]

    def conversation(self, kind: str, id: str) -> None:
        """Count one call of this kind in a conversation; raises 429."""
        self.check(f"{kind}:{id}", share(settings.limit_messages, CONVERSATION_SHARES[kind]))

    def agent(self, kind: str, id: str) -> None:
        """Count one call of this kind by a person at work; raises 429."""
        self.check(f"{kind}:{id}", share(settings.limit_messages, CONVERSATION_SHARES[kind] * AGENT_SHARE))

    def address(self, kind: str, address: str) -> None:
        """Count one call of this kind from an address; raises 429."""
        self.check(f"{kind}:{address}", share(settings.limit_conversations, ADDRESS_SHARES[kind]))

    def upload(self, id: str, address: str, size: int) -> None:
        """Count the bytes of a file by its sender and by the address; raises 429 when an hour's share is spent."""
        if settings.limit_messages != "off":
            self.check(f"bytes:{id}", CONVERSATION_FILES * settings.attachment_limit, HOUR, size)
        if settings.limit_conversations != "off":
            self.check(f"bytes:{address}", ADDRESS_FILES * settings.attachment_limit, HOUR, size)

    def _sweep(self, moment: float) -> None:
        """Forget what is over; never remember more than `MOST_KEYS` keys, however many an attacker invents."""
        self._count += 1
        if self._count % SWEEP_EVERY == 0:
            self._windows = {key: kept for key, kept in self._windows.items() if kept.until > moment}
        if len(self._windows) >= MOST_KEYS:
            for key in list(self._windows)[: MOST_KEYS // 10]:
                del self._windows[key]


def share(setting: Limit, part: float) -> Limit:
    """Return `part` of a setting, never less than a few so that a small setting does not stop ordinary use."""
    if setting == "off":
        return "off"
    return setting if part == 1.0 else max(LEAST, int(setting * part))


def address_of(scope: Mapping[str, Any]) -> str:
    """Return who calls, as the server sees it: an IPv4 address, or the /64 network that one IPv6 customer has.

    A proxy's word counts only where `FORWARDED_ALLOW_IPS` names the proxy; the server has applied it before.
    """
    client = scope.get("client")
    return network_of(client[0]) if client else "unknown"


def network_of(host: str) -> str:
    """Return the part of an address that one customer cannot choose: IPv4 as it is, of IPv6 the first 64 bits."""
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(number, ipaddress.IPv4Address):
        return str(number)
    if number.ipv4_mapped:
        return str(number.ipv4_mapped)
    return str(ipaddress.ip_network((int(number) >> 64 << 64, 64)))
