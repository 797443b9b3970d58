"""What the bot, an agent or, as the customer tells it, somebody earlier promised in words, and by when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

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


def pledges(messages: Iterable[Message], timezone: str) -> list[Pledge]:
    """Return what was promised to the customer, in order; offers, conditions and guesses are no promises."""
    found = []
    for message in messages:
        if message.sender == Sender.CUSTOMER and message.payload is None:
            found += _told(message)
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


def _told(message: Message) -> list[Pledge]:
    """What we had promised, as the customer's sentences tell it."""
    # Few messages tell what anybody said: the others are not read sentence by sentence.
    if not PATTERNS["told_word"].search(fold(message.text)):
        return []
    told = [sentence for sentence in _sentences(message.text) if _tells_of_promise(fold(sentence))]
    return [Pledge(excerpt(sentence, LONGEST_QUOTE), message.seq, None, told=True) for sentence in told]


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
    r"([0-9]+|[一二两三四五六七八九十半]) ?(?:个)?(分钟|小时|工作日|天|日|周|minutes?|hours?|working days?"
    r"|business days?|days?|weeks?)"
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


def _due(words: str, said: datetime) -> datetime | None:
    """Return the time a promise is due when the words name a clock time or a span; None when they do not."""
    clock = _CLOCK.search(words)
    day = next((days for word, days in _DAYS if word in words), None)
    if clock and (day is not None or clock.group(5) or clock.group(1)):
        hour, minute = int(clock.group(1) or clock.group(3)), int(clock.group(2) or clock.group(4) or 0)
        afternoon = clock.group(5) == "p" or re.search(r"下午|晚上|今晚|傍晚", words[: clock.start()])
        hour += 12 if afternoon and hour < 12 else 0
        if hour < 24 and minute < 60:
            due = said.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=day or 0)
            return due if due > said else None
    span = _SPAN.search(words)
    if span:
        number = _NUMBERS.get(span.group(1)) or float(span.group(1))
        unit = span.group(2)
        hours = 24.0 if unit.startswith(("天", "日", "day", "工")) else _UNITS.get(unit[0], 24.0)
        return said + timedelta(hours=number * hours)
    if day is not None:
        return said.replace(hour=END_OF_DAY, minute=59, second=0, microsecond=0) + timedelta(days=day)
    return None
