"""Logins in an attacker's hands: guessing, tokens that should have ended, and accounts that are shut."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from sqlalchemy import select

from handoff.agents import login_guard as guarding
from handoff.agents.login_guard import LoginGuard
from handoff.agents.models import Agent, AgentSession
from handoff.agents.passwords import WeakPassword, hashed, matches, require_strong
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.identifiers import hash_token
from tests.handoff.attackers import SQLITE
from tests.handoff.conftest import PASSWORD, RunningDesk
from tests.handoff.wires import wired

LOGIN = "/api/v1/agents/login"
ROOT = Path(__file__).resolve().parents[2]


@SQLITE
async def test_what_is_kept_of_passwords_and_logins(running: RunningDesk) -> None:
    person = await running.person("lin")
    async with desk.database.read() as session:
        kept = (await session.get_one(Agent, person.id)).password_hash
        sessions = list(await session.scalars(select(AgentSession.token_hash)))
    strength = extract_parameters(kept)
    assert strength.type is Type.ID and strength.memory_cost >= 64 * 1024 and strength.time_cost >= 3
    assert PASSWORD not in kept and person.token not in sessions and hash_token(person.token) in sessions


@SQLITE
async def test_a_name_that_does_not_exist_gets_the_same_answer(running: RunningDesk) -> None:
    await running.person("lin")
    wrong = await running.http.post(LOGIN, json={"name": "lin", "password": "x"})
    unknown = await running.http.post(LOGIN, json={"name": "nobody", "password": "x"})
    assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
    for name in ("LIN", "lin ", "lin\x00", "' OR 1=1 --", "lin%", "ｌｉｎ"):
        answer = await running.http.post(LOGIN, json={"name": name, "password": PASSWORD})
        assert answer.status_code in {401, 422}, name


async def test_no_account_and_no_password_are_checked_as_long_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = PasswordHasher.verify

    def spy(hasher: PasswordHasher, stored: str, password: str) -> bool:
        checked.append(stored)
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", spy)
    assert await matches(await hashed("right"), "right") is True
    assert [await matches(one, "nobody has this password") for one in (None, "!", "")] == [False] * 3
    assert len(checked) == 4 and all(extract_parameters(one) == extract_parameters(checked[0]) for one in checked)


class TestGuard:
    async def test_many_names_from_one_address_wait_in_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guarding, "SHORT_WAIT", 0.05)
        guard = LoginGuard()
        for number in range(guarding.FREE_OF_ONE_KIND):
            guard.failed(f"name{number}", "203.0.113.1")
        running, most = 0, 0

        async def attempt(name: str, address: str) -> None:
            nonlocal running, most
            async with guard.one_at_a_time(name, address):
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.01)
                running -= 1

        await asyncio.gather(*[attempt(f"other{number}", "203.0.113.1") for number in range(10)])
        assert most == 1
        with pytest.raises(ExceptionGroup) as flood:
            async with asyncio.TaskGroup() as burst:
                for number in range(200):
                    burst.create_task(attempt(f"flood{number}", "203.0.113.1"))
        assert all(isinstance(error, ApiError) and error.status == 429 for error in flood.value.exceptions)
        await asyncio.gather(*[attempt(f"honest{number}", f"198.51.100.{number}") for number in range(3)])
        assert most > 1

    async def test_one_name_from_many_addresses_is_slowed_and_never_locked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        monkeypatch.setattr(guarding.asyncio, "sleep", sleep)
        guard = LoginGuard()
        for number in range(1000):
            guard.failed("lin", f"203.0.{number // 250}.{number % 250}")
        async with guard.one_at_a_time("lin", "198.51.100.1"):
            pass
        assert waits == [guarding.SHORT_WAIT]
        async with guard.one_at_a_time("mei", "198.51.100.1"):
            pass
        assert len(waits) == 1

    def test_names_and_addresses_without_end_take_no_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guarding, "MOST_REMEMBERED", 1000)
        guard = LoginGuard()
        for number in range(3000):
            guard.failed(f"name{number}", f"address{number}")
        assert len(guard._failures) <= 1003


@SQLITE
async def test_logging_out_ends_tokens_and_sockets(running: RunningDesk) -> None:
    person = await running.person("lin")
    async with wired(running.url, "/agents", {"token": person.token}) as wire:
        await wire.until(lambda: bool(wire.all("queue")))
        await running.http.post("/api/v1/agents/logout", headers=person.headers)
        await asyncio.wait_for(wire.gone.wait(), 8)
    assert (await person.get("/queue")).status_code == 401


@SQLITE
async def test_a_new_password_and_a_shut_account_end_every_login(running: RunningDesk) -> None:
    customer, person = await running.with_agent()
    second = await running.http.post(LOGIN, json={"name": "lin", "password": PASSWORD})
    tokens = [person.token, second.json()["token"]]
    command(running, "password", "lin", "a new one for lin")
    assert [await status(running, token) for token in tokens] == [401, 401]
    assert (await running.http.post(LOGIN, json={"name": "lin", "password": PASSWORD})).status_code == 401
    again = await running.http.post(LOGIN, json={"name": "lin", "password": "a new one for lin"})
    assert again.status_code == 200
    command(running, "disable", "lin", "")
    assert await status(running, again.json()["token"]) == 401
    assert (await running.http.post(LOGIN, json={"name": "lin", "password": "a new one for lin"})).status_code == 401
    assert (await customer.read())["owner"] == "queue"


async def status(running: RunningDesk, token: str) -> int:
    """Use a login."""
    return (await running.http.get("/api/v1/queue", headers={"Authorization": f"Bearer {token}"})).status_code


def command(running: RunningDesk, what: str, name: str, password: str, fails: bool = False) -> str:
    """Run `jieli agent ...` on the desk's database."""
    environment = {**os.environ, "DATABASE_URL": str(desk.database.engine.url), "JIELI_ENV_FILE": os.devnull}
    words = [sys.executable, "-c", "from handoff.cli import app; app()", "agent", what, name]
    done = subprocess.run(
        words, input=f"{password}\n", text=True, capture_output=True, cwd=ROOT, env=environment, timeout=60
    )
    assert (done.returncode != 0) is fails, done.stderr
    assert not password or password not in done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "password",
    ["short", "password", "Password1", "12345678", "88888888", "aaaaaaaab", "lin12345", "LIN2024!", "woaini1314"],
)
def test_passwords_that_everybody_tries_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        require_strong("lin", password)


@pytest.mark.parametrize("password", ["correct horse battery", "蓝色的自行车在楼下", "x7#kQ2!pL"])
def test_other_passwords_are_taken(password: str) -> None:
    require_strong("lin", password)
