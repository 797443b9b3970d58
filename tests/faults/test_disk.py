"""The disk of the desk's database is full, its database is locked, and the bot's memory cannot be written."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.faults.disks import fill
from tests.faults.ledger import Ledger, Said, check
from tests.faults.people import Customer
from tests.faults.processes import Desk
from tests.faults.site import Site
from tests.product import Product

LIMIT_BYTES = 1024 * 1024
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(2 * 1024 * 1024)


async def test_a_full_disk_is_said_and_survived(product: Product, small_disk: Path) -> None:
    desk = Desk(product, small_disk / "var", DEMO="off").prepare()

    def full() -> Callable[[], None]:
        ballast = fill(small_disk)
        return ballast.unlink

    try:
        desk.start()
        await full_disk(desk, desk.site(product), full)
    finally:
        desk.destroy()


async def test_files_that_may_not_grow_are_said_and_survived(product: Product, tmp_path: Path) -> None:
    """The same by a limit on the desk's process, which needs no root."""
    desk = Desk(product, tmp_path / "var", DEMO="off").prepare()

    def full() -> Callable[[], None]:
        before = resource.prlimit(desk.pid, resource.RLIMIT_FSIZE, (LIMIT_BYTES, resource.RLIM_INFINITY))

        def make_room() -> None:
            resource.prlimit(desk.pid, resource.RLIMIT_FSIZE, before)

        return make_room

    try:
        desk.start()
        await full_disk(desk, desk.site(product), full)
    finally:
        desk.destroy()


async def full_disk(desk: Desk, site: Site, full: Callable[[], Callable[[], None]]) -> None:
    """Let nothing more fit during a talk; nothing is stored half, and all goes on by itself when there is space."""
    ledger = Ledger()
    customer = await Customer(site, ledger).begin()
    async with customer.reading(socket=True):
        await customer.answered(await customer.say("你好") or 0)
        make_room = full()
        refused = await until_refused(customer)
        assert refused.status_code == 503 and int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"]["code"] == "unavailable"
        picture = await customer.door.once(
            "POST", f"{customer.path}/messages", data={"client_id": "p1"}, files={"file": ("a.png", PICTURE)}
        )
        assert picture is not None and picture.status_code == 503
        assert not list((desk.var / "attachments").glob("*/*")), "half a picture is left"
        await asyncio.sleep(3)  # the caretaker's rounds fail and go on
        page = await customer.door.once("GET", f"{customer.path}/messages")
        assert page is not None and page.status_code == 200 and page.json()["messages"]
        make_room()
        await customer.say("谢谢")
        await check(site, ledger)


async def until_refused(customer: Customer) -> httpx.Response:
    """Write until the desk refuses: the database may have had some room of its own left."""
    for number in range(400):
        body = {"client_id": f"x{number}", "text": "满" * 3000}
        answer = await customer.door.once("POST", f"{customer.path}/messages", json=body)
        assert answer is not None
        if answer.status_code != 201:
            return answer
        customer.ledger.said.append(
            Said(customer.id, body["client_id"], "customer", body["text"], answer.json()["seq"])
        )
    raise AssertionError("never refused")


async def test_a_locked_database_is_said_and_survived(product: Product, tmp_path: Path) -> None:
    """Another program holds the write lock: writers hear 503, readers read on, and all goes on when it lets go."""
    desk = Desk(product, tmp_path / "var", DEMO="off").prepare()
    try:
        site, ledger = desk.start().site(product), Ledger()
        customer = await Customer(site, ledger).begin()
        async with customer.reading(socket=True):
            await customer.answered(await customer.say("你好") or 0)
            with contextlib.closing(sqlite3.connect(tmp_path / "var" / "desk.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                body = {"client_id": "l1", "text": "在吗"}
                refused = await customer.door.once("POST", f"{customer.path}/messages", json=body)
                assert refused is not None and refused.status_code == 503
                page = await customer.door.once("GET", f"{customer.path}/messages")
                assert page is not None and page.status_code == 200
                other.execute("ROLLBACK")
            await customer.answered(await customer.say("在吗") or 0)
        await check(site, ledger)
    finally:
        desk.destroy()


async def test_the_bot_cannot_remember(product: Product, site: Site) -> None:
    """The bot's memory is locked: customers get a person, and the bot answers again when it is free."""
    ledger = Ledger()
    customer, later = [await Customer(site, ledger).begin() for _ in range(2)]
    with contextlib.closing(sqlite3.connect(product.var / "trackers.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with customer.reading(socket=False):
            await customer.say("你们发什么快递")
            await customer.until(lambda one: one.owner == "queue" and bool(one.messages("system")))
            assert not customer.messages("bot")
        other.execute("ROLLBACK")
    async with later.reading(socket=False):
        await later.answered(await later.say("你们发什么快递") or 0)
        assert later.messages("bot")
    await check(site, ledger)
