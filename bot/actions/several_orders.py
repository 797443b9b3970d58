"""Several orders in one message: each is bound to its own clause, with what the clause asks for and its own digits."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.actions.order_details import MOBILE, ORDER_NUMBER, plain

FOUR_DIGITS = re.compile(r"(?<![\dA-Za-z.])\d{4}(?![\dA-Za-z号室弄栋楼年元块]|\.\d)")
_BREAK = re.compile(
    r"[,。;!?\n]|另外|还有|然后|而且|但是?|\.\s|(?<![a-z])(?:and|but|also|then)(?![a-z])", re.IGNORECASE
)
_KEEP = re.compile(
    r"留着|别动|不动|不用(?:动|管|取消|退)|保留|不取消|别取消|不退|照常"
    r"|(?<![a-z])(?:keep|leave|stays?|don'?t (?:cancel|touch|return)|do not (?:cancel|touch|return))(?![a-z])",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(
    r"(?:不是|并非|(?<![a-z])(?:not|isn'?t|wasn'?t))\s*(?:订单号?|order|number|no\.?)?\s*$", re.IGNORECASE
)
_TASK_WORDS = {
    "cancel": r"取消|撤单|不要了|(?<![a-z])(?:cancel|call off)",
    "invoice": r"发票|开票|(?<![a-z])(?:invoice|receipt)",
    "address": r"地址|(?<![a-z])address",
    "exchange": r"换货|换一个|换个新|(?<![a-z])(?:exchange|replace|swap)",
    "refund_status": r"退款(?:到|进度|什么时候)|(?<![a-z])(?:my refund|refund status|status of (?:my|the) refund)",
    "return": r"退货|退掉|想退|要退|(?<![a-z])(?:return|send (?:it )?back)",
    "refund": r"退款|退钱|(?<![a-z])refund",
    "track": r"到哪|物流|快递|查一?[下查]|看看|发货|什么时候到|(?<![a-z])(?:where|track|status|check|arrive)",
}


_ORDINALS = (
    re.compile(r"第一[个单]|前[一面]?[个单]|(?<![a-z])(?<!at )(?:first|former)(?! of all)(?![a-z])", re.IGNORECASE),
    re.compile(r"第二[个单]|后[一面]?[个单]|(?<![a-z])(?:second|latter)(?![a-z])", re.IGNORECASE),
)
_ONE_OF_THEM = re.compile(
    r"其中|便宜的那|贵的那|随便|哪个都|(?<![a-z])(?:one of (?:them|these|the)|either|the (?:cheap|expensive|older"
    r"|newer)\w*)(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class OrderWish:
    """One order that a message names: what its clause asks for (None where it names no task) and its digits."""

    number: str
    task: str | None
    proof: str | None


def wishes(text: str) -> list[OrderWish]:
    """What a message wants of each order it names, in its order; those that are only to be kept are left out."""
    text = plain(text)
    bound = [(_wish(number, text[slice(*stretch)]), text[slice(*stretch)]) for number, stretch in _stretches(text)]
    ordered = _by_ordinals(text, list({wish.number: wish for wish, _ in bound}.values()))
    if ordered is not None:
        return ordered
    found = [wish for wish, stretch in reversed(bound) if not _KEEP.search(stretch)]
    return list({wish.number: wish for wish in found}.values())[::-1]


def unsure(text: str) -> bool:
    """Does a message with several orders speak of one of them only, without saying which?"""
    return bool(_ONE_OF_THEM.search(text)) and len(named(text)) > 1


def _by_ordinals(text: str, found: list[OrderWish]) -> list[OrderWish] | None:
    """What "the first" and "the second" are to get; None where the message does not speak of its orders so."""
    clauses = [clause for clause in _BREAK.split(ORDER_NUMBER.sub(" ", text)) if clause.strip()]
    said = [next((clause for clause in clauses if ordinal.search(clause)), None) for ordinal in _ORDINALS]
    told = [
        replace(wish, task=task_in(clause))
        for wish, clause in zip(found, said, strict=False)
        if clause and not _KEEP.search(clause)
    ]
    named_all = None not in said
    return told if len(found) == len(_ORDINALS) and told and (named_all or told[0].task) else None


def named(text: str) -> list[str]:
    """The different order numbers of a message; one that is only denied ("not LM...") does not count."""
    return list(dict.fromkeys(number for number, _ in _stretches(plain(text))))


def task_in(text: str) -> str | None:
    """The task that the words of one clause name."""
    return next((task for task, words in _TASK_WORDS.items() if re.search(words, text, re.IGNORECASE)), None)


def _stretches(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Each order number with the stretch of the text that speaks of it."""
    matches = [match for match in ORDER_NUMBER.finditer(text) if not _NOT_THIS.search(text[: match.start()])]
    found, start = [], 0
    for at, match in enumerate(matches):
        end = len(text) if at + 1 == len(matches) else _border(text, match.end(), matches[at + 1].start())
        found.append((_number(match), (start, end)))
        start = end
    return found


def _border(text: str, after: int, before: int) -> int:
    """Where the clause of one number ends and that of the next begins: at the last break between them."""
    breaks = [match.start() for match in _BREAK.finditer(text, after, before)]
    return breaks[-1] if breaks else before


def _number(match: re.Match[str]) -> str:
    return "LM" + re.sub(r"\D", "", match.group())


def _wish(number: str, stretch: str) -> OrderWish:
    digits = FOUR_DIGITS.findall(MOBILE.sub(" ", ORDER_NUMBER.sub(" ", stretch)))
    return OrderWish(number, task_in(stretch), digits[0] if len(digits) == 1 else None)
