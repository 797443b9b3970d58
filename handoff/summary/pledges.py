"""What the bot or an agent promised in words: who does what for the customer, and by when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from handoff.conversations.models import Message, Sender
from handoff.summary.evidence import clause, excerpt, fold

LONGEST_QUOTE = 160
END_OF_DAY = 23
_SENTENCE = re.compile(r"[^。！？!?\n；;]+[。！？!?；;]?")
_LATIN_END = re.compile(r"(?<=[a-z0-9)][.])\s+(?=[A-Z])")

_TIME = (
    r"(?:[0-9]{1,2}[:点][0-9]{0,2}|今[天晚日]|明[天早晚日]|后天|下?周[一二三四五六日天末]|本周|这周|月底|年底|中午"
    r"|午饭|上午|下午|傍晚|下班"
    r"|[0-9]{1,2} ?月 ?[0-9]{1,2} ?日(?=前|之前)"
    r"|[0-9一二两三四五六七八九十几半]+ ?(?:分钟|个?小时|天|个?工作日|日|周)(?:之?内|以内|后)|尽快|马上|立即"
    r"|立刻|稍后|当[天日]|第一时间|随时)"
)
_DEED = (
    r"答复|回复|回电|来电|致电|电话|联系|告诉|告知|通知|反馈|重发|发|寄|退|到账|入账|上门|取件|核实|核查|查"
    r"|处理|安排|登记|换|跟进|确认|催|补|修|派|送|赔"
    r"|给您|回您|(?<![再您请])看(?!看)|报|进度|结果|打|解决|说法|说明|回音"
    r"|跟您说|同步|办好|寄出|出库|送达|到您|恢复|开通|生效|改好|撤销|取消|打款|到货|结论|消息|方案|交代|交待|定下来"
    r"|做完|弄好|处理完"
)
_STRONG = (
    r"打电话|打给|回电|补[发寄一]|换一|换新|送您|退您|退款给|上门|寄[给出]|赔|发[给您]|联系您|通知您|告诉您"
    r"|答复您|回复您"
)
_US = r"我们?|同事|主管|专员|研发|仓库|财务|售后|工程师|师傅|快递|他们?|她|[部组]"
_PLEDGE_ZH = re.compile(
    rf"{_TIME}[^。!?\n;]{{0,24}}?(?:{_DEED})|(?:{_DEED})[^。!?\n;了]{{0,16}}?{_TIME} ?(?:[0-9:点半 ]{{1,6}})?(?:前"
    rf"|之前|入账|到账)"
)
_BARE_ZH = re.compile(
    rf"(?:{_US})[^,。!?\n;]{{0,10}}(?:{_STRONG})|(?:同事|主管|专员|研发|仓库|财务|售后|工程师|师傅)会(?!接|继续|马上来)"
    r"|我们?(?:直接)?(?:给您|送您|替您出|上门)"
    rf"|(?:{_US}|我|这边|平台|公司)(?:一定)?(?:会|将)[^,。!?\n;]{{0,10}}(?:{_STRONG}|跟进|盯|反馈|转告|补偿|承担|补上"
    rf"|办好)"
    r"|不用您(?:再)?(?:出|付|承担|掏|花)|不收您|(?:运费|费用|邮费)[^,。!?\n;]{0,4}(?:我们|公司)|(?:我们"
    r"|公司)[^,。!?\n;]{0,4}(?:出|承担)[^,。!?\n;]{0,4}(?:运费|费用)"
    r"|(?:保证|承诺|一定|肯定|免费)[^,。!?\n;]{0,6}(?:给您|帮您|为您|替您)|我(?:保证|承诺|答应您)"
    r"|有[^,。!?\n;]{0,6}(?:就|立刻)(?:告诉|通知|联系|回)"
)
_BY_EN = (
    r"(?:by|before|within|in|at|until|on) (?:about |around )?(?:[0-9]|noon|midnight|tomorrow|tonight|today"
    r"|the (?:end|weekend)|lunch|end of (?:the )?day|monday|tuesday|wednesday|thursday|friday"
    r"|saturday|sunday|one|two|three|an hour|half)|(?<![a-z])(?:today|tomorrow|tonight|shortly|this (?:morning"
    r"|afternoon|evening|week)|next (?:week|monday|tuesday|wednesday"
    r"|thursday|friday)|first thing|the (?:next )?(?:few|couple)|as soon as)(?![a-z])"
)
_STRONG_EN = (
    r"call|ring|phone|send|ship|refund|replace|e?mail|get back|post|pick|collect|credit|let you know|tell you"
    r"|keep you|answer you|write to you|hear|receive|make sure|follow up|arrange|cover|pay|waive|swap|repair|fix"
    r"|confirm"
    r"|contact|inform|reserve|look into|chase|update you"
)
_PLEDGE_EN = re.compile(
    rf"(?:'ll|(?<![a-z])will|(?<![a-z])gets?|(?<![a-z])(?:they|we|i|he"
    rf"|she) [a-z]+|(?<![a-z])it (?:ships|arrives|leaves|goes|comes)|(?<![a-z])(?:we're|we are|i'm|i am|they're|it's"
    rf"|is|are) (?:going to |on (?:its|the|their) way|[a-z]+ing)"
    rf"|(?<![a-z])(?:refund|money|parcel|replacement|invoice|label|colleague|technician"
    rf"|new one)[a-z ]{{0,14}} (?:arrives?|ships?|comes?|goes|leaves|lands)"
    rf"|(?<![a-z])expect (?:an?|the|your|my))(?![a-z]).{{0,80}}(?<![a-z])(?:{_BY_EN})"
    rf"|(?<![a-z])(?:{_BY_EN}).{{0,30}}(?:'ll|will|gets?|have|has)(?![a-z])"
)
_BARE_EN = re.compile(
    rf"(?:'ll|(?<![a-z])will)(?: [a-z]+){{0,2}} (?:{_STRONG_EN})(?![a-z])"
    r"|(?<![a-z])(?:colleague|specialist|supervisor|technician|engineer|team|warehouse|finance"
    r"|they)(?: [a-z]+){0,2} will (?!take|be able|see|have)[a-z]+"
    rf"|(?<![a-z])(?:(?:i|we|has|have) promised? (?:to|you|that)|i promise|expect (?:an? )?(?:call|answer|reply"
    rf"|e?mail)|(?:we|i)(?:'re| are|'m| am) going to (?:{_STRONG_EN})|free of charge|at no (?:extra )?(?:cost|charge)"
    rf"|we (?:cover|pay)|you won't (?:have to )?pay|on the house)"
    r"(?![a-z])|(?<![a-z])we'll (?:swap|replace|send|refund|repair|collect|pay)"
)
_NEVER = re.compile(
    r"看看能|转接|转给|转人工|接手|为您转|接待|接下来由"
    r"|(?:^|[,，])(?:您可以|请您?在)|^please(?![a-z])"
    r"|^(?:好的?[,，])?(?:查到|找到|看到|记下|确实)|(?:我|已)已?经?[请催报][^,。]{0,16}(?:了|过|核查)|曾|失约"
    r"|失信|没[^,。]{0,3}[回打发到]"
    r"|(?<![a-z])(?:takes? over|hand(?:ing)? (?:you )?over|transfer\w*|connect you|once you|when you|was|were"
    r"|delivered"
    r"|i have|i've|i see|did not|didn't)(?![a-z])"
)
_AND = re.compile(r"并且?|然后|(?<![a-z])(?:and|so|but|then)(?![a-z])")
_CONDITION = re.compile(
    r"如果|要是|假如|万一|的话|[吗呢][?？。]?$|[?？]\s*$|没[^,。]{1,6}就|(?<![a-z])(?:if|unless)(?![a-z])"
)
_SOFTENED = re.compile(
    r"可以|是否|要不要|需不需要|通常|正常|大概率|可能|应该是|建议"
    r"|(?:^|[,，])请(?!同事|人|主管|专员|研发|仓库|维修|售后|快递|他|她|财务|工程师)"
    r"|(?<![a-z])(?:usually|normally|probably|maybe|might|may|could|would|should|whether|please)(?![a-z])"
)


@dataclass(frozen=True)
class Pledge:
    """A promise in words, and by when as far as the words tell."""

    quote: str
    seq: int
    due_at: datetime | None


def pledges(messages: Iterable[Message], timezone: str) -> list[Pledge]:
    """Return what was promised to the customer, in order; offers, conditions and guesses are no promises."""
    found = []
    for message in messages:
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
    if _CONDITION.search(words):
        return False
    for pattern, firm in ((_PLEDGE_ZH, True), (_PLEDGE_EN, True), (_BARE_ZH, False), (_BARE_EN, False)):
        for match in pattern.finditer(words):
            part = _own_part(clause(words, match.start(), match.end()), match.group())
            if not _NEVER.search(part) and (firm or not _SOFTENED.search(part)):
                return True
    return False


def _own_part(part: str, promise: str) -> str:
    """Return a clause without what stands before its promise: "I've asked them and you'll hear by noon"."""
    before, found, after = part.partition(promise)
    return _AND.split(before)[-1] + found + after


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
