"""When the customer bought the device: a date where the words give one, else the words themselves."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.nlu.numbers import Found
from bot.nlu.text import Aligned, split

ZONE = ZoneInfo("Asia/Shanghai")

_BOUGHT = re.compile(
    r"买|购|下单|入手|到手|收到|收货|到货|拿到|入了|(?<![a-z])(?:bought|buy|purchased?|got|received|ordered|arrived|new)(?![a-z])"
)
_NUMBER = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "a": 1,
           "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}  # fmt: skip
_COUNT = r"\d{1,3}|[一两二三四五六七八九十]|an?|one|two|three|four|five|six|seven|ten"
_DAYS_AGO = {
    "大前天": 3,
    "前天": 2,
    "昨天": 1,
    "昨日": 1,
    "昨晚": 1,
    "今天": 0,
    "今早": 0,
    "今儿": 0,
    "day before yesterday": 2,
    "yesterday": 1,
    "today": 0,
    "this morning": 0,
}

_RELATIVE = re.compile("|".join(sorted(map(re.escape, _DAYS_AGO), key=len, reverse=True)))
_AGO = re.compile(rf"({_COUNT})\s*(?:个)?\s*(天|日|周|星期|days?|weeks?)\s*(?:之?前|以前|ago)")
_ISO = re.compile(r"(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?")
_MONTH_DAY = re.compile(r"(?<![\d.])(\d{1,2})月(\d{1,2})[日号]?")
_VAGUE = re.compile(
    r"前几天|前些天|前阵子|前段时间|上上?(?:个)?(?:周末?|星期|礼拜|月)|这(?:个)?(?:周|星期|月)|去年|前年|今年|刚刚?(?=买|收|到|入|拿)|双十一|双11|双十二|618|春节|国庆|"
    r"(?<!\d)(?:半|[一两二三四五六七八九十\d]{1,2})(?:个多?)?(?:年|月)(?:多)?(?:之?前|以前|了)?|"
    r"last (?:week|month|year|night)|a few (?:days|weeks|months) ago|(?:the )?other day|recently|"
    r"(?:\d{1,2}|an?|one|two|three|six) (?:months?|years?) ago|just(?= (?:bought|got|received|arrived))"
)


def extract(aligned: Aligned, today: date | None = None) -> list[Found]:
    """`purchased_at`, when a clause speaks of buying (or getting) and of a time; at most one."""
    day = today or datetime.now(ZONE).date()
    clauses = split(aligned)
    for index, (start, end) in enumerate(clauses):
        text = aligned.text[start:end]
        follows = (
            index + 1 < len(clauses) and len(text) <= 6 and _BOUGHT.search(aligned.text[slice(*clauses[index + 1])])
        )
        if not _BOUGHT.search(text) and not follows:
            continue
        found = _read(text, day)
        if found:
            value, a, b = found
            return [("purchased_at", value, start + a, start + b, None)]
    return []


def _read(text: str, today: date) -> tuple[str, int, int] | None:
    match = _ISO.search(text)
    if match:
        return _dated(match, int(match.group(1)), int(match.group(2)), int(match.group(3)))
    match = _MONTH_DAY.search(text)
    if match:
        month, day = int(match.group(1)), int(match.group(2))
        year = today.year if (month, day) <= (today.month, today.day) else today.year - 1
        return _dated(match, year, month, day)
    match = _RELATIVE.search(text)
    if match:
        return (today - timedelta(days=_DAYS_AGO[match.group()])).isoformat(), *match.span()
    match = _AGO.search(text)
    if match:
        count = _NUMBER.get(match.group(1)) or int(match.group(1))
        days = count * (7 if match.group(2)[0] in "周星w" else 1)
        return (today - timedelta(days=days)).isoformat(), *match.span()
    match = _VAGUE.search(text)
    return (match.group().strip(), *match.span()) if match else None


def _dated(match: re.Match[str], year: int, month: int, day: int) -> tuple[str, int, int] | None:
    try:
        return date(year, month, day).isoformat(), *match.span()
    except ValueError:
        return None
