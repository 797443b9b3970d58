"""Skill groups (技能组): the first ones of a new desk, and their titles, time zone and weekly hours."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BaseModel, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Group

FIRST_GROUPS = {
    "orders": ("订单物流", "Orders & delivery"),
    "tech": ("技术支持", "Technical support"),
    "care": ("客户关怀", "Customer care"),
}
MIDNIGHT = "24:00"
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Weekday = Annotated[str, StringConstraints(pattern=r"^[0-6]$")]
Span = tuple[Clock, Clock]


class GroupSettings(BaseModel):
    """What an overseer may set. `hours`: weekday (0 = Monday) to spans of local time; None is always open.

    A span that ends at or before its start goes on into the next day.
    """

    title_zh: Title
    title_en: Title
    timezone: str = "Asia/Shanghai"
    hours: dict[Weekday, Annotated[list[Span], Field(max_length=6)]] | None = None

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise PydanticCustomError("timezone", "an IANA time zone such as Asia/Shanghai")
        return value

    @field_validator("hours")
    @classmethod
    def _some_opening(cls, value: dict[str, list[Span]] | None) -> dict[str, list[Span]] | None:
        """Refuse a week without any opening: its tickets would never come back in line."""
        if value is None:
            return None
        spans = [span for day in value.values() for span in day]
        if not spans or any(start == MIDNIGHT for start, _ in spans):
            raise PydanticCustomError("opening", "at least one span, each beginning before 24:00")
        return value


async def ensure_groups(session: AsyncSession) -> None:
    """Make the first groups, always open, where there are none yet."""
    if await session.scalar(select(func.count()).select_from(Group)):
        return
    for name, (zh, en) in FIRST_GROUPS.items():
        await save_group(session, name, GroupSettings(title_zh=zh, title_en=en))


async def save_group(session: AsyncSession, name: str, settings: GroupSettings) -> Group:
    """Make the group, or change it."""
    group = await session.get(Group, name) or Group(name=name)
    group.title_zh, group.title_en, group.timezone = settings.title_zh, settings.title_en, settings.timezone
    group.hours = settings.model_dump(mode="json")["hours"]
    session.add(group)
    await session.flush()
    return group


def group_view(group: Group) -> dict[str, Any]:
    """Return a group with its hours."""
    titles = {"zh": group.title_zh, "en": group.title_en}
    return {"name": group.name, "title": titles, "timezone": group.timezone, "hours": group.hours}
