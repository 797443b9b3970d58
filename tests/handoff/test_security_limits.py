"""The limits themselves: exact, bounded, and cheap."""

from __future__ import annotations

import time

import pytest

from handoff import limits
from handoff.errors import ApiError
from handoff.limits import MOST_KEYS, Limits


class TestLimits:
    def test_exactly_so_many_in_any_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        moment = [1000.0]
        monkeypatch.setattr(limits.time, "monotonic", lambda: moment[0])
        kept = Limits()
        for _ in range(60):
            kept.check("a", 60)
            moment[0] += 0.5
        with pytest.raises(ApiError) as refused:
            kept.check("a", 60)
        assert refused.value.retry_after == pytest.approx(30)
        moment[0] += 30.1
        kept.check("a", 60)

    def test_invented_keys_take_no_memory(self) -> None:
        kept = Limits()
        for number in range(MOST_KEYS + 5000):
            kept.check(f"address:{number}", 5)
        assert len(kept._windows) <= MOST_KEYS

    def test_a_check_costs_microseconds(self) -> None:
        """Not a benchmark: a thousand times slower than it is would still pass."""
        kept, began = Limits(), time.perf_counter()
        for _ in range(1000):
            kept.check("a", 10_000)
        assert time.perf_counter() - began < 5
