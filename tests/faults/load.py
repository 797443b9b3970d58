"""Load: a crowd of customers with different wishes, and some agents."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from tests.faults.ledger import Ledger
from tests.faults.people import Agent, Customer
from tests.faults.site import Site
from tests.product import Product

SMALL_TALK = ("你好", "你们发什么快递", "固件怎么升级", "怎么开发票", "谢谢", "运费是多少")
DRIFTING_SCALE = {
    "device_model": "scale-s1",
    "os": "ios",
    "firmware_version": "1.3.0.5",
    "app_version": "5.2.1",
    "os_version": "17.4",
}
LONGEST_TROUBLE = 8


class Orders:
    """Orders that may be cancelled, each given to one customer."""

    def __init__(self, product: Product) -> None:
        self._left = [order for order in product.demo["orders"] if order["status"] in {"paid", "packed", "unpaid"}]

    def take(self) -> dict[str, str] | None:
        """Return an order that nobody has had, while there are any."""
        return self._left.pop() if self._left else None


async def chat(customer: Customer, chance: random.Random) -> None:
    """Ask this and that."""
    for _ in range(chance.randint(3, 6)):
        seq = await customer.say(chance.choice(SMALL_TALK))
        if chance.random() < 0.3:
            seq = await customer.say(chance.choice(SMALL_TALK))
        await customer.answered(seq or 0)
        if customer.owner != "bot":
            return
        await asyncio.sleep(chance.uniform(0, 1))


async def cancel(customer: Customer, order: dict[str, str]) -> None:
    """Cancel an order: number, proof, yes."""
    for words in (f"取消订单 {order['number']}", order["phone_last4"]):
        await customer.answered(await customer.say(words) or 0)
    yes = customer.button("/affirm")
    if yes is None or customer.owner != "bot":
        return
    seq = await customer.say(payload=yes)
    if seq is None:
        return
    await customer.answered(seq)
    if any(order["number"] in m["text"] and "已取消" in m["text"] for m in customer.messages("bot") if m["seq"] > seq):
        customer.ledger.cancelled.add(order["number"])


async def report_bug(customer: Customer) -> None:
    """Go through the steps of a troubled scale until R&D is asked."""
    await customer.answered(await customer.say("体重秤每次称的体重都不一样，数值一直在飘") or 0)
    for _ in range(LONGEST_TROUBLE):
        payload = customer.button("unsolved")
        if customer.owner != "bot" or payload is None or (seq := await customer.say(payload=payload)) is None:
            return
        await customer.answered(seq)


async def want_person(customer: Customer, chance: random.Random) -> None:
    """Ask for a person, and go on writing."""
    await customer.say("我的手环坏了")
    await customer.ask_for_person()
    for number in range(chance.randint(2, 4)):
        await customer.say(f"还有一件事，第{number}件")
        await asyncio.sleep(chance.uniform(0.2, 2))


class Crowd:
    """Customers who come and go while the crowd is there."""

    def __init__(self, site: Site, ledger: Ledger, orders: Orders, chance: random.Random) -> None:
        self.site, self.ledger, self.orders, self.chance = site, ledger, orders, chance
        self._stack = AsyncExitStack()
        self._coming = True

    async def visit(self, number: int) -> None:
        """One customer's visit: opens, reads to the end of the test, and does what they came for."""
        chance = random.Random(self.chance.random())
        customer = Customer(self.site, self.ledger, number)
        kind = number % 6
        await customer.begin(**({"context": DRIFTING_SCALE} if kind == 1 else {}))
        await self._stack.enter_async_context(customer.reading(socket=number % 2 == 0))
        order = self.orders.take() if kind == 0 else None
        if order is not None:
            await cancel(customer, order)
        elif kind == 1:
            await report_bug(customer)
        elif kind in {2, 3}:
            await want_person(customer, chance)
        else:
            await chat(customer, chance)

    async def keep_coming(self, first: int) -> None:
        """Visit after visit, until the crowd is told to come no more."""
        number = first
        while self._coming:
            await self.visit(number)
            number += 7  # another wish next time
            await asyncio.sleep(self.chance.uniform(0.2, 1.5))


async def end(tasks: list[asyncio.Task[None]], *, failures: bool = True) -> None:
    """Cancel tasks; raises what one of them failed with, unless `failures` is off."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if failures and isinstance(outcome, Exception):
            raise outcome


async def under_load(
    site: Site,
    product: Product,
    fault: Callable[[], Awaitable[None]],
    check: Callable[[Site, Ledger], Awaitable[None]],
    *,
    customers: int = 6,
    agents: int = 1,
    seed: int = 1,
) -> Ledger:
    """Let people come while `fault` happens; then let every visit end, and check while all are still reading."""
    ledger, chance = Ledger(), random.Random(seed)
    people = Crowd(site, ledger, Orders(product), chance)
    workers = [await Agent(site, ledger, site.login("agent", number), number).begin() for number in range(agents)]
    async with people._stack:
        visits = [asyncio.create_task(people.keep_coming(number)) for number in range(customers)]
        work = [asyncio.create_task(agent.work(random.Random(seed + number))) for number, agent in enumerate(workers)]
        try:
            await asyncio.sleep(2)
            await fault()
            people._coming = False
            await asyncio.gather(*visits)
            await end(work)
            await check(site, ledger)
        finally:
            await end([*visits, *work], failures=False)
    print(ledger.summary())
    return ledger
