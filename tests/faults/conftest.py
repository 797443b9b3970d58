"""One running product that all faults strike, and desks on PostgreSQL and Redis beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.disks import mounted_disk
from tests.faults.processes import Desk, Postgres, Redis, postgres_cluster, redis_server
from tests.faults.site import Site, site_of
from tests.faults.wire import Wire, wire_to
from tests.product import Product

SLOW_START_SECONDS = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the async tests here in one event loop, which the wires live in; give slow machines time."""
    one_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        if pytest_asyncio.is_async_test(item):
            item.add_marker(one_loop, append=False)
        item.add_marker(pytest.mark.timeout(SLOW_START_SECONDS), append=True)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product that all faults strike; who breaks a part of it waits until it is whole."""
    running = Product(tmp_path_factory.mktemp("product"))
    try:
        yield running.start()
    finally:
        running.destroy()


@pytest.fixture
def site(product: Product) -> Site:
    """The product's own site."""
    return site_of(product)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounted_disk(folder) as disk:
        yield disk


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL cluster of the tests' own."""
    with postgres_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis of the tests' own."""
    with redis_server() as server:
        yield server


@dataclass
class Pair:
    """Two desks on one PostgreSQL and one Redis, with a wire that can be cut on every line of the first one."""

    first: Desk
    second: Desk
    postgres: Postgres
    redis: Redis
    to_postgres: Wire
    to_redis: Wire
    to_bot: Wire
    site: Site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pair(
    product: Product, postgres: Postgres, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pair]:
    """The two desks, serving."""
    async with AsyncExitStack() as stack:
        to_postgres, to_redis, to_bot = [
            await stack.enter_async_context(wire_to(port)) for port in (postgres.port, redis.port, product.ports["bot"])
        ]
        address = postgres.database("jieli")
        folder = tmp_path_factory.mktemp("pair")
        second = Desk(product, folder / "second", DATABASE_URL=address, REDIS_URL=redis.url, DEMO="off").prepare()
        first = Desk(
            product,
            folder / "first",
            DEMO="off",
            DATABASE_URL=address.replace(f":{postgres.port}/", f":{to_postgres.port}/"),
            REDIS_URL=redis.url.replace(f":{redis.port}/", f":{to_redis.port}/"),
            BOT_URLS=f"http://127.0.0.1:{to_bot.port}",
        )
        for desk in (first, second):
            stack.callback(desk.destroy)
            desk.launch()
        for desk in (first, second):
            await wait_ready(desk)
        yield Pair(first, second, postgres, redis, to_postgres, to_redis, to_bot, second.site(product, first))


async def wait_ready(desk: Desk) -> None:
    """Wait until a desk serves, while the wires of this event loop carry."""
    for _ in range(600):
        if await asyncio.to_thread(desk.is_ready):
            return
        await asyncio.sleep(0.2)
    pytest.fail(f"the desk did not get ready; see {desk.log_path}")
