"""Times: always aware and in UTC. How long something took is measured with `time.monotonic`, which nobody sets."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime | None) -> str | None:
    """Return ISO 8601 with `Z` and milliseconds, or None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ClockWatch:
    """Notices that the wall clock was set, or that the process stood still, since the last look."""

    TOLERANCE = 5.0
    STANDSTILL = 30.0

    def __init__(self) -> None:
        self._wall, self._steady = now(), time.monotonic()

    def lapse(self) -> float | None:
        """Return by how many seconds the wall clock jumped (0 after a standstill), or None when time went its way."""
        wall, steady = now(), time.monotonic()
        passed = steady - self._steady
        jump = (wall - self._wall).total_seconds() - passed
        self._wall, self._steady = wall, steady
        if abs(jump) > self.TOLERANCE:
            return jump
        return 0.0 if passed > self.STANDSTILL else None
