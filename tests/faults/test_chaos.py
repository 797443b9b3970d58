"""Chaos with a seed: faults at random under the load of many customers and some agents, held to the same ledger.

`JIELI_CHAOS_SEED` replays a run's choices, `JIELI_CHAOS_SECONDS` makes it longer.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.conftest import Pair, wait_ready
from tests.faults.ledger import check
from tests.faults.load import under_load
from tests.faults.processes import Desk, freeze, thaw
from tests.faults.site import Site
from tests.faults.wire import Wire
from tests.product import Product

SECONDS = 30.0
Fault = Callable[[], Awaitable[None]]


class Chaos:
    """Chooses faults by the seed and prints each one, so that a failure can be read and replayed."""

    def __init__(self, seed: int, seconds: float, name: str) -> None:
        self.chance, self.seconds, self.name = random.Random(f"{seed}:{name}"), seconds, name

    async def __call__(self, faults: dict[str, tuple[int, Fault]]) -> None:
        """Do one fault after the other, each named with its weight, until the time is over."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            kind = self.chance.choices(list(faults), [weight for weight, _ in faults.values()])[0]
            print(f"  {self.name} {end - time.monotonic():5.1f} s left: {kind}", flush=True)
            await faults[kind][1]()
            await asyncio.sleep(self.chance.uniform(0.5, 3))

    async def stand_still(self, *pids: int | None) -> None:
        """Freeze processes for a moment."""
        there = [pid for pid in pids if pid is not None]
        freeze(*there)
        try:
            await asyncio.sleep(self.chance.uniform(1, 12))
        finally:
            thaw(*there)

    async def interrupt(self, wire: Wire) -> None:
        """Cut a line in one of two ways for a moment."""
        self.chance.choice([Wire.cut, Wire.stall])(wire)
        await asyncio.sleep(self.chance.uniform(1, 10))
        wire.mend()


async def test_chaos(product: Product, site: Site, pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("JIELI_CHAOS_SEED") or secrets.randbelow(10**6))
    seconds = float(os.environ.get("JIELI_CHAOS_SECONDS") or SECONDS)
    with capsys.disabled():  # the seed is always seen
        print(f"\nchaos: JIELI_CHAOS_SEED={seed} JIELI_CHAOS_SECONDS={seconds:g}", flush=True)
    one, two = Chaos(seed, seconds, "sqlite"), Chaos(seed, seconds, "postgresql")

    async def kill(name: str) -> None:
        await asyncio.to_thread(product.kill, name)

    async def replace(desk: Desk) -> None:
        desk.kill()
        await asyncio.sleep(two.chance.uniform(0, 3))
        desk.launch()
        await wait_ready(desk)

    async def postgres_dies() -> None:
        await asyncio.to_thread(pair.postgres.kill)
        await asyncio.sleep(two.chance.uniform(0, 5))
        await asyncio.to_thread(pair.postgres.start)

    async def redis_dies() -> None:
        pair.redis.kill()
        await asyncio.sleep(two.chance.uniform(0, 5))
        pair.redis.start()

    of_product: dict[str, tuple[int, Fault]] = {
        "kill shop": (3, lambda: kill("shop")),
        "kill actions": (3, lambda: kill("actions")),
        "kill desk": (3, lambda: kill("desk")),
        "freeze bot": (3, lambda: one.stand_still(product.pid("bot"))),
        "freeze desk": (2, lambda: one.stand_still(product.pid("desk"))),
        "freeze shop": (2, lambda: one.stand_still(product.pid("shop"))),
        "freeze actions": (2, lambda: one.stand_still(product.pid("actions"))),
    }
    if seconds >= 3 * SECONDS:  # it takes long to come back
        of_product["kill bot"] = (1, lambda: kill("bot"))
    of_pair: dict[str, tuple[int, Fault]] = {
        "first desk dies": (2, lambda: replace(pair.first)),
        "second desk dies": (2, lambda: replace(pair.second)),
        "PostgreSQL dies": (2, postgres_dies),
        "Redis dies": (2, redis_dies),
        "freeze PostgreSQL": (1, lambda: two.stand_still(*pair.postgres.pids())),
        "freeze Redis": (1, lambda: two.stand_still(pair.redis.pid)),
        "freeze first desk": (1, lambda: two.stand_still(pair.first.pid)),
        "cut to PostgreSQL": (2, lambda: two.interrupt(pair.to_postgres)),
        "cut to Redis": (2, lambda: two.interrupt(pair.to_redis)),
        "cut to the bot": (2, lambda: two.interrupt(pair.to_bot)),
    }

    async def whole_again() -> None:
        for name in product.ports:
            await asyncio.to_thread(product.wait_ready, name)

    async def strike_product() -> None:
        await one(of_product)
        await whole_again()

    await asyncio.gather(
        under_load(site, product, strike_product, check, customers=8, agents=2, seed=seed),
        under_load(pair.site, product, lambda: two(of_pair), check, customers=6, agents=2, seed=seed + 1),
    )
