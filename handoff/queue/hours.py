"""Opening hours of a skill group: weekly, in the group's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from handoff.agents.models import Group

LOOK_AHEAD_DAYS = 14


def opens_at(group: Group, moment: datetime) -> datetime | None:
    """Return when the group opens next, in UTC; None when it is open at `moment` (or has no hours at all)."""
    if group.hours is None:
        return None
    zone = ZoneInfo(group.timezone)
    local = moment.astimezone(zone)
    openings = []
    for offset in range(-1, LOOK_AHEAD_DAYS):
        for start, end in _spans(group, local, offset, zone):
            if start <= moment < end:
                return None
            if start > moment:
                openings.append(start)
    return min(openings) if openings else moment + timedelta(days=LOOK_AHEAD_DAYS)


def _spans(group: Group, local: datetime, offset: int, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    day = (local + timedelta(days=offset)).date()
    spans = []
    for opening, closing in (group.hours or {}).get(str(day.weekday()), []):
        start = datetime.combine(day, time.fromisoformat(opening), zone)
        closes_next_day = closing == "24:00" or closing <= opening
        end_day = day + timedelta(days=1) if closes_next_day else day
        end = datetime.combine(end_day, time.fromisoformat("00:00" if closing == "24:00" else closing), zone)
        spans.append((start.astimezone(UTC), end.astimezone(UTC)))
    return spans
