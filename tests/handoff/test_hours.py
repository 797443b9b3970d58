"""Opening hours: when a group opens next, and what becomes of a ticket that was left outside them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from handoff.agents.models import Group
from handoff.caretaker import open_groups
from handoff.desk import desk
from handoff.queue.hours import opens_at
from tests.handoff.conftest import RunningDesk


def group(hours: dict[str, Any] | None, timezone: str = "Asia/Shanghai") -> Group:
    """A group with these hours."""
    return Group(name="g", title_zh="组", title_en="Group", timezone=timezone, hours=hours)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestHours:
    WEEKDAYS: ClassVar = {str(day): [["09:00", "12:00"], ["13:00", "18:00"]] for day in range(5)}

    @pytest.mark.parametrize(
        ("hours", "zone", "moment", "opening"),
        [
            (None, "Asia/Shanghai", "2026-11-03T20:00", None),
            (WEEKDAYS, "Asia/Shanghai", "2026-11-03T01:00", None),  # Tuesday 09:00 there
            (WEEKDAYS, "Asia/Shanghai", "2026-11-03T00:59", "2026-11-03T01:00"),
            (WEEKDAYS, "Asia/Shanghai", "2026-11-03T04:00", "2026-11-03T05:00"),  # lunch
            (WEEKDAYS, "Asia/Shanghai", "2026-11-06T10:00", "2026-11-09T01:00"),  # Friday 18:00 there
            (
                {"4": [["22:00", "06:00"]]},
                "Asia/Shanghai",
                "2026-11-06T20:00",
                None,
            ),  # Saturday 04:00, of Friday's night
            ({"4": [["22:00", "06:00"]]}, "Asia/Shanghai", "2026-11-06T22:00", "2026-11-13T14:00"),
            ({"5": [["00:00", "24:00"]]}, "Asia/Shanghai", "2026-11-07T15:59", None),
            ({"5": [["00:00", "24:00"]]}, "Asia/Shanghai", "2026-11-07T16:00", "2026-11-13T16:00"),
            (
                {"6": [["09:00", "17:00"]]},
                "Europe/Berlin",
                "2026-03-29T06:30",
                "2026-03-29T07:00",
            ),  # summer time begins
            ({"6": [["09:00", "17:00"]]}, "Europe/Berlin", "2026-10-25T07:30", "2026-10-25T08:00"),  # and ends
            ({}, "UTC", "2026-11-03T00:00", "2026-11-17T00:00"),
        ],
    )
    def test_opening(self, hours: Any, zone: str, moment: str, opening: str | None) -> None:
        assert opens_at(group(hours, zone), at(moment)) == (at(opening) if opening else None)

    async def test_ticket_and_back_in_line(self, running: RunningDesk) -> None:
        tomorrow = (datetime.now(UTC) + timedelta(hours=8, days=1)).weekday()
        await set_hours({str(tomorrow): [["09:00", "18:00"]]})
        customer, person = await running.customer(language="zh"), await running.person("lin")
        await customer.ask_for_person()
        page = await customer.read()
        assert "非工作时间" in page["messages"][0]["text"] and "09:00" in page["messages"][0]["text"]
        assert page["queue"]["wait_seconds"] is None and page["queue"]["opens_at"].endswith("T01:00:00.000Z")
        (ticket,) = await person.queue()
        assert ticket["state"] == "ticket" and ticket["opens_at"] == page["queue"]["opens_at"]
        await open_groups()
        assert (await person.queue())[0]["state"] == "ticket"
        await set_hours(None)
        await open_groups()
        (waiting,) = await person.queue()
        assert (waiting["state"], waiting["opens_at"], waiting["position"]) == ("waiting", None, 1)
        assert (await customer.read())["queue"]["opens_at"] is None

    async def test_a_claimed_ticket_stays_claimed(self, running: RunningDesk) -> None:
        await set_hours({})
        customer, person = await running.customer(), await running.person("lin")
        await customer.ask_for_person()
        await set_hours(None)
        await asyncio.gather(person.claim(customer.id), *[open_groups() for _ in range(5)])
        assert await person.queue() == [] and (await customer.read())["owner"] == person.owner


async def set_hours(hours: dict[str, Any] | None) -> None:
    """Give every group these hours."""
    async with desk.database.write() as session:
        for row in await session.scalars(select(Group)):
            row.hours = hours
