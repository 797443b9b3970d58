"""A backup is taken under load, the installation is destroyed, and everything acknowledged before comes back."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
from pathlib import Path

import httpx
import pytest

from tests.faults.ledger import Ledger, Said, check
from tests.faults.load import under_load
from tests.faults.people import Customer
from tests.faults.processes import Desk, Postgres
from tests.product import Product

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(3000)


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, product: Product, tmp_path: Path) -> Desk:
    """A desk of its own on each kind of database; the test starts and ends it."""
    settings = {"DEMO": "off"}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings |= {"DATABASE_URL": postgres.database("backup"), "PATH": f"{postgres.programs}:{os.environ['PATH']}"}
    return Desk(product, tmp_path / "var", **settings).prepare()


async def send_picture(customer: Customer) -> None:
    """Send a file and note it as acknowledged."""
    answer = await customer.door.call(
        "POST", f"{customer.path}/messages", data={"client_id": "p1"}, files={"file": ("a.png", PICTURE)}
    )
    assert answer.status_code == 201, answer.text
    customer.ledger.said.append(Said(customer.id, "p1", "customer", "", answer.json()["seq"]))


async def test_backup_under_load_destroy_restore(
    product: Product, tmp_path: Path, desk: Desk, postgres_again: str
) -> None:
    site, folder = desk.site(product), tmp_path / "backup"
    before = Ledger()
    try:
        desk.start()
        customers = [await Customer(site, before).begin() for _ in range(3)]
        await send_picture(customers[0])
        for customer in customers:
            async with customer.reading(socket=False):
                await customer.answered(await customer.say("你们发什么快递") or 0)
        await customers[1].ask_for_person()
        before.readers.clear()
        kept = desk.var / "secrets.env"
        kept.write_text(f"SECRET_KEY={desk.environment['SECRET_KEY']}\n", "utf-8")

        async def take() -> None:
            done = await asyncio.to_thread(desk.run, "jieli", "backup", str(folder), LC_ALL="C")
            assert done.returncode == 0, done.stderr
            assert "Backed up and checked" in done.stdout

        await under_load(site, product, take, check, customers=4)
        refused = await asyncio.to_thread(desk.run, "jieli", "restore", str(folder), LC_ALL="C")
        assert refused.returncode == 1 and "still runs" in refused.stderr
    finally:
        desk.destroy()
    look_at(folder, desk)

    shutil.rmtree(desk.var)
    if postgres_again:
        desk.environment["DATABASE_URL"] = postgres_again
    done = desk.run("jieli", "restore", str(folder), LC_ALL="C")
    assert done.returncode == 0, done.stderr
    again = desk.run("jieli", "restore", str(folder), LC_ALL="C")
    assert again.returncode == 1 and "--replace" in again.stderr, "what is there is not overwritten unasked"
    try:
        desk.start()
        await check(desk.site(product), before)
        page = (await customers[0].door.call("GET", f"{customers[0].path}/messages")).json()
        (attachment,) = [message["attachment"] for message in page["messages"] if message["attachment"]]
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(desk.url + attachment["url"])).content == PICTURE
        async with customers[2].reading(socket=True):  # tokens and talks go on
            await customers[2].answered(await customers[2].say("谢谢") or 0)
    finally:
        desk.destroy()


@pytest.fixture
def postgres_again(request: pytest.FixtureRequest, desk: Desk) -> str:
    """An empty database to restore into; empty text on SQLite."""
    if "DATABASE_URL" not in desk.environment:
        return ""
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.database("restored")


def look_at(folder: Path, desk: Desk) -> None:
    """The backup is private and complete, and a changed or half one is refused."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["rows"]["messages"] > 0 and "secrets.env" in manifest["files"]
    assert not [path for path in folder.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077]
    copied = shutil.copytree(folder, folder.with_name("changed"))
    (copied / "secrets.env").write_text("SECRET_KEY=other\n", "utf-8")
    changed = desk.run("jieli", "restore", str(copied), LC_ALL="C")
    assert changed.returncode == 1 and "was changed" in changed.stderr
    taken = desk.run("jieli", "backup", str(folder), LC_ALL="C")
    assert taken.returncode == 1 and "not empty" in taken.stderr


def test_postgres_without_its_programs_is_explained(product: Product, tmp_path: Path, postgres: Postgres) -> None:
    desk = Desk(product, tmp_path / "var", DEMO="off", DATABASE_URL=postgres.database("bare")).prepare()
    done = desk.run("jieli", "backup", str(tmp_path / "backup"), LC_ALL="C", PATH=str(tmp_path))
    assert done.returncode == 1 and "pg_dump is missing" in done.stderr
    assert not (tmp_path / "backup").exists() and not list(tmp_path.glob(".backup*"))
