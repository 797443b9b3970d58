"""Dates and times as customers read them, in the shop's time zone."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.actions.words import LANGUAGES, label

SHOP_ZONE = ZoneInfo("Asia/Shanghai")


def day(value: str | None, language: str) -> str:
    """`2026-11-05` (or a time) as a day, such as 11月5日 / 5 Nov; empty for nothing."""
    if not value:
        return ""
    moment = date.fromisoformat(value) if len(value) == 10 else _local(value).date()
    return label("day", language, month=moment.month, day=moment.day, month_name=moment.strftime("%b"))


def moment(value: str | None, language: str) -> str:
    """An ISO time as day and hour in the shop's time zone; empty for nothing."""
    if not value:
        return ""
    local = _local(value)
    return label("moment", language, day=day(local.date().isoformat(), language), time=local.strftime("%H:%M"))


def moment_in_languages(value: str) -> dict[str, str]:
    """`moment` in every language."""
    return {language: moment(value, language) for language in LANGUAGES}


def _local(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(SHOP_ZONE)
