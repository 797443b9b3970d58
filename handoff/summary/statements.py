"""Statements: the sentences of a message, and what each one does: ask, want, report trouble, tell, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from handoff.summary.evidence import fold


class Kind(StrEnum):
    """What a sentence does."""

    QUESTION = "question"
    WISH = "wish"
    TROUBLE = "trouble"
    TOLD = "told"
    EMPTY = "empty"


@dataclass(frozen=True)
class Statement:
    """One sentence of a message, letter for letter, with the number of the message.

    `service` says that the bot or an agent wrote it, whose courtesies are empty.
    """

    text: str
    seq: int
    service: bool

    @cached_property
    def kind(self) -> Kind:
        """What the sentence does."""
        return _kind(fold(self.text), self.service)

    @cached_property
    def pairs(self) -> frozenset[str]:
        """Neighbouring letters without particles and pronouns: what two statements must share to be about the same."""
        bare = _LOOSE.sub("", fold(self.text))
        return frozenset(bare[at : at + 2] for at in range(len(bare) - 1))


_SENTENCE = re.compile(r"[^。！？!?\n；;]+[。！？!?；;]*")
_LATIN_SENTENCE = re.compile(r"(?<=[a-z][.])\s+(?=[A-Z])")
_LOOSE = re.compile(
    r"[\W_]|[我你您他她它的了吗呢吧啊呀哦嘛么哈是]|(?<![a-z])(?:the|a|an|i|you|it|is|to|my|your)(?![a-z])"
)

_MACHINE = re.compile(
    r"^\s*(?:https?://\S+|\[[^\]]*\]|【[^】]*】|#\S+#|[\d\s\-+.,:;/()\[\]]+|[^\w]+)\s*$"
    r"|^(?:请选择咨询订单|咨询订单号|顾客通过|转?人工(?:客服|服务)?$)|订单编号:\["
)
_COURTESY = re.compile(
    r"您好|你好|哈喽|嗨|在吗|在的?|在不在|有人吗|亲爱[的哒]|亲亲?|请问|早上好|中午好|下午好|晚上好|晚安|早安|拜拜|再见|谢谢[您你]?|多谢|感谢|麻烦[您你]?了?|辛苦[您你]?了?"
    r"|不客气|客气|不好意思|抱歉|对不起|好[的吧滴嘞啦哒呢]*|嗯+|哦+|噢+|喔|恩+|额+|呃|哈+|呵+|嘻+|嘿+|行[的吧]?|对[的呀啊]?|是[的呀啊]?|知道了?|明白了?|懂了?|了解了?|收到|可以|没事|没有了?|没了|不用了?"
    r"|稍等|等[一]?下|马上|算了|就这样|这样啊?|原来如此|客服|人工|姐姐|美女|帅哥|小妹|妹子|朋友|那|就|先|也|很|非常|真|都|了|的|吧|呢|啊|呀|哦|嘛|么|哈|啦|哒|滴|喽|嘞|一下|您|你|我"
    r"|(?<![a-z])(?:hi|hello|hey|there|ok(?:ay)?|yes|yeah|yep|no|nope|sure|thanks?|thank|you|so|much|please|bye|goodbye|good|morning"
    r"|afternoon|evening|great|fine|alright|right|got|it|i|see|sorry|anyone|here|hmm+|oh)(?![a-z])|\W|_"
)
_SERVICE_TALK = re.compile(
    r"还有(?:什么|其[他它]|别的|其余)|有什么(?:问题|可以|能)|(?:可以|能)帮[到您您你]|帮[到您]*(?:您|你)的?[吗么呢]|为您服务|感谢您|谢谢您|祝您|祝你|欢迎|再见"
    r"|(?:请|您|辛苦)[^,，]{0,4}(?:稍等|稍后|等待一下)|稍等|正在(?:为您|帮您|给您)?(?:查|核实|看)|(?:马上|这就|先|这边)[^,，]{0,6}(?:查询|核实|看一?下|查一?下|帮您)"
    r"|(?:很|非常|十分|实在|真的?|确实)?[^,，]{0,3}(?:抱歉|对不起|不好意思)|给您带来|理解您|请您?谅解|见谅|不打扰|评价|点击小|红心|很高兴|很荣幸|荣幸|咨询(?:的是|什么|之前|哪)"
    r"|简单描述|术业|相遇|之前的问题|亲是这样|跟您说|和您说|怎么称呼|请讲|请说|您说"
    r"|我(?:能|很|完全|特别)?(?:明白|理解|懂)|(?:确实|真的|难免|肯定)[^,，]{0,6}(?:着急|难受|糟心|闹心|生气|扫兴|不方便|失望)|(?:^|[,，])我是[^,，]{1,12}$"
    r"|(?<![a-z])(?:(?:how|what) can i (?:help|do)|anything else|(?:happy|glad) to help|one moment|please wait"
    r"|let me (?:check|look)"
    r"|have a (?:nice|good|great)|you'?re welcome|i'?m sorry|sorry (?:to|about|for)|i understand"
    r"|thank you for|welcome to|that(?:'s| is| must be) (?:really |very )?(?:annoying|frustrating))(?![a-z])"
    r"|^(?:\W|hi|hello|hey)*i(?:'m| am) [a-z]+\W*$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"[?？]\s*$|[对是行]吧[。.~～!！]*$|[吗么](?:[的呢啊呀哦。.~～!！]*)$|吗[,，]|怎么|怎样|咋|什么|啥|多少|多久|多大|多长|哪|(?<![前这好十])几[点天个日号时月年]|为何|是否|能否|可否|何时|有没有|(.)不\1|是不是|能不能|可不可以|谁"
    r"|^(?:[^a-z]*)(?:what|how|when|where|why|which|who|can|could|do|does|did|is|are|will|would|should|has|have)(?![a-z])"
)
_WISH = re.compile(
    r"(?<![的不])(?:想要?|要求|需要|希望|打算|(?<!在)申请)(?!问|咨询|知道|请问|的|了|过)|我(?:们)?要|我也要|帮(?:我|忙|一下|看|查)|给我|麻烦|请(?:帮|给|把|尽快|你|您)|尽快|赶紧|快点|催|能(?:帮|给)"
    r"|(?<![a-z])(?:i(?:'d| would) like|i (?:want|need)|please|help me|give me)(?![a-z])"
)
_TROUBLE = re.compile(
    r"没|不(?!过|错|客气|好意思|仅|但|同|管)|坏|错|少了|缺|破|漏|裂|断|卡|慢|丢|失败|故障|问题|投诉|异常|报错|假的|无法|未|难|差(?!不多)|过分|骗|晚|迟|拒|退[货款]"
    r"|(?<![a-z])(?:not|never|no|can'?t|won'?t|doesn'?t|didn'?t|isn'?t|hasn'?t|broken?|wrong|missing|fail\w*|error|stuck|lost|damaged|problem|issue|late|slow"
    r"|dead|crash\w*|stopped)(?![a-z])"
)
_VERDICT = re.compile(
    r"^\W*(?:亲+|嗯+)?\W*(?:不?可以|不?能|不?会|不?行|不?支持|不?需要|不?是|没?有|没?问题|不用|对)[的哦呢呀哈啊了亲~]*\W*$"
    r"|^\W*(?:yes|no|not yet|not possible|of course)\W*$"
)
SHORTEST = 2


def statements(text: str, seq: int, *, service: bool) -> list[Statement]:
    """Return the sentences of a message in order."""
    return [
        Statement(sentence, seq, service)
        for match in _SENTENCE.finditer(text)
        for sentence in _LATIN_SENTENCE.split(match.group().strip())
        if sentence
    ]


def alike(one: Statement, others: Iterable[Statement], share: float) -> bool:
    """Tell whether a statement shares so much of its letter pairs with one of the others that it repeats it."""
    return any(
        len(one.pairs & other.pairs) >= share * max(1, min(len(one.pairs), len(other.pairs))) for other in others
    )


def _kind(words: str, service: bool) -> Kind:
    if service and _VERDICT.search(words):
        return Kind.TOLD
    if _MACHINE.search(words) or len(_COURTESY.sub("", words)) < SHORTEST:
        return Kind.EMPTY
    if service and _SERVICE_TALK.search(words):
        return Kind.EMPTY
    if _QUESTION.search(words):
        return Kind.QUESTION
    if _WISH.search(words):
        return Kind.WISH
    return Kind.TROUBLE if _TROUBLE.search(words) else Kind.TOLD
