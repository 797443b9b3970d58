"""Wrong proofs, counted: who tries order after order, or one order from many conversations, is stopped for an hour.

A company's back office counts for itself, one order at a time; nobody but the bot knows which conversation and which
network the guesses come from. An attempt counts as wrong until it turns out right, so guesses in parallel gain nothing.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from bot.actions.clients.shop import OrderNotFound, TooManyProofs

WINDOW_SECONDS = 3600.0
MOST_FOR_ORDER = 5
MOST_IN_CONVERSATION = 10
MOST_FROM_NETWORK = 60
_TABLE = "CREATE TABLE IF NOT EXISTS attempts (who TEXT NOT NULL, attempt TEXT NOT NULL, at REAL NOT NULL)"
_INDEX = "CREATE INDEX IF NOT EXISTS attempts_who ON attempts (who, at)"


class WrongProofs:
    """The count of the last hour, in a file that all action servers of this machine share."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, timeout=5, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", _TABLE, _INDEX):
            self._database.execute(statement)

    @contextmanager
    def attempt(self, number: str, conversation: str, network: str | None) -> Iterator[None]:
        """Let one proof be tried in the block, which raises OrderNotFound when it is wrong.

        Raises TooManyProofs without trying when the order, the conversation or the network has had its share.
        """
        limits = {f"order:{number}": MOST_FOR_ORDER, f"conversation:{conversation}": MOST_IN_CONVERSATION}
        if network:
            limits[f"network:{network}"] = MOST_FROM_NETWORK
        attempt = os.urandom(8).hex()
        self._begin({_hidden(who): most for who, most in limits.items()}, attempt)
        try:
            yield
        except OrderNotFound:
            raise
        except BaseException:
            self._forget(attempt)
            raise
        self._forget(attempt)

    def _begin(self, limits: dict[str, int], attempt: str) -> None:
        moment = time.time()
        with self._database as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("DELETE FROM attempts WHERE at <= ?", (moment - WINDOW_SECONDS,))
            for who, most in limits.items():
                counted = database.execute("SELECT count(*) FROM attempts WHERE who = ?", (who,)).fetchone()[0]
                if counted >= most:
                    raise TooManyProofs("too_many_proofs")
            database.executemany("INSERT INTO attempts VALUES (?, ?, ?)", [(who, attempt, moment) for who in limits])

    def _forget(self, attempt: str) -> None:
        self._database.execute("DELETE FROM attempts WHERE attempt = ?", (attempt,))


def _hidden(who: str) -> str:
    """Keep no order number, only what is the same for the same one."""
    return hashlib.sha256(who.encode()).hexdigest()


@lru_cache(maxsize=1)
def wrong_proofs() -> WrongProofs:
    """The count of this machine, beside the trackers."""
    trackers = Path(os.environ.get("BOT_TRACKERS") or Path(os.environ.get("JIELI_VAR") or "var") / "trackers.db")
    return WrongProofs(trackers.with_name("proofs.db"))
