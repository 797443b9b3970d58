"""Dates and times as customers read them, in the shop's time zone."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.actions.words import LANGUAGES, label
from bot.nlu.dates import current_day

SHOP_ZONE = ZoneInfo("Asia/Shanghai")
_WRITTEN = re.compile(r"(?<!\d)(20\d\d)\s?[-/.年]\s?(1[0-2]|0?[1-9])(?!\d)")
_YEARS_BACK = {2: r"前年|year before last", 1: r"去年|last year", 0: r"今年|this year"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")


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


def month_said(text: str) -> date | None:
    """The month that a text names as the past time of something, as its first day; None when it names none."""
    text = unicodedata.normalize("NFKC", text).lower()
    if written := _WRITTEN.search(text):
        return date(int(written.group(1)), int(written.group(2)), 1)
    now = current_day()
    named = _month_named(text)
    year = next((now.year - back for back, words in _YEARS_BACK.items() if re.search(words, text)), None)
    if stated := re.search(r"(?<!\d)(20\d\d)(?!\d)", text):
        year = int(stated.group(1))
    if named is None:
        return None
    return date(year if year else now.year - (named > now.month), named, 1)


def _month_named(text: str) -> int | None:
    if english := re.search(rf"(?<![a-z])({'|'.join(_MONTHS)})[a-z]*(?![a-z])", text):
        return _MONTHS.index(english.group(1)) + 1
    chinese = re.search(r"(\d{1,2}|十[一二]?|[一二三四五六七八九])月", text)
    if not chinese:
        return None
    told = chinese.group(1)
    number = int(told) if told.isdigit() else _NUMERALS.index(told) + 1
    return number if 1 <= number <= len(_MONTHS) else None


def month(value: date, language: str) -> str:
    """A month as customers read it, such as 2027年3月 / Mar 2027."""
    return label("month", language, year=value.year, month=value.month, month_name=value.strftime("%b"))
