"""Every process stands still for 20 seconds under load; two at a time where neither hides what the other does."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from tests.faults.conftest import Pair
from tests.faults.ledger import Ledger, check
from tests.faults.load import under_load
from tests.faults.people import Customer
from tests.faults.processes import freeze, thaw
from tests.faults.site import Site
from tests.product import Product

FROZEN_SECONDS = 20.0
BOT_PATIENCE = 8.0
SLACK = 8.0  # the pause before a turn, and a slow machine


async def frozen(*pids: int) -> None:
    """Let processes stand still for a while."""
    freeze(*pids)
    try:
        await asyncio.sleep(FROZEN_SECONDS)
    finally:
        thaw(*pids)


async def test_bot_and_redis_stand_still(product: Product, site: Site, pair: Pair) -> None:
    """Who writes to a frozen bot is told within its eight seconds, and its late words are never heard."""
    told: list[float] = []

    async def ask(customer: Customer) -> None:
        asked = time.monotonic()
        await customer.say("我的手环坏了")
        await customer.until(lambda one: bool(one.messages("system")))
        told.append(time.monotonic() - asked)
        assert customer.messages("system")[0]["buttons"], "the announcement offers to stop waiting"

    async def fault() -> None:
        ledger = Ledger()
        customers = [await Customer(site, ledger, number).begin() for number in range(3)]
        bot = product.pid("bot")
        assert bot is not None
        standstill = asyncio.create_task(frozen(bot, pair.redis.pid))
        await asyncio.sleep(0.5)  # the bot's workers stand still a moment after their parent
        async with AsyncExitStack() as readers:
            for customer in customers:
                await readers.enter_async_context(customer.reading(socket=False))
            await asyncio.gather(*(ask(customer) for customer in customers))
            await standstill
            await asyncio.sleep(3)
            await check(site, ledger)

    async def beside() -> None:
        await under_load(pair.site, product, lambda: asyncio.sleep(FROZEN_SECONDS), check, customers=4, seed=2)

    await asyncio.gather(under_load(site, product, fault, check), beside())
    assert max(told) < BOT_PATIENCE + SLACK


async def test_shop_and_postgres_stand_still(product: Product, site: Site, pair: Pair) -> None:
    shop = product.pid("shop")
    assert shop is not None
    await asyncio.gather(
        under_load(site, product, lambda: frozen(shop), check),
        under_load(pair.site, product, lambda: frozen(*pair.postgres.pids()), check, customers=4, seed=2),
    )


async def test_desk_and_action_server_stand_still(product: Product, site: Site, pair: Pair) -> None:
    desk, actions = product.pid("desk"), product.pid("actions")
    assert desk is not None and actions is not None
    await asyncio.gather(
        under_load(site, product, lambda: frozen(desk), check),
        under_load(pair.site, product, lambda: frozen(actions), check, customers=4, seed=2),
    )
