"""What the customer states beyond what the bot recognised, and which recognised troubles really are theirs."""

from __future__ import annotations

import re

from handoff.conversations.models import Message, Sender
from handoff.locales import section
from handoff.summary.evidence import excerpt, fold
from handoff.summary.further import Stated, further, is_denied, kinds
from handoff.summary.knowledge import newest_last
from handoff.summary.models import Fact
from handoff.summary.statements import Kind, Statement, statements

LONGEST_SYMPTOM = 60
DEVICE_INTENTS = ("device_problem", "firmware_update", "warranty")
_ONE_MORE = re.compile(
    r"还有|另外|而且|现在(?:又|连)|又(?:坏|出|开始|断|黑|死|不)|也(?:坏|不行|没)|(?<![a-z])(?:also|another"
    r"|and now|as well|too|besides"
    r"|now (?:it|the|i)|by the way)(?![a-z])|顺便|(?:而且|现在|这回|这次)连"
)
_PHONE = re.compile(
    r"后四位|后4位|尾号|后面(?:四位)?是|(?<![a-z])(?:last (?:four|4)|ends? (?:in|with)|ending(?: in)?)(?![a-z])"
)
_ASKS_WHICH = re.compile(r"哪一?[款代个种]|几代|型号|还是|(?<![a-z])(?:which|what model)(?![a-z])")
_WHICH = re.compile(r"^\W*(?:是|就是|it's|the|我的?也?是)?\s*(pro|[0-9])(?:代)?(?![a-z0-9.:点号分小天年月个])")
_GENERATION = re.compile(r"(?<![0-9第])([1-9一二两三])代")
_FIGURES = {"一": "1", "二": "2", "两": "2", "三": "3"}
_FOUR = re.compile(r"(?<![0-9a-z.\-])[0-9]{4}(?![0-9\-年]|[.][0-9])")
_ASKS_TROUBLE = re.compile(
    r"(?:什么|啥)(?:问题|现象|情况|故障|毛病|事)|哪里(?:不对|有问题|出问题|坏)|坏在哪|怎么了|发生了什么|描述一下"
    r"|(?<![a-z])what(?:'s| is| was| has)?(?: the| exactly| seems to be the)? ?(?:trouble|matter|problem|wrong"
    r"|happen(?:s|ed|ing)?)(?![a-z])"
)
_ASKS_WHEN = re.compile(
    r"(?:什么时候|哪天|何时|几号|几月|哪年|多久)[^。?？]*(?:买|收到|收货|下单|到手|入手|购)|(?:买|收到|收货|下单|到手"
    r"|入手|购)[^。?？]*(?:什么时候|哪天|何时|几号|几月|多久)"
    r"|(?<![a-z])(?:when|how long ago)(?![a-z])[^.?]*(?:buy|bought|purchase|get it|receive|order|arrive)"
)
_DAY = re.compile(
    r"[0-9]{4}(?:年[0-9]{1,2}月(?:[0-9]{1,2}[日号])?|-[0-9]{1,2}-[0-9]{1,2})|(?:大?前年|去年"
    r"|今年)(?:[0-9一二三四五六七八九十]{1,2}月份?|年?[底初中]|[春夏秋冬]天)?"
    r"|(?:上上?个?|这个?|本)(?:月|周|星期|礼拜)[一二三四五六日天末初底]?|[0-9一二三四五六七八九十]{1,2}月(?:份"
    r"|[底初])?(?:[0-9]{1,2}[日号])?|[0-9]{1,2}号"
    r"|大?[前昨今]天|双(?:十一|11|十二|12)|618|国庆|春节|元旦|五一|中秋|(?:[0-9]+"
    r"|[一两二三四五六七八九十半几]+)个?(?:多)?(?:月|年|周|天|星期)(?:以?前|了)"
    r"|(?<![a-z])(?:last (?:week|month|year|monday|tuesday|wednesday|thursday|friday|saturday|sunday|spring|summer"
    r"|autumn|winter)|yesterday|today"
    r"|(?:[0-9]+|a|one|two|three|four|five|six) (?:days?|weeks?|months?|years?) ago"
    r"|(?:january|february|march|april|may|june|july|august|september|october|november"
    r"|december)(?: [0-9]{1,2})?(?:,? [0-9]{4})?)(?![a-z])"
)
_FAULT = re.compile(
    r"不(?:准|亮|响|动|走|震|转|充电|开机|出水|同步|显示|工作|能用|好使)|没(?:反应|声音|画面|图像|信号|网)|连不上"
    r"|上不了|充不[进上]|打不开|开不了|搜不到|坏了|碎|裂|黑屏|花屏|白屏|死机|卡住|断(?:线|网|连)|掉线|归零|为零|乱跳"
    r"|闪|发烫|进水|漏|脱胶|失灵"
    r"|(?<![a-z])(?:broken|broke|cracked|flicker(?:s|ing)?|blink(?:s|ing)?|black since|dead|black (?:screen|picture)"
    r"|crash\w*|won't|doesn't|not (?:working|syncing|charging|connecting)|stopped|stuck|disappeared|drops?|dropped"
    r"|freezes|frozen|wrong)(?![a-z])"
)


def stated(facts: list[Fact], messages: list[Message]) -> list[Fact]:
    """Return the facts without symptoms that no message states, and with what else the messages state.

    A symptom is stated by the first message that tells of trouble; a later one counts when it tells of one more, or
    answers what the trouble is. Symptoms in the customer's own words come before those the bot has a name for.
    """
    by_seq = {message.seq: message for message in messages}
    trouble = _in_own_words(facts, messages)
    kept: list[Fact] = []
    for fact in facts:
        said = by_seq.get(fact.source_seq or 0)
        if fact.name != "symptom":
            if said is None or not is_denied(fact, said):
                kept.append(fact)
            continue
        pressed = said is None or said.payload is not None
        first = not any(one.name == "symptom" for one in kept) and (
            not trouble or trouble[0].seq >= (fact.source_seq or 0)
        )
        if pressed or first or (said is not None and _one_more_trouble(said)):
            kept.append(fact)
    named = {fact.source_seq or 0 for fact in kept if fact.name == "symptom"}
    own = []
    for number, one in enumerate(trouble):
        is_new = number > 0 or one.seq < min(named, default=one.seq + 1) or _answers_what(one, messages)
        if one.seq not in named and is_new:
            words = excerpt(one.text, LONGEST_SYMPTOM)
            own.append(_fact("symptom", words, words, by_seq[one.seq], number))
    return [*own, *newest_last([*kept, *_answered(kept, messages)])]


def _one_more_trouble(message: Message) -> bool:
    words = fold(message.text)
    troubled = any(one.kind == Kind.TROUBLE for one in statements(message.text, message.seq, service=False))
    return troubled and _ONE_MORE.search(words) is not None


def _answered(facts: list[Fact], messages: list[Message]) -> list[Fact]:
    """What answers say in few words, and what messages state beside what was recognised."""
    found: list[Fact] = []
    question = ""
    candidates: set[str] = set()
    for message in messages:
        words = fold(message.text)
        if message.sender in {Sender.BOT, Sender.AGENT}:
            question = words
        elif message.sender == Sender.CUSTOMER and message.payload is None:
            own = [fact for fact in facts if fact.source_seq == message.seq]
            said = [
                *_phone(message, question, candidates),
                *_model(message, question, facts),
                *_bought(message, question),
            ]
            said = [one for one in said if not any(fact.name == one.name for fact in own)]
            for one in [*said, *further(message, own, question)]:
                found.append(_fact(one.name, one.value, one.quote, message, len(found) + 1))
    return found


def _phone(message: Message, question: str, candidates: set[str]) -> list[Stated]:
    """The last four digits of a phone: where they are spoken of, or said again later on."""
    words = fold(message.text)
    digits = _FOUR.findall(words)
    if _PHONE.search(question) or _PHONE.search(words):
        candidates.update(digits)
    return [Stated("phone_last4", one, one) for one in digits if one in candidates][-1:]


def _model(message: Message, question: str, facts: list[Fact]) -> list[Stated]:
    """Which of the devices of one kind it is: "pro", "是三代的"."""
    words = fold(message.text)
    match = (_WHICH.match(words) if _ASKS_WHICH.search(question) else None) or _GENERATION.search(words)
    if match is None:
        return []
    spoken_of = [one.value for one in facts if one.name == "product" and 0 < (one.source_seq or 0) <= message.seq]
    kind = next(reversed([*kinds(question), *spoken_of]), None)
    if kind is None:
        return []
    model = f"{kind}-{_FIGURES.get(match.group(1), match.group(1))}"
    if f"device_{model}" not in section("summary"):
        return []
    return [Stated("device_model", model, message.text[match.start(1) : match.end(1)])]


def _bought(message: Message, question: str) -> list[Stated]:
    """When it was bought, in the customer's words, as the answer to that question."""
    match = _DAY.search(fold(message.text)) if _ASKS_WHEN.search(question) else None
    quote = message.text[match.start() : match.end()] if match else ""
    return [Stated("purchased_at", quote, quote)] if quote else []


def _answers_what(one: Statement, messages: list[Message]) -> bool:
    """Tell whether a statement answers the question what the trouble is."""
    before = [message for message in messages if message.seq < one.seq and message.sender in {Sender.BOT, Sender.AGENT}]
    return bool(before) and _ASKS_TROUBLE.search(fold(before[-1].text)) is not None


def _in_own_words(facts: list[Fact], messages: list[Message]) -> list[Statement]:
    """Return the sentences that tell of trouble with a device: the first, one more, or the answer to what it is."""
    found: list[Statement] = []
    devices = {fact.source_seq for fact in facts if fact.name in {"product", "device_model"}}
    question = ""
    for message in messages:
        words = fold(message.text)
        if message.sender in {Sender.BOT, Sender.AGENT}:
            question = words
        if message.sender != Sender.CUSTOMER or message.payload is not None:
            continue
        meant = str((message.nlu or {}).get("intent") or "").partition("/")[0]
        asked = _ASKS_TROUBLE.search(question) is not None
        faulty = _FAULT.search(words) is not None
        about = meant in DEVICE_INTENTS or (message.seq in devices and (faulty or asked))
        more = _ONE_MORE.search(words) is not None and faulty
        if (about and not found) or (found and more) or (asked and (about or faulty)):
            told = statements(message.text, message.seq, service=False)
            found += [one for one in told if _tells_trouble(one) or (asked and one.kind == Kind.TOLD)][:1]
            question = ""
    return found


def _tells_trouble(one: Statement) -> bool:
    return one.kind == Kind.TROUBLE or (one.kind != Kind.EMPTY and _FAULT.search(fold(one.text)) is not None)


def _fact(name: str, value: str, quote: str, message: Message, number: int) -> Fact:
    """A fact that is read anew each time, and stored nowhere."""
    return Fact(
        id=-1 - number,
        conversation_id=message.conversation_id,
        name=name,
        value=value,
        quote=quote,
        source_seq=message.seq,
        created_at=message.created_at,
    )
