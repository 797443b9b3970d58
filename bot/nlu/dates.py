"""When the customer bought the device: a date where the words give one, else the words themselves."""

import re
from datetime import date, datetime, timedelta
from string import capwords
from zoneinfo import ZoneInfo

from bot.nlu.numbers import Found
from bot.nlu.text import Aligned, split

ZONE = ZoneInfo("Asia/Shanghai")

_BOUGHT = re.compile(
    r"买|购|下(?:的|了)?(?:一?个)?单|单(?:子)?是?[^,]{0,14}下的|下了一?个|入手|到手|拿到|入了|收货|到货|刚到|到的时候"
    r"|收到(?!短信|消息|回复|退款|邮件|通知|验证码|提醒)|拍(?:的|下|了)|抢(?:的|到)|取(?:的|了)?(?:件|货|快递)|付(?:的|了)款|order(?:都|[^a-z]{0,4}[\d一两俩三四五六七八九十]+天)"
    r"|(?<![a-z])(?:bought|bougth|buy|purchased?|received|ordered|arrived|paid|picked (?:\w+ ){0,3}up"
    r"|new(?! (?:version|firmware|update))"
    r"|got(?! (?:an?|the|this|some|no|your)? ?(?:error|message|notification|reply|answer|call|e?-?mail|text|refund)))"
    r"(?![a-z])"
)
# Not a purchase of the customer's own that has happened: wished for, supposed, somebody else's, somewhere else, denied.
_NOT_OWN = re.compile(
    r"假如|如果|要是|会不会|打算|准备买|想买|要买|别家|别的店|其他店|不是[^,]{0,4}$|你们(?:已经)?收到"
    r"|(?:人家|同事|邻居|朋友|别人)[^,]{0,8}(?:收|买|到|戴)|上门|说好|约(?:好|了|的)"
    r"|(?<![a-z])(?:need|want|send|get me|give me|like)(?: me)?(?: an?)? new(?![a-z])"
    r"|(?<![a-z])(?:supposed to|scheduled|my return|if i|would|going to|plan to"
    r"|thinking|another (?:shop|store)|you(?:'ve| have)? (?:received|got))"
    r"(?![a-z])"
)
_NUMBER = {"一": 1, "两": 2, "俩": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
           "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
           "ten": 10}  # fmt: skip
_COUNT = r"\d{1,3}|[一两俩二三四五六七八九十]|an?|one|two|three|four|five|six|seven|ten"
_DAYS_AGO = {
    "大前天": 3,
    "前天": 2,
    "昨天": 1,
    "昨日": 1,
    "昨晚": 1,
    "昨儿": 1,
    "今天": 0,
    "今早": 0,
    "今儿": 0,
    "day before yesterday": 2,
    "yesterday": 1,
    "last night": 1,
    "today": 0,
    "this morning": 0,
    "this afternoon": 0,
}
_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "mon": 0, "tue": 1, "wed": 2,
             "thu": 3, "fri": 4, "sat": 5, "sun": 6}  # fmt: skip

_RELATIVE = re.compile("|".join(sorted(map(re.escape, _DAYS_AGO), key=len, reverse=True)))
_AGO = re.compile(rf"(?<![a-z0-9])({_COUNT})\s*(?:个)?\s*(天|日|周|星期|days?|weeks?)\s*(?:之?前|以前|ago)")
_FOR_DAYS = re.compile(rf"(?:都|已经|有|了|单|order)\s*({_COUNT})\s*(天)(?:多)?了")
_MOMENTS_AGO = re.compile(
    r"(?:\d{1,2}|[一两三五十半几]|an?|half an)\s*个?(?:分钟|小时|钟头|min(?:ute)?s?|hours?)\s*(?:之?前|以前|ago)"
    r"|(?<![天晚日])(?:上午|中午|下午|早上|凌晨)(?=[^,]{0,4}(?:买|下|拍|付|取|收))"
)
_WEEKDAY = re.compile(
    r"(上上|上|这|本)?(?:个)?(?:周|星期|礼拜)([一二三四五六日天])"
    r"|(?<![a-z])(?:last|on|this) (mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?(?![a-z])"
)
_ISO = re.compile(r"(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?")
_MONTH_DAY = re.compile(r"(?<![\d.])(\d{1,2})月(\d{1,2})[日号]?")
_DAY_OF_LAST_MONTH = re.compile(r"上(?:个)?月(?:的)?(\d{1,2})[号日]")
_DAY = re.compile(
    r"(?<![\d月一二三四五六七八九十])(\d{1,2}|[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九])号"
    r"(?![楼线机店码院门桌手秤灯])"
)
_FEASTS = (
    "双十一|双11|双十二|双12|618|春节|国庆|中秋|端午|元旦|五一|清明|元宵|圣诞|七夕|情人节|母亲节|父亲节|教师节|儿童节"
)
_FEASTS_EN = (
    r"black friday|cyber monday|prime day|boxing day|christmas|thanksgiving|easter|halloween|new year|chinese new year"
    r"|cny|spring festival|mid[- ]autumn(?: festival)?|national day|singles'? day|valentine'?s(?: day)?"
    r"|(?:mother|father)'?s day"
)
_SEASON = (
    rf"(?:(?:{_FEASTS})节?|过年|年底|年初|[春夏秋冬]天"
    r"|(?:1[0-2]|[1-9]|[一二三四五六七八九十]{1,2})月(?:份|底|初|中)?)"
)
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_MONTH = rf"({_MONTHS}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
_MONTH_NUMBER = {name[:3]: number for number, name in enumerate(_MONTHS.split("|"), 1)}
_NUMBERED = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? ?(20\d\d))?"
_DAY_MONTH = re.compile(rf"(?<![a-z0-9.]){_NUMBERED} (?:of )?{_MONTH}(?![a-z]){_YEAR}")
_MONTH_AND_DAY = re.compile(rf"(?<![a-z]){_MONTH} (?:the )?{_NUMBERED}(?![\d.:a-z]){_YEAR}")
_SLASHED = re.compile(r"(?<![\d/])(\d{1,2})[/.](\d{1,2})[/.](20\d\d)(?![\d/])")
_VAGUE = re.compile(
    rf"(?:去年|前年|今年)的?{_SEASON}?|(?:{_FEASTS})节?|过年|(?<![a-z])(?:last |this )?(?:{_FEASTS_EN})(?![a-z])"
    r"|前几天|前些天|前阵子|前段时间|上上?(?:个)?(?:周末?|星期|礼拜|月)|这(?:个)?(?:周|星期|月)|刚刚?(?=买|收|到|入|拿)|"
    r"(?<!\d)(?:半|[一两二三四五六七八九十\d]{1,2})(?:个多?)?(?:年|月)(?:多)?(?:之?前|以前|了)?|"
    r"last (?:week|month|year|night)|a few (?:days|weeks|months) ago|(?:the )?other day|recently|"
    r"(?<![a-z0-9])(?:\d{1,2}|an?|one|two|three|six) (?:months?|years?)(?: ago)?"
    r"|just(?= (?:bought|got|received|arrived))"
    rf"|(?<=in )(?:{_MONTHS})|(?<=last )(?:{_MONTHS})"
)

_NEXT_YEAR = re.compile(r"\W{1,2}20\d\d(?!\d)")


# A time that is named only to say that it is not the one: "不是昨天 前天买的".
_DENIED = re.compile(
    r"(?:不是|并非|(?<![a-z])(?:not|wasn't|isn't) (?:on )?)"
    rf"(?:{_RELATIVE.pattern}|{_WEEKDAY.pattern}|{_MONTH_DAY.pattern})"
)


def current_day() -> date:
    """Today where the customers are."""
    return datetime.now(ZONE).date()


def extract(aligned: Aligned, today: date | None = None) -> list[Found]:
    """`purchased_at`, when a clause speaks of buying (or getting) and of a time; at most one."""
    day = today or current_day()
    clauses = split(aligned)
    for index, (start, end) in enumerate(clauses):
        text = _without_denied(aligned.text[start:end])
        follows = (
            index + 1 < len(clauses) and len(text) <= 6 and _BOUGHT.search(aligned.text[slice(*clauses[index + 1])])
        )
        if not (_BOUGHT.search(text) or follows) or _NOT_OWN.search(text):
            continue
        # "March 12, 2025": the comma is no end.
        year = _NEXT_YEAR.match(aligned.text, end)
        found = _read(aligned.text[start : year.end()] if year else text, day)
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
        return _dated(match, _latest_year(month, day, today), month, day)
    if match := _DAY_OF_LAST_MONTH.search(text):
        month_end = today.replace(day=1) - timedelta(days=1)
        return _dated(match, month_end.year, month_end.month, int(match.group(1)))
    return _in_english(text, today) or _days_back(text, today) or _vague(text)


def _without_denied(text: str) -> str:
    """The text with spaces for the times that it denies, so that every place stays."""
    return _DENIED.sub(lambda denied: " " * len(denied.group()), text)


def _latest_year(month: int, day: int, today: date) -> int:
    """The year of the latest such day that is not after today."""
    return today.year if (month, day) <= (today.month, today.day) else today.year - 1


def _in_english(text: str, today: date) -> tuple[str, int, int] | None:
    """ "4 May 2026", "Feb 9th", "31/08/2026"; of two numbers up to 12 the order cannot be told: the words stay."""
    if match := _DAY_MONTH.search(text):
        day, name, year = match.groups()
    elif match := _MONTH_AND_DAY.search(text):
        name, day, year = match.groups()
    elif match := _SLASHED.search(text):
        first, second = int(match.group(1)), int(match.group(2))
        if first <= 12 and second <= 12 and first != second:
            return match.group(), *match.span()
        day_number, month = max(first, second), min(first, second)
        return _dated(match, int(match.group(3)), month, day_number)
    else:
        return None
    month = _MONTH_NUMBER[name[:3]]
    return _dated(match, int(year) if year else _latest_year(month, int(day), today), month, int(day))


def _days_back(text: str, today: date) -> tuple[str, int, int] | None:
    """A day told by its distance, its weekday or its number in the month."""
    if match := _DAY.search(text):
        return _latest(match, _day_number(match.group(1)), today)
    if match := _RELATIVE.search(text):
        days = _DAYS_AGO[match.group()]
    elif match := _AGO.search(text) or _FOR_DAYS.search(text):
        count = _NUMBER.get(match.group(1)) or int(match.group(1))
        days = count * (7 if match.group(2)[0] in "周星w" else 1)
    elif match := _WEEKDAY.search(text):
        days = _days_since_weekday(match, today)
    elif match := _MOMENTS_AGO.search(text):
        days = 0
    else:
        return None
    return (today - timedelta(days=days)).isoformat(), *match.span()


def _days_since_weekday(match: re.Match[str], today: date) -> int:
    """ "上周五" is a day of last week; "last Friday" and a bare "周五" are the latest one before today."""
    weekday = _WEEKDAYS[match.group(2) or match.group(3)]
    weeks = {"上": 1, "上上": 2}.get(match.group(1) or "")
    if weeks:
        return today.weekday() - weekday + 7 * weeks
    return (today.weekday() - weekday) % 7 or 7


def _day_number(text: str) -> int:
    """`11`, `十一` or `二十三` as a number."""
    if text.isdecimal():
        return int(text)
    tens, _, ones = text.rpartition("十")
    return ("十" in text) * 10 * _NUMBER.get(tens, 1) + _NUMBER.get(ones, 0)


def _latest(match: re.Match[str], day: int, today: date) -> tuple[str, int, int] | None:
    """The latest such day of a month that is not after today."""
    if not 1 <= day <= 31:
        return None
    moment = today
    while moment.day != day:
        moment -= timedelta(days=1)
    return moment.isoformat(), *match.span()


def _vague(text: str) -> tuple[str, int, int] | None:
    """The words that tell most; a month or feast in English begins with a capital."""
    matches = list(_VAGUE.finditer(text))
    if not matches:
        return None
    match = max(matches, key=lambda match: len(match.group()))
    words = match.group().strip()
    named = words in _MONTHS.split("|") or re.search(_FEASTS_EN, words)
    return (capwords(words) if named else words), *match.span()


def _dated(match: re.Match[str], year: int, month: int, day: int) -> tuple[str, int, int] | None:
    try:
        return date(year, month, day).isoformat(), *match.span()
    except ValueError:
        return None
