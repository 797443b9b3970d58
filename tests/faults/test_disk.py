"""The disk of the desk's database is full, its database is locked, and the bot's memory cannot be written."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.ledger import Ledger, check
from tests.faults.people import Customer
from tests.faults.processes import Desk
from tests.faults.site import Site
from tests.product import Product

DISK_BYTES = 6 * 1024 * 1024
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(2 * 1024 * 1024)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of a few megabytes (needs root); skips with the reason where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.getuid() != 0 or mount is None or unmount is None:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([unmount, "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until nothing more fits; returns the file to remove for space."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    assert shutil.disk_usage(folder).free < 4096
    return ballast


async def test_a_full_disk_is_said_and_survived(product: Product, small_disk: Path) -> None:
    desk = Desk(product, small_disk / "var", DEMO="off").prepare()
    try:
        desk.start()
        await full_disk(desk.site(product), small_disk)
    finally:
        desk.destroy()


async def full_disk(site: Site, disk: Path) -> None:
    """Fill the disk under a talk; nothing is stored half, and all goes on by itself when there is space."""
    ledger = Ledger()
    customer = await Customer(site, ledger).begin()
    async with customer.reading(socket=True):
        await customer.answered(await customer.say("你好") or 0)
        ballast = fill(disk)
        refused = await until_refused(customer)
        assert refused.status_code == 503 and int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"]["code"] == "unavailable"
        before = customer.poll.seq
        picture = await customer.door.once(
            "POST", f"{customer.path}/messages", data={"client_id": "p1"}, files={"file": ("a.png", PICTURE)}
        )
        assert picture is not None and picture.status_code == 503
        assert not list((disk / "var" / "attachments").glob("*/*")), "half a picture is left"
        await asyncio.sleep(3)  # the caretaker's rounds fail and go on
        page = await customer.door.once("GET", f"{customer.path}/messages")
        assert page is not None and page.status_code == 200 and len(page.json()["messages"]) == before
        ballast.unlink()
        await customer.answered(await customer.say("谢谢") or 0)
        await check(site, ledger)


async def until_refused(customer: Customer) -> httpx.Response:
    """Write until the desk refuses: the database may have had some room of its own left."""
    for number in range(400):
        body = {"client_id": f"x{number}", "text": "满" * 3000}
        answer = await customer.door.once("POST", f"{customer.path}/messages", json=body)
        assert answer is not None
        if answer.status_code != 201:
            return answer
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
