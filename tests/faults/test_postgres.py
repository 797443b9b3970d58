"""Two desks on one PostgreSQL: the database dies, lines are cut, and one desk dies while it holds turns."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine

from tests.faults.conftest import Pair, wait_ready
from tests.faults.ledger import Ledger, check, rows
from tests.faults.load import under_load
from tests.faults.people import Customer
from tests.faults.processes import freeze, thaw
from tests.faults.wire import Wire
from tests.product import Product

TAKEN_OVER_WITHIN = 25.0  # the lease (12 s), a round (2 s), and a turn on a slow machine
# How a line is cut, and for how many seconds; a silent bot must outlast the desk's patience of eight.
CUTS: dict[str, tuple[Callable[[Wire], None], float]] = {"dropped": (Wire.cut, 4.0), "silent": (Wire.stall, 9.0)}


async def test_postgres_dies_and_comes_back(product: Product, pair: Pair) -> None:
    async def fault() -> None:
        await asyncio.to_thread(pair.postgres.kill)
        await asyncio.sleep(4)
        await asyncio.to_thread(pair.postgres.start)
        await asyncio.sleep(4)

    ledger = await under_load(pair.site, product, fault, check, agents=2)
    assert ledger.refusals["503"], "nobody noticed that the database was gone"


async def test_redis_dies_and_comes_back(product: Product, pair: Pair) -> None:
    async def fault() -> None:
        pair.redis.kill()
        await asyncio.sleep(8)
        pair.redis.start()
        await asyncio.sleep(4)

    ledger = await under_load(pair.site, product, fault, check, agents=2)
    assert set(ledger.refusals) <= {"409"}, "without Redis all goes on"


@pytest.mark.parametrize("how", list(CUTS))
async def test_a_line_is_cut(product: Product, pair: Pair, how: str) -> None:
    """The first desk loses the bot, then Redis, then PostgreSQL, one after the other."""

    cut, seconds = CUTS[how]

    async def fault() -> None:
        for wire in (pair.to_bot, pair.to_redis, pair.to_postgres):
            cut(wire)
            await asyncio.sleep(seconds)
            wire.mend()
            await asyncio.sleep(1)

    await under_load(pair.site, product, fault, check, agents=2)


async def test_the_other_desk_takes_over(product: Product, pair: Pair) -> None:
    """A desk dies while the bot works on its turns: the other one gives the answers, each once."""
    ledger = Ledger()
    first_only = pair.first.site(product)
    customers = [await Customer(first_only, ledger, number).begin() for number in range(4)]
    pair.to_bot.stall()  # the turns of the first desk are under way and stay so
    try:
        for customer in customers:
            await customer.say("你们发什么快递")
        await asyncio.sleep(1.5)
        engine = create_engine(pair.site.database)
        held = rows(engine, "SELECT id FROM conversations WHERE turn_until > now()")
        assert {row[0] for row in held} == set(ledger.tokens)
        pair.first.kill()
        for customer in customers:  # their browsers go to the other desk
            customer.door.move(pair.second.url)
            await customer.read_until_answered(TAKEN_OVER_WITHIN)
        engine.dispose()
    finally:
        pair.to_bot.mend()
        pair.first.launch()
    await wait_ready(pair.first)
    await check(pair.site, ledger)
    for customer in customers:
        assert [m["sender"] for m in customer.poll.seen] == ["customer", "bot"], customer.poll.seen


async def test_two_desks_ask_the_bot_once(product: Product, pair: Pair) -> None:
    """Messages of one thought arrive at both desks at once: the bot is asked about each of them once."""
    ledger = Ledger()
    customers = [await Customer(pair.site, ledger, number).begin() for number in range(6)]
    windows = [[customer, Customer(pair.site, ledger, 1).same_as(customer)] * 2 for customer in customers]
    words = ("你好", "在吗", "你们发什么快递", "谢谢")
    await asyncio.gather(*(one.say(piece) for them in windows for one, piece in zip(them, words, strict=True)))
    await check(pair.site, ledger)
    asked = bot_turns(product, set(ledger.tokens))
    for conversation, turns in asked.items():
        seqs = [seq for turn in turns for seq in turn]
        assert sorted(seqs) == sorted(set(seqs)), f"{conversation}: asked twice: {turns}"


def bot_turns(product: Product, conversations: set[str]) -> dict[str, list[list[int]]]:
    """Return the messages of each turn that the bot remembers, by conversation."""
    engine = create_engine(f"sqlite:///{product.var / 'trackers.db'}")
    found: dict[str, list[list[int]]] = {}
    for conversation, data in rows(engine, "SELECT conversation, data FROM tracker_events WHERE type = 'user'"):
        if conversation in conversations:
            found.setdefault(conversation, []).append(json.loads(data)["metadata"]["seqs"])
    engine.dispose()
    return found


async def test_a_stopped_desk_ends_its_turns_and_says_so(product: Product, pair: Pair) -> None:
    """SIGTERM: running turns end, readers are answered at once, and it is over within the grace time."""
    ledger = Ledger()
    site = pair.second.site(product, pair.first)
    customers = [await Customer(site, ledger).begin() for _ in range(3)]
    stopping = None
    bot = product.pid("bot")
    assert bot is not None
    try:
        for customer in customers:
            await customer.say("你们发什么快递")
        freeze(bot)
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        stopping = asyncio.create_task(asyncio.to_thread(pair.second.signal, signal.SIGTERM))
        await asyncio.sleep(2)
        thaw(bot)
        await stopping
        assert asyncio.get_running_loop().time() - began < 20
        for customer in customers:
            customer.door.move(pair.first.url)
            await customer.read_until_answered(TAKEN_OVER_WITHIN)
    finally:
        thaw(bot)
        if stopping is not None:
            await stopping
            pair.second.launch()
    await wait_ready(pair.second)
    await check(pair.site, ledger)
