"""Steps the customer says were tried already, so that nobody proposes them again."""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.nlu.lookups import compile_all, lookup
from bot.nlu.text import SENTENCE_END, Aligned, clause_around, split

_DONE = re.compile(
    r"了|过(?![不去来])|完(?!成)|试|都|已|也|还是|依然|仍|照样|一样|没用|没好|没变|无效|不行|不管用|不好使"
    r"|按.{1,6}(?:说|教|讲|写)的|照着|(?<=[a-z])再(?=[a-z])|[\d一二两三四五六七八九十几多][次遍回趟]"
    r"|(?<![a-z])(?:already|tried|did|gave|got|held|kept|left|put|ran|stood|took|went|wore|have|has|had|i've|still"
    r"|no luck|nothing|without|didn't help|doesn't help|twice|times)(?![a-z])"
    r"|ed(?![a-z])|(?<=[a-z])(?:到|完|好)|reset(?! the)|(?<![a-z])(?:i|we) (?:\w+ )?reset"
)
_ASKED = re.compile(
    r"怎么(?!还|又|就|都|也|连|没|不)|怎样|要不要|能不能|可不可以|可以吗|能否|该不该|会不会|用不用|需不需要|有必要|有没有|是不是(?:还)?(?:要|得|该)"
    r"|(?<![a-z])(?:how (?:do|to|can)|should i|do i (?:need|have)|can i|not yet"
    r"|by itself|itself|on its own|randomly)(?![a-z])"
)
_NOT_DONE = re.compile(
    r"(?:没(?:有)?|未|别|不|不要|不用|不必)(?:去|再|让我|叫我|试过?|尝试|做过?|来得及|顾上|敢|能|把它|给它)*$"
    r"|怎么|如何|为[啥什]|是不是|多久|还没|不想|不会|不敢|不能|无法|需要|应该|想要?|打算|准备|害怕|怕|等我|等会|回头|自动"
    r"|总是?|一直|老(?:是|(?![婆公妈爸伴头师板家手款版的旧]))|(?<!我)自己|突然|无限|循环|频繁|每(?!个)|隔(?![了壁])|天天|非得|只能|[它就又夜]会"
    r"|(?:让|叫|要|教|建议|劝)我(?:去|再|先)*$|(?:照样|还是|仍然?|依旧)$"
    r"|(?<![a-z])(?:(?:have|has|did|do|could|would|should|will|wo|ca)(?:n't| not)"
    r"|cannot|never|rather|don't want|keeps?"
    r"|want to|need to|(?:have|has) to|going to|gonna|planning to|about to"
    r"|(?:i'll|i will)|(?:can|could|will|would) you|please|if i)(?![a-z])"
)
_DENIED = re.compile(r"没(?!问题|反应)|未|自动|自己")
_WANTED = re.compile(
    r"(?:(?:给|帮|替)我们?|请|麻烦|我要|申请|可以)(?![^,。;]*[了过])"
    r"|(?<![a-z])(?:send (?:me|us)|(?:i|we) (?:need|want|would like)|i'd like|get me)(?![a-z])"
)
_LEFT_UNDONE = re.compile(
    r"没(?:有)?(?:再|去|怎么)?(?:敢|来得及|时间|顾上|机会|做|试|弄|搞|重启|重装|重置|恢复出厂|更新|升级|换|拔|碰|清|删|解绑|校准|关机)"
    r"|(?:还|都|也|从)没(?!好|反应|用|有|效果|变化|解决|修好|恢复正常|连上|来|到|消息|电|问题|管用)"
    r"|不敢|不会弄|不想再|懒得"
    r"|(?:打算|准备|计划|回头|等会|等下|待会|改天|明天|明早|今晚|晚点|下班|周末|有空)[^了过]*$"
    r"|(?:要不要|如果|要是|假如|万一)"
    r"|(?:[说让叫劝]|建议|推荐|教)(?:我们?|咱)[^了过]*$"
    r"|(?<![a-z])(?:(?:have|has|had|did|do|could|would|should|am|was)(?:n'?t| not)|never|not yet|without even)(?![a-z])"
    r"(?![^,.;]*(?<![a-z])(?:help|work|works|worked|change|fix|solve|sort|matter|find|see|anything|nothing|any|connect|sync"
    r"|charge|pair|turn|start|show|respond|come|stay|go)(?![a-z]))"
    r"|(?<![a-z])(?:going to|gonna|(?<!it )(?:will|won'?t|might|may|should|could)|i'?ll|maybe|plan(?:ning)? (?:to|on)"
    r"|thinking (?:of|about)"
    r"|about to|let me|if (?:i|we|you)|want(?:ed)? to|need to|have to|told me to|tells me to|suggest\w*"
    r"|tonight|tomorrow|on (?:his|her|their) (?:own )?(?:phone|one|device))(?![a-z])"
)
_LIST_BEGINS = re.compile(r"(?<![a-z])(?:tried|did|done)(?![a-z])")
_LIST_BEFORE = re.compile(
    r"^\s*(?:(?:and|a|an|the|then|also|plus|&)\s+)*"
    r"(?:[\w-]+(?: (?:it|them|the \w+))?\s+(?:and|&|plus)\s+(?:(?:a|an|the)\s+)?)?$"
)
_LIST_AFTER = re.compile(r"^(?:\s+(?:and|&|plus)\s.*|(?:\s+\w+){0,3}\s*)$")
_WHY_STILL = re.compile(r"(?:怎么|为什么|为啥|咋)(?:还|又|就|都|也)|(?<![a-z])why(?![a-z])")
_ALL = re.compile(
    r"^\s*(?:都|全|也都|统统|这些|还是|依然|仍|照样|[一两三]样|没用|没好|不行|无效|none|nothing|all|still|same|no luck)"
)
_ALL_BEFORE = re.compile(
    r"(?:都|全|方法|办法|步骤)[^,。;]*(?:试|做|弄|操作|搞)[^,。;没]*[了过]"
    r"|(?<![a-z])(?:tried|did) (?:everything|all)(?![a-z])"
)
_AFTER_EVENT = re.compile(
    r"(?:升级|更新|刷|updat\w*|upgrad\w*)[^,。;]{0,10}(?:以?后|之后|完(?!了)|就|死|坏)|(?<![a-z])(?:after|since)(?![a-z])[^,。;]{0,20}(?:updat|upgrad)"
)
# An update that got stuck or failed is the trouble, not a step taken against it.
_STUCK = re.compile(r"卡[住在死了]|到一半|中断|(?<![a-z])stuck(?![a-z])")
_UPDATES = ("update_firmware", "update_app")
_VAGUE_STEPS = {"check_permission", "check_notification", "check_bluetooth", "check_battery_saver"}
_CHECKED = re.compile(r"了|过|都|已|全|(?<![a-z])(?:is|are|already|checked|enabled|allowed|granted|turned|on)(?![a-z])")
_LACKS = re.compile(
    r"没(?:有)?(?:开|给|权限|允许|打开)|(?<!还是)(?<!也)不(?:了|能|让)|(?<![a-z])(?:no|not|can't|cannot|won't)(?![a-z])"
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


@lru_cache(maxsize=64)
def extract(aligned: Aligned) -> tuple[Step, ...]:
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
    return tuple(sorted(found, key=lambda step: step.at))


def _was_done(aligned: Aligned, start: int, end: int, code: str, alone: bool) -> bool:
    clause_start, clause_end = clause_around(aligned, start)
    clause = aligned.text[clause_start:clause_end]
    before, after = clause[: start - clause_start], clause[end - clause_start :]
    if _ASKED.search(clause) or (_asks(aligned, clause_end, clause) and not _WHY_STILL.search(after)):
        return False
    denied = _DENIED.search(clause, start - clause_start, end - clause_start)
    if denied or _NOT_DONE.search(before) or left_undone(clause):
        return False
    if _wanted(clause, start - clause_start):
        return False
    if code in _UPDATES and (_AFTER_EVENT.search(clause) or _STUCK.search(after)):
        return False
    if code in _VAGUE_STEPS:
        return bool(_CHECKED.search(clause)) and not _LACKS.search(clause)
    if alone or _DONE.search(clause) or _is_listed(aligned, clause_start, before, after):
        return True
    return _summed_up(aligned, clause_start, clause_end)


def _is_listed(aligned: Aligned, clause_start: int, before: str, after: str) -> bool:
    """Does a bare name of a step go on with a list of what was tried ("tried a restart, re-pair and reinstall")?"""
    if not _LIST_BEFORE.search(before) or not _LIST_AFTER.search(after):
        return False
    sentence_start = next(start for start, end in split(aligned, SENTENCE_END) if start <= clause_start < end)
    return bool(_LIST_BEGINS.search(aligned.text[sentence_start : clause_start + len(before)]))


def left_undone(clause: str) -> bool:
    """Does a clause of normal text say that something was not done, or may be done later or by others?"""
    return bool(_LEFT_UNDONE.search(clause))


def _asks(aligned: Aligned, clause_end: int, clause: str) -> bool:
    """True for a question: it ends in a question mark or particle."""
    after = aligned.text[clause_end : clause_end + 1]
    return after == "?" or bool(re.search(r"(?:吗|么|呢)\s*$", clause))


def _wanted(clause: str, at: int) -> bool:
    """True when what stands at `at` is asked of somebody else and not told as done."""
    match = _WANTED.search(clause)
    return match is not None and match.start() < at


def _summed_up(aligned: Aligned, start: int, end: int) -> bool:
    """True when another clause of the same sentence says that all of it was done ("…, …, 都试过了", "都弄了: …")."""
    for sentence_start, sentence_end in split(aligned, SENTENCE_END):
        if not sentence_start <= start < sentence_end:
            continue
        if _ALL_BEFORE.search(aligned.text[sentence_start:start]):
            return True
        rest = [aligned.text[a:b] for a, b in split(aligned) if end < a and b <= sentence_end]
        return any(
            _DONE.search(clause) and (_ALL.search(clause) or "试" in clause or "tried" in clause) for clause in rest
        )
    return False
