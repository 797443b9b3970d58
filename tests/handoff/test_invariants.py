"""The six promises of ownership, under many writers at once in random order.

`JIELI_TEST_SEED` repeats a run; the seed stands in the output of a failure.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi.responses import JSONResponse
from sqlalchemy import select

from handoff.conversations.models import Conversation, Message, OwnershipEvent, Sender
from handoff.desk import desk
from handoff.queue.models import OPEN_STATES, Handoff, Reason
from handoff.settings import settings
from tests.handoff.conftest import Customer, Person, RunningDesk
from tests.handoff.servers import answer

PAYLOADS = {"buttons": [{"title": "查订单", "payload": "/track_order"}, {"title": "人工", "payload": "/request_human"}]}
ECHO = "re "  # how the scripted bot begins each answer
Step = Callable[[], Awaitable[Any]]


@pytest.fixture
def dice() -> random.Random:
    """Chance that can be repeated."""
    seed = int(os.environ.get("JIELI_TEST_SEED", random.SystemRandom().randrange(2**32)))
    print(f"JIELI_TEST_SEED={seed}")
    return random.Random(seed)


class Bot:
    """Answers now, late, wrongly, with buttons, with a handoff, or not at all; remembers what it was asked."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.asked: list[tuple[str, str]] = []

    async def behave(self, body: dict[str, Any]) -> Any:
        """Answer one turn."""
        self.asked.append((body["conversation"], body["turn_id"]))
        mood = self.dice.random()
        if mood < 0.08:
            return JSONResponse({"error": {"code": "action_failed"}}, 502)
        if mood < 0.14:
            await asyncio.sleep(settings.bot_timeout + 0.3)
        else:
            await asyncio.sleep(self.dice.uniform(0, 0.25))
        said = answer(f"{ECHO}{body['turn_id']}", body=body)
        if mood > 0.85:
            said["handoff"] = {"reason": "complex", "group": self.dice.choice(["care", "tech", "orders"])}
        elif mood > 0.6:
            said["messages"][0] |= PAYLOADS
        return said


class Crowd:
    """Customers and people at work who do whatever comes to their mind, each request with an id of its own."""

    def __init__(self, running: RunningDesk, dice: random.Random) -> None:
        self.running, self.dice = running, dice
        self.acknowledged: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
        self.unexpected: list[tuple[str, int, str]] = []

    def check(self, what: str, reply: httpx.Response, allowed: set[int]) -> bool:
        """Note an answer that nothing explains."""
        if reply.status_code not in allowed:
            self.unexpected.append((what, reply.status_code, reply.text[:200]))
        return reply.status_code < 300

    async def customer_lives(self, customer: Customer, steps: int) -> None:
        """Speak, press, ask for a person, give up, repeat a request whose answer was lost."""
        for number in range(steps):
            await asyncio.sleep(self.dice.uniform(0, 0.12))
            wish = self.dice.random()
            if wish < 0.6:
                client_id, words = f"{customer.id}-{number}", f"说 {number}"
                for _ in range(1 + (self.dice.random() < 0.3)):
                    reply = await customer.send(words, client_id=client_id)
                    if self.check("send", reply, {200, 201}):
                        self.acknowledged[customer.id].append((client_id, words, reply.json()["seq"]))
            elif wish < 0.72:
                payload = self.dice.choice(["/track_order", "/request_human", "/cancel_handoff"])
                self.check("press", await customer.send(payload=payload, client_id=uuid.uuid4().hex), {201, 409})
            elif wish < 0.88:
                self.check("ask", await customer.ask_for_person(), {200, 202, 409})
            else:
                gone = await customer.http.delete(f"{customer.path}/handoff", headers=customer.headers)
                self.check("give up", gone, {200, 409})

    async def person_works(self, person: Person, everybody: list[str], colleagues: list[str], steps: int) -> None:
        """Claim, reply, release, resolve, transfer, take over, have a break."""
        for number in range(steps):
            await asyncio.sleep(self.dice.uniform(0, 0.15))
            line = await person.get("/queue")
            for item in line.json()["items"][:2]:
                self.check("claim", await person.post(f"/handoffs/{item['id']}/claim"), {200, 403, 409})
            conversation = self.dice.choice(everybody)
            wish = self.dice.random()
            if wish < 0.35:
                reply = await person.reply(conversation, f"{person.name} {number}", client_id=f"{person.id}-{number}")
                self.check("reply", reply, {201, 403, 409})
            elif wish < 0.9:
                path, body = self.dice.choice(
                    [
                        ("release", None),
                        ("resolve", {"outcome": "solved"}),
                        ("transfer", {"group": self.dice.choice(["care", "tech"]), "note": "看一下"}),
                        ("transfer", {"agent": self.dice.choice(colleagues), "note": "看一下"}),
                        ("take-over", None),
                    ]
                )
                answered = await person.post(f"/conversations/{conversation}/{path}", body)
                self.check(path, answered, {200, 403, 409})
            else:
                self.check("break", await person.presence("break"), {200})
                self.check("back", await person.presence("online"), {200})


async def rows(model: Any, *order: Any) -> list[Any]:
    """Return a whole table."""
    async with desk.database.read() as session:
        return list(await session.scalars(select(model).order_by(*order)))


async def settled(customers: list[Customer], seconds: float = 30) -> None:
    """Wait until no bot owes an answer any more."""
    deadline = time.monotonic() + seconds
    while True:
        async with desk.database.read() as session:
            owing = list(
                await session.scalars(
                    select(Conversation.id).where(
                        Conversation.owner == "bot", Conversation.last_customer_seq > Conversation.answered_seq
                    )
                )
            )
        if not owing and not any(desk.turns.is_running(customer.id) for customer in customers):
            return
        assert time.monotonic() < deadline, owing
        await asyncio.sleep(0.05)


@pytest.fixture
async def aftermath(
    running: RunningDesk, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> tuple[Crowd, Bot, list[Customer]]:
    """A stormy while, over: every writer at once, and everybody at rest again."""
    monkeypatch.setattr(settings, "bot_timeout", 0.8)
    bot, crowd = Bot(dice), Crowd(running, dice)
    running.bot.behave = bot.behave
    customers = [await running.customer() for _ in range(6)]
    people = [await running.person(f"agent{number}", capacity=2) for number in range(2)]
    people.append(await running.person("chief", role="supervisor", groups=(), capacity=2))
    ids = [customer.id for customer in customers]
    await asyncio.gather(
        *[crowd.customer_lives(customer, 14) for customer in customers],
        *[crowd.person_works(person, ids, [other.id for other in people], 12) for person in people],
    )
    await settled(customers)
    return crowd, bot, customers


async def ownership_at(conversation_id: str) -> list[OwnershipEvent]:
    """Return the changes of owner, oldest first."""
    return [
        event for event in await rows(OwnershipEvent, OwnershipEvent.id) if event.conversation_id == conversation_id
    ]


async def test_every_invariant_after_a_storm(aftermath: tuple[Crowd, Bot, list[Customer]]) -> None:
    crowd, bot, customers = aftermath
    assert crowd.unexpected == []
    messages: defaultdict[str, list[Message]] = defaultdict(list)
    for message in await rows(Message, Message.conversation_id, Message.seq):
        messages[message.conversation_id].append(message)
    conversations = {row.id: row for row in await rows(Conversation, Conversation.id)}
    handoffs = await rows(Handoff, Handoff.created_at)
    for customer in customers:
        conversation, said = conversations[customer.id], messages[customer.id]
        changes = await ownership_at(customer.id)
        nothing_lost_doubled_or_reordered(conversation, said, crowd.acknowledged[customer.id])
        only_the_owner_spoke(conversation, said, changes)
        announced_means_done(conversation, said, changes, handoffs)
        nobody_is_left_alone(conversation, said, handoffs)
        for asked_about, turn_id in bot.asked:
            if asked_about == customer.id:
                assert owner_under(int(turn_id.split(":")[1]), changes) == "bot"
    held = Counter(conversation.owner for conversation in conversations.values() if conversation.agent_id)
    assert all(count <= 2 for count in held.values())


def nothing_lost_doubled_or_reordered(
    conversation: Conversation, said: list[Message], acknowledged: list[tuple[str, str, int]]
) -> None:
    """Invariant 2."""
    assert [message.seq for message in said] == list(range(1, conversation.last_seq + 1))
    stored: defaultdict[str, list[Message]] = defaultdict(list)
    for message in said:
        if message.client_id is not None and message.sender == Sender.CUSTOMER:
            stored[message.client_id].append(message)
    for client_id, words, seq in acknowledged:
        assert [(message.text, message.seq) for message in stored[client_id]] == [(words, seq)]
    order = list(dict.fromkeys(seq for _, _, seq in acknowledged))
    assert order == sorted(order)


def only_the_owner_spoke(conversation: Conversation, said: list[Message], changes: list[OwnershipEvent]) -> None:
    """Invariant 1: each message of bot or agent was stored under that owner, and no answer under an old version."""
    assert [change.version for change in changes] == list(range(2, conversation.version + 1))
    before = "bot"
    for change in changes:
        assert (change.from_owner == before and change.to_owner != change.from_owner) or change.to_owner == "queue"
        before = change.to_owner
    assert before == conversation.owner
    for message in said:
        if message.sender == Sender.BOT and not message.text.startswith(ECHO):
            reigns = ["bot", *(change.to_owner for change in changes if change.created_at <= message.created_at)]
            assert reigns[-1] == "bot", message.text  # the desk's own offer to who has just left the line
        elif message.sender == Sender.BOT:
            version = int(message.text.split(":")[1])
            assert owner_under(version, changes) == "bot", message.text
            later = [change.created_at for change in changes if change.version > version]
            assert all(message.created_at <= moment for moment in later[:1]), message.text
        elif message.sender == Sender.AGENT:
            reigns = [change.to_owner for change in changes if change.created_at <= message.created_at]
            assert reigns[-1] == f"agent:{message.sender_id}", message.text


def owner_under(version: int, changes: list[OwnershipEvent]) -> str:
    """Return who owned the conversation while it had this version."""
    return "bot" if version == 1 else changes[version - 2].to_owner


def announced_means_done(
    conversation: Conversation, said: list[Message], changes: list[OwnershipEvent], handoffs: list[Handoff]
) -> None:
    """Invariant 4: as many announcements as stays in the queue as changes of owner, each at the same moment."""
    announcements = [message for message in said if message.sender == Sender.SYSTEM and message.buttons]
    to_queue = [change for change in changes if change.to_owner == "queue"]
    mine = [handoff for handoff in handoffs if handoff.conversation_id == conversation.id]
    assert len(announcements) == len(to_queue) == len(mine)
    for announcement, change, handoff in zip(announcements, to_queue, mine, strict=True):
        assert change.created_at <= handoff.created_at <= announcement.created_at
        after = [other.created_at for other in changes if other.version == change.version + 1]
        assert all(announcement.created_at <= moment for moment in after)


def nobody_is_left_alone(conversation: Conversation, said: list[Message], handoffs: list[Handoff]) -> None:
    """Invariant 5, and that who waits is in line exactly while the queue owns the conversation."""
    waiting = [row for row in handoffs if row.conversation_id == conversation.id and row.state in OPEN_STATES]
    assert len(waiting) == (1 if conversation.owner == "queue" else 0)
    if conversation.owner == "bot":
        assert conversation.answered_seq >= conversation.last_customer_seq


async def test_1_a_stale_answer_is_dropped(running: RunningDesk, dice: random.Random) -> None:
    """The customer presses 转人工 at any moment of a turn: the bot speaks before the announcement or not at all."""

    async def slow(body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(dice.uniform(0, 0.3))
        return answer("机器人的话", body=body)

    running.bot.behave = slow

    async def one() -> None:
        customer = await running.customer()
        await customer.send("你好")
        await asyncio.sleep(dice.uniform(0, 0.4))
        assert (await customer.ask_for_person()).status_code == 202
        await asyncio.sleep(0.5)
        senders = [message["sender"] for message in (await customer.read())["messages"]]
        assert senders in (["customer", "system"], ["customer", "bot", "system"])

    await asyncio.gather(*[one() for _ in range(12)])


async def test_2_a_retry_is_stored_once(running: RunningDesk, dice: random.Random) -> None:
    """The same message sent many times at once, over and over, stands there once; others keep their place."""
    customer = await running.customer()
    for number in range(4):
        replies = await asyncio.gather(*[customer.send(f"第 {number} 句", client_id=f"n{number}") for _ in range(6)])
        assert sorted(reply.status_code for reply in replies) == [200] * 5 + [201]
        assert len({reply.json()["seq"] for reply in replies}) == 1
    await settled([customer])
    said = [message["text"] for message in (await customer.read())["messages"] if message["sender"] == "customer"]
    assert said == [f"第 {number} 句" for number in range(4)]


async def test_3_one_claim_wins_and_nobody_holds_too_much(running: RunningDesk, dice: random.Random) -> None:
    """Everybody grabs at everything at once."""
    customers = [await running.customer() for _ in range(8)]
    for customer in customers:
        await customer.ask_for_person()
    people = [await running.person(f"agent{number}", capacity=2) for number in range(3)]
    line = [item["id"] for item in await people[0].queue()]
    grabs = [(person, handoff) for person in people for handoff in line for _ in range(2)]
    dice.shuffle(grabs)
    replies = await asyncio.gather(*[person.post(f"/handoffs/{handoff}/claim") for person, handoff in grabs])
    won = [(person.name, handoff) for (person, handoff), reply in zip(grabs, replies, strict=True) if reply.is_success]
    assert len(won) == len({handoff for _, handoff in won}) == 6
    assert Counter(name for name, _ in won) == {person.name: 2 for person in people}
    codes = {reply.json()["error"]["code"] for reply in replies if not reply.is_success}
    assert codes <= {"already_claimed", "at_capacity"}
    winners = {handoff: name for name, handoff in won}
    for (_, handoff), reply in zip(grabs, replies, strict=True):
        if not reply.is_success and reply.json()["error"]["code"] == "already_claimed":
            assert reply.json()["error"]["details"]["by"] == winners[handoff]


async def test_4_everybody_is_told_their_own_rank(running: RunningDesk) -> None:
    """However many ask at once, each rank is announced once, and the announcement comes with the change of owner."""
    customers = [await running.customer(language="zh") for _ in range(8)]
    await asyncio.gather(*[customer.ask_for_person() for customer in customers])
    told = [(await customer.read())["messages"][0]["text"] for customer in customers]
    assert sorted(next(n for n in range(1, 9) if f"第 {n} 位" in words) for words in told) == list(range(1, 9))


async def test_5_a_broken_bot_is_a_handoff_in_time(
    running: RunningDesk, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the bot does wrong, the customer is in line with the reason within the time."""
    monkeypatch.setattr(settings, "bot_timeout", 0.6)
    faults = ["error", "silence", "rubbish"] * 3
    dice.shuffle(faults)

    async def broken(body: dict[str, Any]) -> Any:
        await asyncio.sleep(dice.uniform(0, 0.2))
        fault = body["messages"][0]["text"]
        if fault == "silence":
            await asyncio.sleep(1.5)
        return JSONResponse({}, 500) if fault == "error" else {"messages": "rubbish"}

    running.bot.behave = broken
    customers = [await running.customer() for _ in faults]
    await asyncio.gather(*[customer.send(fault) for customer, fault in zip(customers, faults, strict=True)])
    await asyncio.gather(*[customer.until(2, owner="queue", seconds=12) for customer in customers])
    assert {handoff.reason for handoff in await rows(Handoff, Handoff.id)} == {str(Reason.BOT_ERROR)}
    assert [message.sender for message in await rows(Message, Message.id)].count(Sender.BOT) == 0


async def test_6_the_bot_is_not_asked_while_a_person_owns(running: RunningDesk, dice: random.Random) -> None:
    """From the claim on no turn begins; parse alone is asked."""
    customer, person = await running.with_agent()
    asked = len(running.bot.turns)
    steps: list[Step] = [
        *[lambda number=number: customer.send(f"补充 {number}") for number in range(8)],
        *[lambda number=number: person.reply(customer.id, f"收到 {number}") for number in range(4)],
    ]
    dice.shuffle(steps)
    await asyncio.gather(*[step() for step in steps])
    await asyncio.sleep(0.5)
    assert len(running.bot.turns) == asked
    senders = Counter(message["sender"] for message in (await customer.read())["messages"])
    assert senders["bot"] == 1 and senders["agent"] == 4
