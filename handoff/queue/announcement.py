"""What a customer is told at a handoff, in one message: trouble understood, rank, wait, what to do meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from handoff.agents.models import Group
from handoff.locales import text
from handoff.queue.models import Reason

if TYPE_CHECKING:
    from handoff.queue.service import Place


def announce(reason: Reason, place: Place, group: Group, language: str, acknowledgement: str) -> str:
    """Return the whole announcement; `acknowledgement` is the bot's own first sentence, if it has one."""
    first = acknowledgement.strip() or text(f"queue.understood_{reason}", language)
    if place.opens_at is not None:
        opening = local_time(place.opens_at, group.timezone, language)
        return "\n".join(
            [first, text("queue.closed_now", language, time=opening), text("queue.meanwhile_ticket", language)]
        )
    rank = (
        text("queue.rank_first", language)
        if place.position == 1
        else text("queue.rank", language, ahead=place.position - 1, position=place.position)
    )
    place_and_wait = text("queue.rank_and_wait", language, rank=rank, wait=estimate(place.wait_seconds, language))
    return "\n".join([first, place_and_wait, text("queue.meanwhile", language)])


def estimate(seconds: int | None, language: str) -> str:
    """Return the wait in words; unknown is said to be unknown."""
    if seconds is None:
        return text("queue.wait_unknown", language)
    if seconds <= 60:
        return text("queue.wait_minute", language)
    return text("queue.wait_minutes", language, minutes=-(-seconds // 60))


def local_time(moment: datetime, timezone: str, language: str) -> str:
    """Return day and time in the group's zone, as people say it."""
    local = moment.astimezone(ZoneInfo(timezone))
    weekday = text(f"queue.weekday_{local.weekday()}", language)
    return text(
        "queue.moment", language, month=local.month, day=local.day, weekday=weekday, time=local.strftime("%H:%M")
    )
