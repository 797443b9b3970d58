"""The desk, really serving, on SQLite and (where it answers) PostgreSQL, beside a bot that obeys the test."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy.engine import make_url

from handoff.agents.groups import ensure_groups
from handoff.agents.login_guard import login_guard
from handoff.agents.models import Role
from handoff.agents.service import Agents
from handoff.desk import desk
from handoff.migrate import migrate
from handoff.settings import settings
from tests.handoff.servers import BOT_TOKEN, ScriptedBot, free_port, serving

POSTGRES = os.environ.get("JIELI_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
PASSWORD = "correct horse battery"


def _postgres_answers() -> bool:
    try:
        with psycopg.connect(POSTGRES, connect_timeout=2):
            return True
    except psycopg.Error:
        return False


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "desk.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    """A PostgreSQL database of its own, dropped afterwards; skips when no server answers on localhost."""
    if not _postgres_answers():
        pytest.skip("no PostgreSQL answers on localhost (JIELI_TEST_POSTGRES names another)")
    name = f"jieli_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = make_url(POSTGRES).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    migrate(url)
    yield url
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> str:
    """An empty, migrated database: each test runs on both kinds."""
    if request.param == "sqlite":
        shutil.copy(sqlite_template, tmp_path / "desk.db")
        return f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    url = str(request.getfixturevalue("postgres_database"))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        tables = connection.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchone()
        assert tables is not None
        connection.execute(f"TRUNCATE {tables[0]} RESTART IDENTITY CASCADE")
    return url


@pytest_asyncio.fixture
async def bot() -> AsyncIterator[ScriptedBot]:
    """A bot that echoes until a test tells it otherwise."""
    scripted = ScriptedBot()
    port = free_port()
    async with serving(scripted.app, port):
        scripted.url = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
        yield scripted


@dataclass
class Customer:
    """A customer of the running desk."""

    http: httpx.AsyncClient
    id: str
    token: str
    count: int = 0

    @property
    def path(self) -> str:
        """The conversation's address."""
        return f"/api/v1/conversations/{self.id}"

    @property
    def headers(self) -> dict[str, str]:
        """The bearer of this conversation."""
        return {"Authorization": f"Bearer {self.token}"}

    async def send(
        self, text: str | None = None, *, payload: str | None = None, client_id: str | None = None
    ) -> httpx.Response:
        """Say something."""
        self.count += 1
        body: dict[str, Any] = {"client_id": client_id or f"m{self.count}"}
        body |= {"text": text} if payload is None else {"payload": payload}
        return await self.http.post(f"{self.path}/messages", json=body, headers=self.headers)

    async def read(self, after: int = 0, wait: float = 0) -> dict[str, Any]:
        """Return messages, owner and place in line."""
        answer = await self.http.get(
            f"{self.path}/messages", params={"after": after, "wait": wait}, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until(self, count: int | None = None, *, owner: str | None = None, seconds: float = 10) -> dict[str, Any]:
        """Read until there are `count` messages or the owner is `owner`; fails after `seconds`."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            page = await self.read()
            enough = count is None or len(page["messages"]) >= count
            if enough and (owner is None or page["owner"] == owner):
                return page
            assert asyncio.get_running_loop().time() < deadline, page
            await asyncio.sleep(0.03)

    async def ask_for_person(self) -> httpx.Response:
        """Press 转人工."""
        return await self.http.post(f"{self.path}/handoff", headers=self.headers)


@dataclass
class Person:
    """A logged-in person at work."""

    http: httpx.AsyncClient
    id: str
    name: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """The bearer of this login."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def owner(self) -> str:
        """How conversations name this person."""
        return f"agent:{self.id}"

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Call the API."""
        return await self.http.get(f"/api/v1{path}", params=params, headers=self.headers)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        """Call the API."""
        return await self.http.post(f"/api/v1{path}", json=body, headers=self.headers)

    async def presence(self, status: str) -> httpx.Response:
        """Change presence."""
        return await self.http.put("/api/v1/agents/me/presence", json={"status": status}, headers=self.headers)

    async def queue(self) -> list[dict[str, Any]]:
        """Return the waiting line that this person sees."""
        return (await self.get("/queue")).json()["items"]

    async def claim(self, conversation: str) -> httpx.Response:
        """Claim the waiting handoff of a conversation."""
        handoff = next(item for item in await self.queue() if item["conversation_id"] == conversation)
        return await self.post(f"/handoffs/{handoff['id']}/claim")

    async def reply(self, conversation: str, text: str, client_id: str | None = None) -> httpx.Response:
        """Write to the customer."""
        return await self.post(
            f"/conversations/{conversation}/messages", {"client_id": client_id or uuid.uuid4().hex, "text": text}
        )


@dataclass
class RunningDesk:
    """The desk under test."""

    http: httpx.AsyncClient
    url: str
    bot: ScriptedBot
    app: Any
    people: dict[str, Person] = field(default_factory=dict)

    async def customer(self, **body: Any) -> Customer:
        """Open a conversation."""
        answer = await self.http.post("/api/v1/conversations", json=body)
        assert answer.status_code == 201, answer.text
        return Customer(self.http, answer.json()["id"], answer.json()["token"])

    async def person(
        self,
        name: str,
        role: str = "agent",
        groups: tuple[str, ...] = ("care", "tech", "orders"),
        capacity: int = 5,
        *,
        online: bool = True,
    ) -> Person:
        """Create an account and log it in."""
        async with desk.database.write() as session:
            await Agents(session).add(name, PASSWORD, Role(role), groups, capacity)
        answer = await self.http.post("/api/v1/agents/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        person = Person(self.http, answer.json()["agent"]["id"], name, answer.json()["token"])
        if online and role != "designer":
            assert (await person.presence("online")).status_code == 200
        self.people[name] = person
        return person

    async def with_agent(self, name: str = "lin") -> tuple[Customer, Person]:
        """Return a customer and the person who has claimed the conversation."""
        customer, person = await self.customer(), await self.person(name)
        await customer.send("你好")
        await customer.until(2)
        await customer.ask_for_person()
        assert (await person.claim(customer.id)).status_code == 200
        return customer, person


@pytest_asyncio.fixture
async def running(
    database_url: str, bot: ScriptedBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningDesk]:
    """The desk, serving on a free port with its groups seeded."""
    from handoff.app import create_app

    values = {
        "database_url": database_url,
        "jieli_var": tmp_path,
        "bot_urls": [bot.url],
        "bot_token": BOT_TOKEN,  # type: ignore[attr-defined]
        "limit_messages": "off",
        "limit_conversations": "off",
        "turn_pause": 0.02,
        "bot_timeout": 2.0,
        "identity_secret": "identity-secret-of-the-tests-32-bytes",
        "secret_key": "secret-key-of-the-tests",
        "demo": True,
    }
    for name, value in values.items():
        monkeypatch.setattr(settings, name, value)
    login_guard.__init__()  # type: ignore[misc]
    app = create_app(pages=False)
    async with desk.database.write() as session:
        await ensure_groups(session)
    async with serving(app, free_port()) as url, httpx.AsyncClient(base_url=url, timeout=40, trust_env=False) as http:
        yield RunningDesk(http, url, bot, app)
