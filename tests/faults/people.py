"""Customers and agents at work through the public API, who try again as the widget does and never twice."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import socketio

from tests.faults.ledger import Ledger, Reader, Said
from tests.faults.site import Site

CALL_SECONDS = 20.0
GIVE_UP = 120.0
FINAL = {400, 401, 403, 404, 405, 409, 413, 415, 422}


class Door:
    """Calls one of several desks, another one after a failure; says what the desk finally answered."""

    def __init__(
        self, urls: tuple[str, ...], ledger: Ledger, first: int = 0, headers: dict[str, str] | None = None
    ) -> None:
        self._urls, self._ledger, self._at = urls, ledger, first
        self._http = httpx.AsyncClient(trust_env=False, timeout=CALL_SECONDS, headers=headers)
        self.headers = self._http.headers

    @property
    def url(self) -> str:
        """The desk that is used now."""
        return self._urls[self._at % len(self._urls)]

    def next(self) -> None:
        """Use the next desk from now on."""
        self._at += 1

    def move(self, url: str) -> None:
        """Use only this desk from now on."""
        self._urls = (url,)

    async def once(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """Call; None when nobody answered. A refusal for a while must say when to come again."""
        try:
            answer = await self._http.request(method, f"{self.url}/api/v1{path}", **options)
        except httpx.HTTPError as error:
            self._ledger.refusals[type(error).__name__] += 1
            self.next()
            return None
        if answer.status_code >= 400:
            self._ledger.refusals[str(answer.status_code)] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self._ledger.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self._ledger.wrong.append(f"{method} {path}: 503 without Retry-After")
        return answer

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call again and again until the desk accepts or finally refuses."""
        deadline = time.monotonic() + GIVE_UP
        while True:
            answer = await self.once(method, path, **options)
            if answer is not None and (answer.is_success or answer.status_code in FINAL):
                return answer
            assert time.monotonic() < deadline, f"{method} {path}: refused for {GIVE_UP:.0f} s"
            await asyncio.sleep(0.3)

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()


class Customer:
    """A customer with one conversation, who reads by long polls and, with `socket`, over Socket.IO too."""

    def __init__(self, site: Site, ledger: Ledger, first: int = 0) -> None:
        self.ledger, self.door = ledger, Door(site.urls, ledger, first)
        self.id = self.token = ""
        self.owner = "bot"
        self.poll = self.wire = Reader("", "")

    async def begin(self, **body: Any) -> Customer:
        """Open the conversation."""
        answer = (await self.door.call("POST", "/conversations", json={"language": "zh", **body})).json()
        self.id, self.token = answer["id"], answer["token"]
        self.door.headers["Authorization"] = f"Bearer {self.token}"
        self.ledger.tokens[self.id] = self.token
        return self

    def same_as(self, other: Customer) -> Customer:
        """Become another window of the same conversation."""
        self.id, self.token = other.id, other.token
        self.door.headers["Authorization"] = f"Bearer {self.token}"
        return self

    @property
    def path(self) -> str:
        """The conversation's address."""
        return f"/conversations/{self.id}"

    async def say(self, words: str | None = None, *, payload: str | None = None) -> int | None:
        """Send a message until it is acknowledged; returns its number, None when a button was no longer open."""
        client_id = uuid.uuid4().hex
        body = {"client_id": client_id, **({"text": words} if payload is None else {"payload": payload})}
        answer = await self.door.call("POST", f"{self.path}/messages", json=body)
        if answer.status_code == 409:
            return None
        assert answer.is_success, answer.text
        seq = answer.json()["seq"]
        self.ledger.said.append(Said(self.id, client_id, "customer", words, seq))
        return seq

    async def ask_for_person(self) -> None:
        """Press 转人工 until somebody has noted it."""
        asked = time.monotonic()
        answer = await self.door.call("POST", f"{self.path}/handoff")
        if answer.status_code == 202:
            self.ledger.joined[self.id] = (asked, time.monotonic())

    @asynccontextmanager
    async def reading(self, *, socket: bool) -> AsyncIterator[None]:
        """Read while the block runs."""
        work = [asyncio.create_task(self._read())]
        if socket:
            work.append(asyncio.create_task(self._listen()))
        try:
            yield
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _read(self) -> None:
        self.poll = Reader(self.id, "long poll")
        self.ledger.readers.append(self.poll)
        while True:
            answer = await self.door.once("GET", f"{self.path}/messages", params={"after": self.poll.seq, "wait": 10})
            if answer is None or not answer.is_success:
                await asyncio.sleep(0.3)
                continue
            for message in answer.json()["messages"]:
                self.poll.take(message)
            self.owner = answer.json()["owner"]

    async def _listen(self) -> None:
        self.wire = Reader(self.id, "socket")
        self.ledger.readers.append(self.wire)
        await listen(
            self.door,
            "/jieli",
            lambda: {"conversation": self.id, "token": self.token, "after": self.wire.seq},
            {"message": self.wire.take},
        )

    def messages(self, *senders: str) -> list[dict[str, Any]]:
        """Return what the long poll has seen of these senders."""
        return [message for message in self.poll.seen if message["sender"] in senders]

    async def until(self, done: Callable[[Customer], bool], seconds: float = GIVE_UP) -> None:
        """Wait until `done`; fails after `seconds` with what was read."""
        deadline = time.monotonic() + seconds
        while not done(self):
            assert time.monotonic() < deadline, f"{self.id}: not within {seconds:.0f} s: {self.poll.seen}"
            await asyncio.sleep(0.05)

    async def read_until_answered(self, seconds: float) -> None:
        """Read from the beginning until everything said so far is answered; fails after `seconds`."""
        async with self.reading(socket=False):
            await self.until(lambda one: bool(one.poll.seen) and one.poll.seen[-1]["sender"] != "customer", seconds)

    async def answered(self, seq: int, seconds: float = GIVE_UP) -> None:
        """Wait until bot, desk or agent has said something after `seq`, or a person is to answer."""
        await self.until(
            lambda one: one.owner != "bot" or any(m["seq"] > seq for m in one.messages("bot", "system", "agent")),
            seconds,
        )

    def button(self, part: str) -> str | None:
        """Return the payload of the last offered button whose payload contains `part`."""
        for message in reversed(self.poll.seen):
            for button in message["buttons"] or []:
                if part in button["payload"]:
                    return str(button["payload"])
        return None


async def listen(
    door: Door, namespace: str, auth: Callable[[], dict[str, Any]], handlers: dict[str, Callable[[Any], Any]]
) -> None:
    """Keep a socket open until cancelled, connecting anew after every loss as the widget does."""
    while True:
        client = socketio.AsyncClient(reconnection=False)
        gone = asyncio.Event()
        for event, handler in handlers.items():
            client.on(event, handler, namespace=namespace)
        client.on("disconnect", _setter(gone), namespace=namespace)
        try:
            await client.connect(
                door.url, auth=auth(), namespaces=[namespace], transports=["websocket"], wait_timeout=10
            )
            await gone.wait()
        except socketio.exceptions.ConnectionError:
            await asyncio.sleep(0.5)
        finally:
            with contextlib.suppress(Exception):
                await client.disconnect()


def _setter(event: asyncio.Event) -> Callable[..., None]:
    return lambda *_: event.set()


class Agent:
    """A person at work who claims, replies and resolves."""

    def __init__(self, site: Site, ledger: Ledger, login: dict[str, str], first: int = 0) -> None:
        self.ledger, self.login = ledger, login
        self.door = Door(site.urls, ledger, first)
        self.id = ""

    async def begin(self) -> Agent:
        """Log in and go on duty."""
        body = {"name": self.login["name"], "password": self.login["password"]}
        answer = await self.door.call("POST", "/agents/login", json=body)
        assert answer.is_success, answer.text
        self.id = answer.json()["agent"]["id"]
        self.door.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        assert (await self.door.call("PUT", "/agents/me/presence", json={"status": "online"})).is_success
        return self

    async def queue(self) -> list[dict[str, Any]]:
        """Return the waiting line."""
        answer = await self.door.call("GET", "/queue")
        return answer.json()["items"]

    async def claim(self, handoff: str) -> str | None:
        """Claim; returns the conversation when it is now this agent's."""
        answer = await self.door.call("POST", f"/handoffs/{handoff}/claim")
        if answer.is_success:
            return str(answer.json()["id"])
        owner = answer.json()["error"].get("details", {}).get("by")
        if owner == self.login["name"]:  # the first try had worked, and its answer was lost
            return await self._conversation_of(handoff)
        return None

    async def _conversation_of(self, handoff: str) -> str | None:
        answer = await self.door.call("GET", "/conversations", params={"owner": "me"})
        for item in answer.json()["items"]:
            detail = (await self.door.call("GET", f"/conversations/{item['id']}")).json()
            if (detail.get("handoff") or {}).get("id") == handoff:
                return str(item["id"])
        return None

    async def reply(self, conversation: str, words: str) -> bool:
        """Write to the customer until it is acknowledged; False when the conversation is no longer this agent's."""
        client_id = uuid.uuid4().hex
        body = {"client_id": client_id, "text": words}
        answer = await self.door.call("POST", f"/conversations/{conversation}/messages", json=body)
        if not answer.is_success:
            return False
        self.ledger.said.append(Said(conversation, client_id, "agent", words, answer.json()["seq"]))
        return True

    async def resolve(self, conversation: str) -> None:
        """Close the conversation."""
        await self.door.call("POST", f"/conversations/{conversation}/resolve", json={"outcome": "solved"})

    async def work(self, chance: random.Random) -> None:
        """Serve the line until cancelled."""
        while True:
            line = await self.queue()
            conversation = await self.claim(line[0]["id"]) if line else None
            if conversation is None:
                await asyncio.sleep(0.5)
                continue
            for number in range(chance.randint(1, 3)):
                if not await self.reply(conversation, f"这里是{self.login['name']}，为您处理 {number}"):
                    break
                await asyncio.sleep(chance.uniform(0.2, 1.0))
            await self.resolve(conversation)
