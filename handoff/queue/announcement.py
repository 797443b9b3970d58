"""What a customer is told at a handoff, in one message: trouble understood, rank, wait, what to do meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from handoff.agents.models import Group
from handoff.clock import now
from handoff.locales import text
from handoff.queue.models import Reason

if TYPE_CHECKING:
    from handoff.queue.service import Place


# In a danger the bot's words stand alone, and so do those that say themselves that a person comes.
NAMES_PERSON = ("人工", "person")


def announce(reason: Reason, place: Place, group: Group, language: str, acknowledgement: str) -> str:
    """Return the whole announcement; `acknowledgement` is what the bot says of the matter, if it says anything."""
    said, why = acknowledgement.strip(), text(f"queue.understood_{reason}", language)
    alone = said and (reason == Reason.SAFETY or any(word in said for word in NAMES_PERSON))
    first = said if alone else f"{why}{'' if language == 'zh' else ' '}{said}".strip()
    meanwhile = "queue.meanwhile" if place.opens_at is None else "queue.meanwhile_ticket"
    return "\n".join([first, standing(place, group, language), text(meanwhile, language)])


def standing(place: Place, group: Group, language: str) -> str:
    """Return where the customer stands and how long it will take, or when the group opens."""
    if place.opens_at is not None:
        return text("queue.closed_now", language, time=local_time(place.opens_at, group.timezone, language))
    rank = (
        text("queue.rank_first", language)
        if place.position == 1
        else text("queue.rank", language, ahead=place.position - 1, position=place.position)
    )
    wait = estimate(place.wait_seconds, language) if place.staffed else text("queue.wait_nobody", language)
    return text("queue.rank_and_wait", language, rank=rank, wait=wait)


def estimate(seconds: int | None, language: str) -> str:
    """Return the wait in words; unknown is said to be unknown."""
    if seconds is None:
        return text("queue.wait_unknown", language)
    if seconds <= 60:
        return text("queue.wait_minute", language)
    return text("queue.wait_minutes", language, minutes=-(-seconds // 60))


def local_time(moment: datetime, timezone: str, language: str) -> str:
    """Return day and time in the group's zone, as people say it; with the year where it is not this one."""
    zone = ZoneInfo(timezone)
    local = moment.astimezone(zone)
    weekday = text(f"queue.weekday_{local.weekday()}", language)
    return text(
        "queue.moment" if local.year == now().astimezone(zone).year else "queue.moment_in_year",
        language,
        year=local.year,
        month=local.month,
        day=local.day,
        weekday=weekday,
        time=local.strftime("%H:%M"),
    )
