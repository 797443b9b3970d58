"""Steps the customer says were tried already, so that nobody proposes them again."""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.nlu.lookups import compile_all, lookup
from bot.nlu.text import SENTENCE_END, Aligned, clause_around, split

_DONE = re.compile(
    r"了|过|试|都|已|也|还是|依然|仍|没用|无效|不行"
    r"|(?<![a-z])(?:already|tried|did|have|has|had|i've|still|no luck|nothing"
    r"|without|didn't help|doesn't help|ed)(?![a-z])"
    r"|ed(?![a-z])|reset(?! the)"
)
_NOT_DONE = re.compile(
    r"怎么|如何|怎样|没(?:有)?(?:重启|重装|更新|升级|试|充|换|校准|清|检查|恢复|重置|重新)|还没|不想|不会|不敢|不能|无法|要不要|需要|是不是要|应该|能不能|可不可以|可以吗|能否|想要?|打算|自动|总是?|一直|老(?:是|(?![婆公妈爸伴头师板家手款版的旧]))|会(?:自己|自动)|自己|突然"
    r"|(?<![a-z])(?:how (?:do|to|can)|should i|do i (?:need|have)|can i|haven't|have not|not yet|didn't try"
    r"|don't want|keeps?"
    r"|by itself|on its own|want to|need to|going to|randomly)(?![a-z])"
)
_ALL = re.compile(r"^\s*(?:都|全|也都|统统|这些|none|nothing|all)")
_AFTER_EVENT = re.compile(
    r"(?:升级|更新|updat\w*|upgrad\w*)[^,。;]{0,10}(?:以?后|之后|完后|就)|(?<![a-z])(?:after|since)(?![a-z])[^,。;]{0,20}(?:updat|upgrad)"
)
_VAGUE_STEPS = {"check_permission", "check_notification", "check_bluetooth", "check_battery_saver"}
_CHECKED = re.compile(r"了|过|都|已|全|(?<![a-z])(?:is|are|already|checked|enabled|allowed|granted|turned|on)(?![a-z])")
_LACKS = re.compile(
    r"没(?:有)?(?:开|给|权限|允许|打开)|不(?:了|能|让)|(?<![a-z])(?:no|not|can't|cannot|won't)(?![a-z])"
)


@dataclass(frozen=True)
class Step:
    """A step's code and the stretch of the normal text that says it was done."""

    code: str
    at: int
    end: int


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, bool, re.Pattern[str]]]:
    return [
        (code, bool(entry.get("alone")), compile_all(entry["patterns"]))
        for code, entry in lookup("tried_steps").items()
    ]


def extract(aligned: Aligned) -> list[Step]:
    """The steps done, in the order they are told, each code once."""
    found: list[Step] = []
    for code, alone, pattern in _patterns():
        for match in pattern.finditer(aligned.text):
            start, end = match.span()
            if any(step.at <= start < step.end or step.at < end <= step.end for step in found):
                continue
            if _was_done(aligned, start, end, code, alone):
                found.append(Step(code, start, end))
                break
    return sorted(found, key=lambda step: step.at)


def _was_done(aligned: Aligned, start: int, end: int, code: str, alone: bool) -> bool:
    clause_start, clause_end = clause_around(aligned, start)
    clause = aligned.text[clause_start:clause_end]
    if _asks(aligned, clause_end, clause) or _NOT_DONE.search(clause):
        return False
    if code in ("update_firmware", "update_app") and _AFTER_EVENT.search(clause):
        return False
    if code in _VAGUE_STEPS:
        return bool(_CHECKED.search(clause)) and not _LACKS.search(clause)
    if alone or _DONE.search(clause):
        return True
    return _summed_up(aligned, clause_start, clause_end)


def _asks(aligned: Aligned, clause_end: int, clause: str) -> bool:
    """True for a question: it ends in a question mark or particle."""
    after = aligned.text[clause_end : clause_end + 1]
    return after == "?" or bool(re.search(r"(?:吗|么|呢)\s*$", clause))


def _summed_up(aligned: Aligned, start: int, end: int) -> bool:
    """True when a later clause of the same sentence says that all of it was done ("…, …, 都试过了")."""
    for sentence_start, sentence_end in split(aligned, SENTENCE_END):
        if not sentence_start <= start < sentence_end:
            continue
        rest = [aligned.text[a:b] for a, b in split(aligned) if end < a and b <= sentence_end]
        return any(
            _DONE.search(clause) and (_ALL.search(clause) or "试" in clause or "tried" in clause) for clause in rest
        )
    return False
