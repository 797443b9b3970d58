"""Skill groups and their opening hours, set by overseers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.handoff.conftest import RunningDesk

NIGHT = {
    "title_zh": "夜班",
    "title_en": "Night shift",
    "timezone": "Asia/Shanghai",
    "hours": {"0": [["22:00", "06:00"]], "5": [["09:00", "12:00"], ["13:30", "24:00"]]},
}


async def test_hours_are_set_and_followed(running: RunningDesk) -> None:
    boss, person = await running.person("boss", "supervisor"), await running.person("lin")
    made = await running.http.put("/api/v1/groups/night", json=NIGHT, headers=boss.headers)
    assert made.status_code == 200 and made.json()["hours"] == NIGHT["hours"]
    shown = (await person.get("/groups")).json()["items"]
    assert {group["name"] for group in shown} == {"care", "orders", "tech", "night"}

    in_three_days = str((datetime.now(ZoneInfo("Asia/Shanghai")).weekday() + 3) % 7)
    hours = {in_three_days: [["00:00", "00:01"]]}
    never_now = {"title_zh": "客户关怀", "title_en": "Customer care", "hours": hours}
    assert (await running.http.put("/api/v1/groups/care", json=never_now, headers=boss.headers)).status_code == 200
    customer = await running.customer()
    await customer.ask_for_person()
    page = await customer.read()
    assert page["owner"] == "queue" and page["queue"]["opens_at"] is not None
    (item,) = await person.queue()
    assert (item["state"], item["opens_at"]) == ("ticket", page["queue"]["opens_at"])

    always = {"title_zh": "客户关怀", "title_en": "Customer care", "hours": None}
    assert (await running.http.put("/api/v1/groups/care", json=always, headers=boss.headers)).json()["hours"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "Mars/Olympus"},
        {"hours": {"7": [["09:00", "18:00"]]}},
        {"hours": {"0": [["9", "18:00"]]}},
        {"hours": {"0": [["24:00", "06:00"]]}},
        {"hours": {"0": []}},
        {"title_zh": " "},
    ],
)
async def test_nonsense_is_refused(running: RunningDesk, change: dict[str, Any]) -> None:
    boss = await running.person("boss", "supervisor")
    reply = await running.http.put("/api/v1/groups/night", json=NIGHT | change, headers=boss.headers)
    assert reply.status_code == 422 and reply.json()["error"]["code"] == "invalid"
    assert reply.json()["error"]["details"]["fields"]
