"""A freshly filled shop for each test, called over HTTP in process, with a clock that the test moves."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from examples.shop import identity
from examples.shop.app import create_app
from examples.shop.database import Database
from examples.shop.models import Order, Status
from examples.shop.seed import open_database
from examples.shop.settings import Fault, Settings

NOW = datetime(2026, 3, 11, 4, 0, tzinfo=UTC)  # Wednesday noon in China
TOKEN = "token-of-the-shop"
SECRET = "secret-that-the-desk-and-the-shop-share"


@dataclass
class MovableClock:
    """A clock that stands still until told otherwise."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Shop:
    """The shop as its callers see it."""

    client: httpx.AsyncClient
    clock: MovableClock
    database: Path
    orders: list[dict[str, str]]
    _keys: Any = field(default_factory=count)

    def order(self, status: str, index: int = 0) -> dict[str, str]:
        """A seeded order in this state: number, phone_last4, customer."""
        return [order for order in self.orders if order["status"] == status][index]

    def token(self, customer: str, name: str = "", secret: str = SECRET) -> str:
        return identity.sign(customer, name, secret, self.clock())

    async def lookup(self, order: dict[str, str], **changes: str) -> httpx.Response:
        body = {"number": order["number"], "phone_last4": order["phone_last4"]} | changes
        return await self.client.post("/orders/lookup", json=body)

    async def act(self, action: str, order: dict[str, str], key: str | None = None, **body: Any) -> httpx.Response:
        """Call an action with the order's own proof and sensible contents, unless told otherwise."""
        contents: dict[str, dict[str, Any]] = {
            "cancel": {},
            "address": {"recipient": "林小满", "phone": "13900001234", "address": "南京市鼓楼区汉口路 22 号 3 栋 501"},
            "invoice": {"title": "林小满"},
            "return": {"kind": "return", "reason": "大小不合适"},
        }
        proof = {} if "customer_token" in body else {"phone_last4": order["phone_last4"]}
        headers = {"Idempotency-Key": key or f"key-{next(self._keys)}"}
        return await self.client.post(
            f"/orders/{order['number']}/{action}", json=contents[action] | proof | body, headers=headers
        )


@pytest.fixture(scope="session")
def filled_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the first start leaves it."""
    path = tmp_path_factory.mktemp("shop") / "filled.db"
    open_database(path, NOW).close()
    return path


OpenShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def open_shop(filled_database: Path, tmp_path: Path) -> AsyncIterator[OpenShop]:
    """Opens a shop on a copy of the filled database, with faults or without a secret when asked."""
    opened: list[tuple[httpx.AsyncClient, Database]] = []

    async def open_(faults: frozenset[Fault] = frozenset(), secret: str | None = SECRET) -> Shop:
        path = tmp_path / f"shop-{len(opened)}.db"
        shutil.copy(filled_database, path)
        clock = MovableClock()
        app = create_app(Settings(path, TOKEN, secret, faults), clock)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://shop",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        opened.append((client, app.state.database))
        return Shop(client, clock, path, _orders(path))

    yield open_
    for client, database in opened:
        await client.aclose()
        database.close()


@pytest.fixture
async def shop(open_shop: OpenShop) -> Shop:
    """A shop without faults."""
    return await open_shop()


def _orders(path: Path) -> list[dict[str, str]]:
    database = open_database(path, NOW)
    with database.reading() as session:
        found = session.scalars(select(Order).order_by(Order.placed_at.desc())).unique()
        orders = [
            {
                "number": o.number,
                "phone_last4": o.recipient_phone[-4:],
                "status": Status(o.status),
                "customer": o.customer_id,
            }
            for o in found
        ]
    database.close()
    return orders
