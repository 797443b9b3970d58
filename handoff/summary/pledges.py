"""What the bot, an agent or, as the customer tells it, somebody earlier promised in words, and by when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from handoff.clock import now
from handoff.conversations.models import Message, Sender
from handoff.summary.evidence import clause, excerpt, fold
from handoff.summary.wording import patterns

PATTERNS = patterns("pledges.yml")
LONGEST_QUOTE = 160
END_OF_DAY = 23
_SENTENCE = re.compile(r"[^。！？!?\n；;]+[。！？!?；;]?")
_LATIN_END = re.compile(r"(?<=[a-z0-9)][.])\s+(?=[A-Z])")


@dataclass(frozen=True)
class Pledge:
    """A promise in words, and by when as far as the words tell; `told`: the customer tells of it."""

    quote: str
    seq: int
    due_at: datetime | None
    told: bool = False

    @property
    def is_overdue(self) -> bool:
        """Tell whether the customer tells of it and its time has gone by."""
        return self.told and self.due_at is not None and self.due_at <= now()


def pledges(messages: Iterable[Message], timezone: str) -> list[Pledge]:
    """Return what was promised to the customer, in order; offers, conditions and guesses are no promises."""
    found = []
    for message in messages:
        if message.sender == Sender.CUSTOMER and message.payload is None:
            found += _told(message, timezone)
        if message.sender not in {Sender.BOT, Sender.AGENT}:
            continue
        for sentence in _sentences(message.text):
            words = fold(sentence)
            if _promises(words):
                due = _due(words, message.created_at.astimezone(ZoneInfo(timezone)))
                found.append(Pledge(excerpt(sentence, LONGEST_QUOTE), message.seq, due))
    return found


def _promises(words: str) -> bool:
    """Tell whether a sentence promises: beside a "may" or "please" only with a time."""
    if PATTERNS["condition"].search(words):
        return False
    for name, firm in (("pledge_zh", True), ("pledge_en", True), ("bare_zh", False), ("bare_en", False)):
        for match in PATTERNS[name].finditer(words):
            part = _own_part(clause(words, match.start(), match.end()), match.group())
            if not PATTERNS["never"].search(part) and (firm or not PATTERNS["softened"].search(part)):
                return True
    return False


def _told(message: Message, timezone: str) -> list[Pledge]:
    """What we had promised, as the customer's sentences tell it."""
    # Few messages tell what anybody said: the others are not read sentence by sentence.
    if not PATTERNS["told_word"].search(fold(message.text)):
        return []
    told = [sentence for sentence in _sentences(message.text) if _tells_of_promise(fold(sentence))]
    said = message.created_at.astimezone(ZoneInfo(timezone))
    return [
        Pledge(excerpt(one, LONGEST_QUOTE), message.seq, _told_due(fold(one), fold(message.text), said), told=True)
        for one in told
    ]


def _tells_of_promise(words: str) -> bool:
    """Tell whether a customer's sentence says that we had promised something by a time."""
    if PATTERNS["told_never"].search(words) or PATTERNS["condition"].search(words):
        return False
    return any(PATTERNS[name].search(words) for name in ("told_zh", "told_en"))


def _own_part(part: str, promise: str) -> str:
    """Return a clause without what stands before its promise: "I've asked them and you'll hear by noon"."""
    before, found, after = part.partition(promise)
    return PATTERNS["and"].split(before)[-1] + found + after


def _sentences(text: str) -> list[str]:
    parts = [part for match in _SENTENCE.finditer(text) for part in _LATIN_END.split(match.group())]
    return [part.strip() for part in parts if part.strip()]


_SPAN = re.compile(
    r"([0-9]+|[一二两三四五六七八九十半]) ?(?:个)?(分钟|小时|工作日|天|日(?=之?内|以内|后)|周|minutes?|hours?"
    r"|working days?|business days?|days?|weeks?)"
)
_CLOCK = re.compile(r"([0-9]{1,2})(?:[:点]([0-9]{2})?)|(?<![0-9])([0-9]{1,2})(?::([0-9]{2}))? ?([ap])\.?m")
_NUMBERS = {
    "半": 0.5,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}
_UNITS = {"分": 1 / 60, "m": 1 / 60, "小": 1, "h": 1, "周": 168, "w": 24}
_DAYS = (("后天", 2), ("day after tomorrow", 2), ("明", 1), ("tomorrow", 1), ("今", 0), ("today", 0), ("tonight", 0))


_WITHIN = re.compile(rf"within (?:the next )?{_SPAN.pattern}|{_SPAN.pattern} ?(?:之?内|以内)")
_WAITED = re.compile(
    rf"(?:等了|过了|过去了?|都) ?{_SPAN.pattern}|(?:waited|waiting(?: for)?|it's been|it has been|been) {_SPAN.pattern}"
)
_GIVEN_ON = re.compile(
    r"(?:(?:on|last) (mon|tues|wednes|thurs|fri|satur|sun)day)"
    r"|(上)?个?(?:周|星期|礼拜)([一二三四五六日天])(?=[^.;!?]{0,20}(?:说|答应|承诺|保证))"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    r"(?<![0-9])([0-9]{1,2}) ?月 ?([0-9]{1,2}) ?[日号]"
    rf"|(?<![a-z])({'|'.join(_MONTHS)})[a-z]*\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9])"
    rf"|(?<![0-9])([0-9]{{1,2}})(?:st|nd|rd|th)? (?:of )?({'|'.join(_MONTHS)})[a-z]*"
)
_WEEKDAY = re.compile(
    r"(?<!上)(下)?(?:周|星期|礼拜)([一二三四五六日天])"
    r"|(?<![a-z])(?<!last )(next )?(mon|tues|wednes|thurs|fri|satur|sun)day(?![a-z])"
)
# A date that far ahead is rather one of last year.
FARTHEST = 300
_WEEKDAYS = ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
_WEEKDAYS_ZH = "一二三四五六日"


def _told_due(words: str, message: str, said: datetime) -> datetime | None:
    """Return when an earlier promise was due, as far as its span and the day on which it was given are told."""
    span, waited, given = _WITHIN.search(words), _WAITED.search(message), _GIVEN_ON.search(words)
    if span is None or (waited is None and given is None):
        return None
    if waited is not None:
        return said - _length(waited) + _length(span)
    day = given.group(1) or given.group(3).replace("天", "日") if given else ""
    number = _WEEKDAYS.index(day) if day in _WEEKDAYS else _WEEKDAYS_ZH.index(day)
    of_last_week = given is not None and given.group(2) is not None
    ago = 7 + said.weekday() - number if of_last_week else (said.weekday() - number) % 7 or 7
    began = said - timedelta(days=ago)
    return began.replace(hour=END_OF_DAY, minute=59, second=0, microsecond=0) + _length(span)


def _length(span: re.Match[str]) -> timedelta:
    number, unit = [group for group in span.groups() if group is not None][:2]
    hours = 24.0 if unit.startswith(("天", "日", "day", "工", "working", "business")) else _UNITS.get(unit[0], 24.0)
    return timedelta(hours=(_NUMBERS.get(number) or float(number)) * hours)


def _days_until(words: str, said: datetime) -> int | None:
    """Return in how many days the named day comes: "明天", "12月1日", "by December 1", "周五", "next Friday"."""
    near = next((days for word, days in _DAYS if word in words), None)
    if near is not None:
        return near
    if named := _DATE.search(words):
        month, day = named[1] or named[3] or named[6], named[2] or named[4] or named[5]
        number = int(month) if month.isdigit() else _MONTHS.index(month) + 1
        return _until(number, int(day), said)
    if weekday := _WEEKDAY.search(words):
        name = (weekday.group(2) or weekday.group(4)).replace("天", "日")
        number = _WEEKDAYS.index(name) if name in _WEEKDAYS else _WEEKDAYS_ZH.index(name)
        if weekday.group(1):
            return 7 - said.weekday() + number
        return (number - said.weekday()) % 7
    return None


def _until(month: int, day: int, said: datetime) -> int | None:
    """Return in how many days a date of this year, or early in the next one, comes; None when it has gone by."""
    for year in (said.year, said.year + 1):
        try:
            days = (date(year, month, day) - said.date()).days
        except ValueError:
            continue
        if 0 <= days <= FARTHEST:
            return days
    return None


def _of_a_policy(words: str, span: re.Match[str]) -> bool:
    """Tell whether a span counts from something that the customer does ("签收后 7 天内"), not from now."""
    before, after = words[: span.start()], words[span.end() :]
    return re.search(rf"{PATTERNS['customers_step'].pattern}(?:之|以)?后?\s*$", before) is not None or (
        re.match(r" (?:of|from|after) (?:the )?(?:delivery|receipt|purchase)", after) is not None
    )


def _due(words: str, said: datetime) -> datetime | None:
    """Return the time a promise is due when the words name a clock time or a span; None when they do not."""
    clock, day = _CLOCK.search(words), _days_until(words, said)
    if clock and (day is not None or clock.group(5) or clock.group(1)):
        hour, minute = int(clock.group(1) or clock.group(3)), int(clock.group(2) or clock.group(4) or 0)
        afternoon = clock.group(5) == "p" or re.search(r"下午|晚上|今晚|傍晚", words[: clock.start()])
        hour += 12 if afternoon and hour < 12 else 0
        if hour < 24 and minute < 60:
            due = said.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=day or 0)
            return due if due > said else None
    span = next((span for span in _SPAN.finditer(words) if not _of_a_policy(words, span)), None)
    if span:
        return said + _length(span)
    if day is not None:
        return said.replace(hour=END_OF_DAY, minute=59, second=0, microsecond=0) + timedelta(days=day)
    return None
