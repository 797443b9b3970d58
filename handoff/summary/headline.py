"""The one line that a person reads first: who, what, since when, in what mood, hoping for what."""

from __future__ import annotations

import re

from handoff.conversations.models import Message
from handoff.locales import section, text
from handoff.privacy.masking import mask
from handoff.summary import mood
from handoff.summary.designers import trouble
from handoff.summary.evidence import clause, clauses, excerpt, fold
from handoff.summary.hopes import OWN_WORDS, Hope
from handoff.summary.labels import device, moment, named, phone
from handoff.summary.record import Record, intent
from handoff.summary.speech import Problem, is_lost, problem, problems
from handoff.summary.stated import tells_trouble

SHORT_QUOTE = 40
MOST_HOPES = 2
ORDER_INTENTS = {
    "track_order",
    "cancel_order",
    "change_address",
    "invoice",
    "delivery",
    "parcel_problem",
    "return_exchange",
    "refund",
}
SHORTEST_CLAUSE = 3
_ASKS_SINCE = re.compile(r"(?:什么时候|多久|几时|哪天|何时)|(?<![a-z])(?:since when|how long|when did)(?![a-z])")
_OTHER_TIME = re.compile(
    r"[买购]|下单|收到|到货|签收|收货|答应|承诺|保证|客服|说|看错|打错|天气|等了|谢"
    r"|(?<![a-z])(?:bought|ordered|got it|purchased|received|arrived|promised|said|told|weather)(?![a-z])"
)
_SINCE = re.compile(
    r"自?从[^,.;!?、\n]{1,14}(?:开始|起|以?后|之后)"
    r"|(?:更新|升级|刷|买|换|收货|签收)(?:完|了|到|回来)?[^,.;!?、\n]{0,8}(?:以后|之后|后)"
    r"|(?:[0-9一二两三四五六七八九十半几好多]+个?)(?:天|周|星期|礼拜|月|小时|年)(?:多)?了"
    r"|大?(?:前天|昨天|昨晚|前几天|这几天|这两天|上?上周[一二三四五六日天]?|上?上(?:星期|礼拜)[一二三四五六日天]?|上个?月|今天早上|今早|今天|刚刚|刚才)"
    r"|(?<![a-z])(?:(?:ever )?since (?:the |my |last )?[a-z0-9]+(?: [a-z0-9.]+)?"
    r"|after (?:the |an |my |i )?(?:updat\w*|upgrad\w*)"
    r"|for (?:the (?:last|past) )?(?:[0-9]+|a|two|three|several|a few) (?:days?|weeks?|months?|hours?)"
    r"|yesterday|last (?:night|week|month)|this (?:morning|week)|[0-9]+ (?:days?|weeks?) ago)(?![a-z])"
)


def headline(record: Record, wished: list[Hope], language: str) -> str:
    """Return the line in `language`; the customer's words in it stay as they wrote them."""
    parts = [_what(record, language), _when(record, language), _mood(record, language), _hope(wished, language)]
    line = text("summary.semicolon", language).join(part for part in parts if part)
    return text("summary.headline", language, who=record.customer.name or text("desk.customer", language), line=line)


def _what(record: Record, language: str) -> str:
    found = problem(record)
    if found is None:
        return text("summary.no_problem_yet", language)
    what, count = _trouble(record, found, language), len(problems(record))
    return text("summary.several", language, what=what, count=count) if count > 1 else what


def _trouble(record: Record, found: Problem, language: str) -> str:
    subject = _subject(record, found.seq, language)
    if found.symptom is None:
        said = text("summary.problem_quote", language, quote=_short(mask(found.quote, language), language))
        return text("summary.about", language, subject=subject, problem=said) if subject else said
    name = trouble().title(found.symptom, language)
    owner = device(record, language, found.seq, found.symptom)
    owned = text("summary.device_problem", language, device=owner, problem=_bare(name, language)) if owner else name
    used = phone(record, language)
    return text("summary.with_phone", language, problem=owned, phone=used) if used else owned


def _short(quote: str, language: str) -> str:
    """Return the beginning of a quote, marked where it was cut."""
    words = excerpt(quote, SHORT_QUOTE)
    return words if words == quote.strip() else text("summary.cut", language, words=words.rstrip(" ,，.。"))


def _bare(name: str, language: str) -> str:
    """Return a trouble's name without the kind of device with which it begins, which stands before it already."""
    kinds = [text(f"summary.{key}", language) for key in section("summary") if key.startswith("product_")]
    kind = next((kind for kind in kinds if name.lower().startswith(kind.lower())), "")
    return name[len(kind) :].strip() or name


def _subject(record: Record, seq: int, language: str) -> str | None:
    """Return what the words are about: the order, when they speak of one, else the device."""
    order = record.value("order_number")
    meant = intent(record.by_seq[seq]).partition("/")[0]
    if order and (meant in ORDER_INTENTS or not device(record, language)):
        key = "summary.order_lost_told" if is_lost(record, order) else "summary.order"
        return text(key, language, number=order)
    return None if meant in ORDER_INTENTS else device(record, language, seq)


def _when(record: Record, language: str) -> str | None:
    """Return since when, in the customer's own words; else when they first wrote about it."""
    found = problem(record)
    stated = [record.by_seq[found.seq]] if found else []
    for message in [*stated, *record.open_words]:
        match = _began(record, message)
        if match:
            return text("summary.since_words", language, words=message.text[match.start() : match.end()])
    first = record.matter_words[0] if record.matter_words else None
    return text("summary.since", language, moment=moment(first.created_at, record, language)) if first else None


def _began(record: Record, message: Message) -> re.Match[str] | None:
    """Return the words of a message for the time at which the trouble began or occurs.

    They stand beside the trouble, or answer since when it has been so; when a thing was bought, or when somebody said
    something, is another time.
    """
    words = fold(message.text)
    before = record.by_seq.get(message.seq - 1)
    asked = before is not None and _ASKS_SINCE.search(fold(before.text)) is not None
    parts = clauses(words)
    for match in _SINCE.finditer(words):
        said = clause(words, match.start(), match.end())
        place = parts.index(said) if said in parts else 0
        near = said if not _alone(said) else " ".join(parts[max(0, place - 1) : place + 2])
        if not _OTHER_TIME.search(said) and (asked or tells_trouble(near)):
            return match
    return None


def _alone(said: str) -> bool:
    """Tell whether a clause holds nothing but a time."""
    return len(_SINCE.sub("", said).strip()) < SHORTEST_CLAUSE


def _mood(record: Record, language: str) -> str | None:
    feeling = mood.emotion(record.said_by_customer)
    if not feeling["course"]:
        return None
    now = named("mood", feeling["label"], language) or feeling["label"]
    first = mood.before([felt for felt in feeling["course"] if felt["seq"] >= record.matter_start], feeling["label"])
    if first is None:
        return text("summary.mood", language, mood=now)
    return text("summary.mood_changed", language, before=named("mood", first, language) or first, mood=now)


def _hope(found: list[Hope], language: str) -> str | None:
    """Name the first hopes; those that have a name come before what only stands in the customer's words."""
    ranked = sorted(found, key=lambda hope: hope.key == OWN_WORDS)
    wished = [mask(hope.text[language], language) for hope in ranked[:MOST_HOPES]]
    return text("summary.hope", language, hopes=text("summary.and", language).join(wished)) if wished else None
