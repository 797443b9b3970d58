"""Time as the shop sees it: stored in UTC, days and working hours in China."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
Clock = Callable[[], datetime]

_SATURDAY = 5


def utc_now() -> datetime:
    """The present, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def china_date(moment: datetime) -> date:
    """The calendar day in China at this moment."""
    return moment.astimezone(CHINA).date()


def china_moment(day: date, at: time) -> datetime:
    """A wall-clock time in China as UTC."""
    return datetime.combine(day, at, CHINA).astimezone(UTC)


def add_working_days(day: date, count: int) -> date:
    """The day that lies `count` working days (Monday to Friday) after `day`."""
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            count -= 1
    return day


def answer_due(now: datetime) -> datetime:
    """When R&D answers what is reported now: 18:00 of the next working day, so never less than 18 hours ahead."""
    return china_moment(add_working_days(china_date(now), 1), time(18, 0))
