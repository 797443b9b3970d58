"""What the customer hopes for, said or implied, found by the designers' phrases in `hopes.yml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from handoff.conversations.models import Message
from handoff.locales import LANGUAGES
from handoff.summary.evidence import clauses, excerpt, fold
from handoff.summary.record import Record, intent
from handoff.summary.statements import Kind, statements

PHRASES = Path(__file__).with_name("hopes.yml")
LONGEST_QUOTE = 80
LONGEST_READ = 600
DENIED_WITHIN = 40
_NOT_WANTED = re.compile(
    r"(?:不想|不用|不要|不需要|不必|无需|不是要|别|(?:do ?n[o']?t|do not) (?:want|need)|no need|not asking)"
    r"[^,.;!?、\n]{0,8}$"
)
# A wish, a need or what is at stake, in no words of `hopes.yml`: it is kept as the customer put it.
_NEED = re.compile(
    r"(?<!不)(?<![不理设联])想(?!到|起|象|不|必|法|问一?下)|(?<![的不])(?:要求|希望|需要(?!的)|盼着?|求(?:求|你|您))"
    r"|怕|担心|急[用着]|着急|等着|靠|指[着望]|就等|离不开|全凭|非[^,.;!?、\n]{1,6}不可|不得不|耽误|误了|来不来?得及"
    r"|还来得及|最好|宁可|千万|起码|至少|太[久慢晚迟贵]|等不[了及起]|来不及|不接受|不同意|不认(?!识)|那不行|不答应"
    r"|就行(?!不)|就可以了?$|就好(?!了)"
    r"|早[点日]|赶快|尽量|算数|兑现|说话算话|负责|糊弄|忽悠"
    r"|赶(?:时间|着|飞机|车)|(?:不想|不要|别|不能|不可以)(?:再|没|断|漏|少|丢|让|又|耽误|打|发|给|自动|只|告诉|换|催)"
    r"|必须|一定(?:要|得)"
    r"|我(?:就|只)?要(?!是)|(?:今|明|后)[天晚早][^,.;!?、\n]{0,8}要|(?:周[一二三四五六日天末]|[0-9]+号|出差"
    r"|出门)[^,.;!?、\n]{0,6}(?:要|得|前|用)"
    r"|能不能|可不可以|能先|能调|行不行|可以[^,.;!?\n]{0,8}吗|怎么办|怎么拿|弄好|搞定|直接[^,.;!?\n]{0,4}给我|给我"
    r"|(?<![a-z])(?:i(?:'d| would)? (?:just |really |only |still )?(?:want|need|hope|wish|like|expect)"
    r"|(?:worried|afraid|scared)|must|have to"
    r"|has to|no more|don't want|please (?!note)|before (?:monday|tuesday|wednesday|thursday|friday|saturday"
    r"|sunday|i|my|the|we)|give me"
    r"|need(?:s|ed)? (?:it|this|to|the|my)|depend on|rely on|can't (?:be|do|go|work|sleep|live|afford)|(?:can"
    r"|could) (?:someone|you|i|we)"
    r"|i will not|i won't|i should|i'd rather|please do|in time for|as long as|matters?(?= (?:to|a lot)|$)|matters"
    r"|at least"
    r"|it'?s for (?:my|a|the)|deadline|urgent\w*|asap|running out|no use to me|without it|would be (?:nice|good"
    r"|great)|is it possible"
    r"|how (?:do|can|am) i|what (?:about|if)|when can|i'm (?:waiting|counting))(?![a-z])"
)
_STAKE = re.compile(
    r"孩子|小孩|宝宝|闺女|女儿|儿子|我[妈爸姐]|老人|老公|媳妇|老板|医生|医院|生日|大寿|结婚|纪念日|礼物|考试|比赛"
    r"|上班|加班|出差|报销|关账|体检|手术|怀孕"
    r"|一个人住|夜班|值班|倒班|外卖|跑单|开店|店里|客人|客户|开会|面试|答辩|论文|奖金|糖尿病|高血压|心脏病|透析|吃药"
    r"|血压|失眠|残疾|看不见|听不见|爷爷|奶奶|姥姥|姥爷|外[公婆]|婆婆|岳[父母]|爸妈|父母|家人|租客|房东|病人|学生"
    r"|宠物|[养只]猫|[养条只]狗|遛狗|花了[^,.;!?、\n]{0,4}[0-9百千万]|错过|损失|亏了|白(?:跑|等|花|买|请|忙)|请了?假"
    r"|浪费|我是[^,.;!?、\n]{1,7}的$|警察|报警|罚|房颤|早搏|迷路|吓(?:哭|坏|死)|接不到|扣(?:钱|款|五|工资)"
    r"|(?<![a-z])(?:my (?:daughter|son|baby|kids?|wife|husband|mum|mom|dad|father|mother|boss|accountant"
    r"|doctor)|baby|doctor|cardiologist|hospital"
    r"|pregnant|birthday|anniversary|wedding|gift|exam|race|marathon|rent|police|burglary|flight|blind"
    r"|wheelchair|alone|when i fall|patients"
    r"|at work|embarrassing|coach(?:es)?|dialysis|diabet\w*|dose|medication|insulin|blood pressure|heart condition"
    r"|epilep\w*|night shifts?"
    r"|shifts?|customers|guests|clients|landlord|interview|deadline|thesis|on call|disabled|deaf|newborn|funeral"
    r"|holiday|trip|i(?:'m| am) (?:a|an|the only|on|in)|i (?:run|work|live|teach|drive|train)|cost me|wasted"
    r"|gran(?:ny|dma|dpa|dmother|dfather|dson|ddaughter)?|parents|nan|tenants?|students?|pupils|cats?|dogs?"
    r"|too (?:long|late|slow)"
    r"|not acceptable|unacceptable|can't wait|lost (?:my|all|the)|out of warranty|since (?:my|the) (?:surgery"
    r"|operation|stroke))(?![a-z])"
)
OWN_WORDS = "own_words"
SHORTEST_QUESTION = 2
_NO_QUESTION = re.compile(
    r"^(?:在吗|你好|喂)[^?？]*$|^\W*[0-9]+\W*$|复读机|机器人|人话|^你?当我|佩服|没想到|^(?:did|can't|cannot|isn't|is|has|have|does"
    r"|do|are|will|should)(?![a-z])[^?]*$"
)


@dataclass(frozen=True)
class Hope:
    """A hope with its evidence; `key` names it for the advice."""

    key: str
    text: dict[str, str]
    quote: str
    seq: int


@dataclass(frozen=True)
class Phrases:
    """One entry of `hopes.yml`, ready to be matched on folded text."""

    key: str
    text: dict[str, str]
    said: re.Pattern[str] | None
    withdrawn: re.Pattern[str] | None
    intents: tuple[str, ...]


@cache
def phrases() -> tuple[Phrases, ...]:
    """Return the designers' phrases, in their order."""
    content = yaml.safe_load(PHRASES.read_text(encoding="utf8"))
    return tuple(
        Phrases(
            key,
            {"zh": entry["zh"], "en": entry["en"]},
            _any_of(entry.get("said")),
            _any_of(entry.get("withdrawn")),
            tuple(entry.get("intents") or ()),
        )
        for key, entry in content.items()
    )


def hopes(record: Record) -> list[Hope]:
    """Return the hopes of the present matter in the order in which they were first said; withdrawn ones are gone.

    Where no phrase or need tells, the understood wish of the message that states the trouble stands for the hope.
    """
    found: dict[str, Hope] = {}
    heard: set[str] = set()
    is_told = False
    for message in record.matter_words:
        fresh = [part for part in clauses(message.text[:LONGEST_READ]) if part not in heard]
        heard.update(fresh)
        words = fold("\n".join(fresh))
        named: set[str] = set()
        for entry in phrases():
            if entry.withdrawn and entry.withdrawn.search(words):
                found.pop(entry.key, None)
                heard.clear()
            elif quote := _in_clause(entry.said, words, fresh):
                named.add(quote)
                found.setdefault(entry.key, Hope(entry.key, entry.text, quote, message.seq))
        rest = [part for part in fresh if part not in named]
        quote = _in_clause(_NEED, fold("\n".join(rest)), rest)
        is_told = is_told or bool(named) or quote is not None
        if fresh and not named and quote is None:
            quote = _in_clause(_STAKE, words, fresh) or _asked(message)
        if quote:
            texts = {str(language): f"“{quote}”" for language in LANGUAGES}
            found[f"{OWN_WORDS}:{message.seq}"] = Hope(OWN_WORDS, texts, quote, message.seq)
    return [*found.values(), *([] if is_told else _implied(record))]


def _in_clause(pattern: re.Pattern[str] | None, words: str, parts: list[str]) -> str | None:
    """Return the first clause of `parts`, which `words` joins in folded letters, that the pattern finds undenied."""
    for match in pattern.finditer(words) if pattern else ():
        if not _NOT_WANTED.search(words[max(0, match.start() - DENIED_WITHIN) : match.start()]):
            return excerpt(parts[words.count("\n", 0, match.start())], LONGEST_QUOTE)
    return None


def _asked(message: Message) -> str | None:
    """Return the first wish of a message, or what it asks; an exclamation like "260?" asks for nothing."""
    for one in statements(message.text[:LONGEST_READ], message.seq, service=False):
        asks = one.kind == Kind.QUESTION and len(one.pairs) >= SHORTEST_QUESTION
        if (one.kind == Kind.WISH or asks) and not _NO_QUESTION.search(fold(one.text)):
            return excerpt(one.text, LONGEST_QUOTE)
    return None


def _implied(record: Record) -> list[Hope]:
    for message in reversed(record.matter_words):
        meant = intent(message)
        for entry in phrases():
            if meant and any(meant == name or meant.startswith(f"{name}/") for name in entry.intents):
                return [Hope(entry.key, entry.text, excerpt(message.text, LONGEST_QUOTE), message.seq)]
    return []


def _any_of(patterns: list[str] | None) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
