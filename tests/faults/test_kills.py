"""Every process of the product is killed under load, and comes back with nothing lost."""

from __future__ import annotations

import asyncio

from tests.faults.ledger import check
from tests.faults.load import under_load
from tests.faults.site import Site
from tests.product import Product


async def kill_and_wait(product: Product, name: str) -> None:
    """Kill a process as the kernel would, and wait until the runner has it back."""
    await asyncio.to_thread(product.kill, name)
    await asyncio.to_thread(product.wait_ready, name)


async def test_shop_and_action_server_die(product: Product, site: Site) -> None:
    async def fault() -> None:
        await kill_and_wait(product, "shop")
        await kill_and_wait(product, "actions")
        await asyncio.sleep(2)

    await under_load(site, product, fault, check)


async def test_the_desk_dies_again_and_again(product: Product, site: Site) -> None:
    async def fault() -> None:
        for _ in range(3):
            await kill_and_wait(product, "desk")
            await asyncio.sleep(3)

    ledger = await under_load(site, product, fault, check, agents=2)
    assert ledger.refusals, "nobody noticed that the desk was gone"


async def test_the_bot_dies(product: Product, site: Site) -> None:
    async def fault() -> None:
        await kill_and_wait(product, "bot")
        await asyncio.sleep(2)

    await under_load(site, product, fault, check)
