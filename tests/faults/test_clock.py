"""The wall clock is set forward by hours and back again while people wait, work and are promised things."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.ledger import Ledger, check
from tests.faults.people import Agent, Customer
from tests.faults.processes import Desk
from tests.product import Product

HOURS = 3600.0
ROUNDS = 7.0  # seconds in which the caretaker has looked at everything


class Clock:
    """The wall clock of a desk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set(0)

    def set(self, hours: float) -> None:
        """Put the clock so many hours ahead (negative: behind), in one move."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(str(hours * HOURS), "ascii")
        fresh.replace(self.path)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """A clock that is right."""
    return Clock(tmp_path_factory.mktemp("clock") / "shift.txt")


@pytest.fixture(scope="module")
def desk(product: Product, clock: Clock) -> Iterator[Desk]:
    """A desk that lives by that clock."""
    program = [sys.executable, "-m", "tests.faults.shifted", str(clock.path), "handoff"]
    one = Desk(product, clock.path.with_name("var"), program, DEMO="off", AGENT_GONE_AFTER="30").prepare()
    try:
        yield one.start()
    finally:
        one.destroy()


async def in_line(customer: Customer) -> int | None:
    """Return the customer's rank."""
    page = (await customer.door.call("GET", f"{customer.path}/messages")).json()
    return page["queue"]["position"] if page["queue"] else None


async def test_the_clock_is_set(product: Product, desk: Desk, clock: Clock) -> None:
    site, ledger = desk.site(product), Ledger()
    agent = await Agent(site, ledger, site.login("agent")).begin()
    held, *line = [await Customer(site, ledger).begin() for _ in range(3)]
    for customer in (held, *line):
        await customer.ask_for_person()
    assert await agent.claim((await agent.queue())[0]["id"]) == held.id
    promise = {"text": "两小时内给您答复", "due_at": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}
    promised = await agent.door.call("POST", f"/conversations/{held.id}/promises", json=promise)
    assert promised.status_code == 201, promised.text

    for hours in (6, 0, -6, 0):
        clock.set(hours)
        line.append(await Customer(site, ledger).begin())  # whoever comes now stands behind, by any clock
        await line[-1].ask_for_person()
        await asyncio.sleep(ROUNDS)
        assert [await in_line(customer) for customer in line] == list(range(1, len(line) + 1))
        conversation = (await agent.door.call("GET", f"/conversations/{held.id}")).json()
        assert conversation["owner"] == f"agent:{agent.id}", "nobody becomes absent by a clock"
        (kept,) = (await agent.door.call("GET", f"/conversations/{held.id}/promises")).json()["promises"]
        assert kept["state"] == "open", "no promise is broken before the clock has proved itself"
        talker = await Customer(site, ledger).begin()  # turns are timed by a clock that nobody sets
        async with talker.reading(socket=True):
            await talker.answered(await talker.say("你好") or 0)
            assert talker.messages("bot")
    await check(site, ledger)


async def test_unanswered_from_the_future_is_answered(product: Product, desk: Desk, clock: Clock) -> None:
    """The clock went back while the desk was dead: what is stored with a later time is answered nevertheless."""
    site, ledger = desk.site(product), Ledger()
    clock.set(6)
    customer = await Customer(site, ledger).begin()
    await customer.say("你们发什么快递")
    desk.kill()
    clock.set(0)
    desk.launch()
    async with customer.reading(socket=False):
        await customer.until(lambda one: bool(one.messages("bot")))
    await check(site, ledger)
