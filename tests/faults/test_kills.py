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


async def test_every_process_dies_in_turn(product: Product, site: Site) -> None:
    async def fault() -> None:
        for name in ("shop", "actions", "desk", "bot", "desk"):
            await kill_and_wait(product, name)
            await asyncio.sleep(2)

    ledger = await under_load(site, product, fault, check, agents=2)
    assert ledger.refusals, "nobody noticed that the desk was gone"
