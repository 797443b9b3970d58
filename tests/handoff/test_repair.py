"""Start-up repair, step by step: each finds what a crash left half-done, and puts it right once and nothing else."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from handoff import clock, repair
from handoff.agents.models import Agent, Presence
from handoff.agents.service import Agents
from handoff.attachments.models import Attachment
from handoff.attachments.service import path_of
from handoff.caretaker import Caretaker, hand_on_for_the_gone
from handoff.clock import ClockWatch, now
from handoff.conversations.models import Conversation
from handoff.conversations.service import Conversations, Said
from handoff.desk import desk
from handoff.queue.models import Handoff, State
from handoff.settings import settings
from tests.handoff.conftest import Customer, RunningDesk
from tests.handoff.wires import eventually


async def set_owner(customer: Customer, owner: str) -> None:
    """Change the owner behind the desk's back, as a hand in the database does."""
    async with desk.database.write() as session:
        await session.execute(update(Conversation).where(Conversation.id == customer.id).values(owner=owner))


async def states(customer: Customer) -> list[str]:
    """Return the states of the conversation's handoffs, in order."""
    async with desk.database.read() as session:
        query = select(Handoff.state).where(Handoff.conversation_id == customer.id).order_by(Handoff.arrival)
        return list(await session.scalars(query))


async def waiting(running: RunningDesk) -> Customer:
    """Return a customer in line."""
    customer = await running.customer()
    await customer.ask_for_person()
    return customer


async def test_a_whole_installation_is_left_alone(running: RunningDesk) -> None:
    customer, _ = await running.with_agent()
    other = await waiting(running)
    before = (await customer.read(), await other.read(), await states(customer), await states(other))
    for step in (
        repair.end_stale_claims,
        repair.end_stale_waits,
        repair.line_up_the_lost,
        repair.remove_orphaned_files,
        repair.report_missing_files,
        repair.answer_what_is_owed,
    ):
        assert await step() == 0, step.__name__
    assert before == (await customer.read(), await other.read(), await states(customer), await states(other))


async def test_a_claim_without_its_conversation_ends(running: RunningDesk) -> None:
    customer, _ = await running.with_agent()
    await set_owner(customer, "bot")
    assert await repair.end_stale_claims() == 1
    assert await states(customer) == [State.DONE]
    assert await repair.end_stale_claims() == 0


async def test_a_wait_without_its_conversation_leaves_the_line(running: RunningDesk) -> None:
    gone, still = await waiting(running), await waiting(running)
    await set_owner(gone, "closed")
    assert (await still.read())["queue"]["position"] == 2
    assert await repair.end_stale_waits() == 1
    assert (await still.read())["queue"]["position"] == 1
    assert await states(gone) == [State.ABANDONED]


async def test_who_waits_without_a_place_is_lined_up(running: RunningDesk) -> None:
    customer = await running.customer()
    await set_owner(customer, "queue")
    assert (await customer.read())["queue"] is None
    assert await repair.line_up_the_lost() == 1
    page = await customer.read()
    assert page["queue"]["position"] == 1 and page["messages"][-1]["sender"] == "system"
    assert await repair.line_up_the_lost() == 0


async def test_who_belongs_to_nobody_is_lined_up(running: RunningDesk) -> None:
    customer = await running.customer()
    await set_owner(customer, "agent:who-was-removed")
    assert await repair.line_up_the_lost() == 1
    assert (await customer.read())["owner"] == "queue"


async def send_file(running: RunningDesk, customer: Customer) -> str:
    """Send a text file; returns the attachment's id."""
    answer = await running.http.post(
        f"{customer.path}/messages",
        data={"client_id": "f1"},
        files={"file": ("log.txt", b"line one\n")},
        headers=customer.headers,
    )
    assert answer.status_code == 201, answer.text
    async with desk.database.read() as session:
        found = await session.scalar(select(Attachment.id).where(Attachment.conversation_id == customer.id))
    assert found is not None
    return found


async def test_files_that_belong_to_nothing_go_and_others_stay(running: RunningDesk) -> None:
    kept = await send_file(running, await running.customer())
    old, fresh = (settings.attachments_folder / "xx" / name for name in ("f_old", "f_fresh"))
    for path in (old, fresh):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"cut off")
    long_ago = time.time() - 2 * repair.ORPHAN_AGE
    os.utime(old, (long_ago, long_ago))
    os.utime(settings.attachments_folder / kept[-2:] / kept, (long_ago, long_ago))
    assert await repair.remove_orphaned_files() == 1
    assert not old.exists() and fresh.exists() and (settings.attachments_folder / kept[-2:] / kept).exists()


async def test_a_missing_file_is_named(running: RunningDesk) -> None:
    customer = await running.customer()
    attachment_id = await send_file(running, customer)
    assert await repair.files_missing() == []
    async with desk.database.read() as session:
        path_of(await session.get_one(Attachment, attachment_id)).unlink()
    assert [row.id for row in await repair.files_missing()] == [attachment_id]
    assert await repair.report_missing_files() == 1


async def last_seen(person_id: str, ago: timedelta) -> None:
    """Set when a person last gave a sign of life."""
    async with desk.database.write() as session:
        await session.execute(update(Agent).where(Agent.id == person_id).values(last_seen_at=now() - ago))


async def test_who_was_on_duty_gets_time_to_come_back(running: RunningDesk) -> None:
    customer, person = await running.with_agent()
    await last_seen(person.id, timedelta(hours=3))  # the desk was down for three hours
    assert await repair.expect_people_back() == 1
    await hand_on_for_the_gone()
    assert (await customer.read())["owner"] == person.owner
    await last_seen(person.id, timedelta(seconds=settings.agent_gone_after + 5))  # and then did not come back
    await hand_on_for_the_gone()
    assert (await customer.read())["owner"] == "queue"


@pytest.mark.parametrize("jump", [timedelta(hours=5), timedelta(hours=-5)], ids=["forward", "back"])
async def test_a_clock_that_is_set_makes_nobody_absent(
    running: RunningDesk, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    customer, person = await running.with_agent()
    caretaker = Caretaker()
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + jump)
    await last_seen(person.id, jump)  # as it looks by the new clock
    await caretaker._look_at_the_clock()
    async with desk.database.read() as session:
        assert await Agents(session).gone() == []
        agent = await session.get_one(Agent, person.id)
    assert agent.status == Presence.ONLINE and agent.last_seen_at is not None
    assert abs(agent.last_seen_at - now()) < timedelta(minutes=1)
    assert (await customer.read())["owner"] == person.owner


def test_the_watch_notices_jumps_and_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, steady = [now()], [100.0]
    monkeypatch.setattr(clock, "now", lambda: wall[0])
    monkeypatch.setattr(clock.time, "monotonic", lambda: steady[0])
    watch = ClockWatch()

    def pass_time(seconds: float, jump: float = 0) -> float | None:
        steady[0] += seconds
        wall[0] += timedelta(seconds=seconds + jump)
        return watch.lapse()

    assert pass_time(2) is None
    assert pass_time(2, jump=3600) == pytest.approx(3600)
    assert pass_time(2) is None
    assert pass_time(5, jump=-7200) == pytest.approx(-7200)
    assert pass_time(60) == 0.0


async def test_owed_answers_are_given_once(running: RunningDesk) -> None:
    customer = await running.customer()
    async with desk.database.write() as session:
        await Conversations(session).receive(customer.id, Said("c1", "还在吗"))
        session.info["after_commit"].clear()
    assert await repair.answer_what_is_owed() == 1
    await customer.until(2)
    await eventually(lambda: not desk.turns.is_running(customer.id))
    assert await repair.answer_what_is_owed() == 0
    assert len(running.bot.turns) == 1
