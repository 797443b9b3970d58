"""Order numbers, phone digits, versions and error codes in a message."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from bot.nlu.text import Aligned

Found = tuple[str, str, int, int, str | None]
"""Name, value, start, end (in the normal text) and role of one fact."""

_DIGIT_WORDS = {
    "零": "0", "〇": "0", "洞": "0", "一": "1", "幺": "1", "二": "2", "两": "2", "三": "3", "四": "4", "五": "5",
    "六": "6", "七": "7", "八": "8", "九": "9",
}  # fmt: skip
_COUNT = {"两": 2, "俩": 2, "三": 3, "四": 4, "2": 2, "3": 3, "4": 4}
_DIGIT = r"[\d零〇洞一幺二两三四五六七八九]"

_ORDER = re.compile(r"(?<![a-z0-9])l\s?m\s?[-_#:]?\s?((?:\d[\s\-]?){6,14}\d)(?![a-z0-9])")
_BARE_ORDER = re.compile(r"(?<![a-z0-9.])(2\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4})(?![a-z0-9.])")
_MOBILE = re.compile(r"(?<![\d.])(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?(\d{4})(?![\d.])")
_TAIL = r"(?:尾号|尾数|末尾|末(?:尾)?(?:四|4)位|后面?(?:四|4)位|最后(?:四|4)位|手机号?码?后面?(?:四|4)?位)"
_LAST4 = re.compile(
    rf"(?:{_TAIL}|last\s?(?:four|4)(?:\s?digits?)?|last\s?digits?|ending(?:\s?(?:in|with))?|ends?\s?(?:in|with)"
    rf"|(?:phone|mobile|number)[^,.;\d]{{0,12}}\sends?"
    rf"|(?:phone|mobile|tel)(?:\s?(?:number|no))?\s?(?:\.{{2,}}|[x*]{{2,}})"
    rf"|(?<![a-z])(?:phone|mobile|tel)(?:\s(?:number|no\.?))?(?=[\s:]{{1,2}}\d{{4}}(?!\d|[\s-]?\d)))"
    rf"(?:\s|是|为|数字|号码?|的|:|,|of|my|phone|number|are|is|it's|the)*"
    rf"({_DIGIT}(?:[\s-]?{_DIGIT}){{3}})(?!{_DIGIT})"
)
_SAME_DIGITS = re.compile(rf"{_TAIL}?(?:\s|是|为)*(4|四)个\s?([\d零一幺二三四五六七八九])(?!\d)")
_TWO_PAIRS = re.compile(
    rf"{_TAIL}(?:\s|是|为)*(两|俩|三|2|3)个?\s?([\d零一二三四五六七八九])"
    r"\s?(两|俩|一|2|1)个?\s?([\d零一二三四五六七八九])"
)
_FOUR = re.compile(r"(?<![a-z0-9.\-/:])(\d{4})(?![a-z0-9.\-/:%年元块天米步])")
_FOUR_TYPED = re.compile(rf"(?<!{_DIGIT})({_DIGIT}(?:\s{_DIGIT}){{3}})(?!\s?{_DIGIT})")
_SPOKEN = "零〇洞一幺二两三四五六七八九"
_FOUR_SPOKEN = re.compile(rf"(?<![{_SPOKEN}十百千])([{_SPOKEN}]{{4}})(?![{_SPOKEN}十百千])")
_FILLER = re.compile(
    r"(?:手机|系统|版本|电话|号码|尾号|后四位|是|的|我|it'?s|is|my|phone|number|version|system|the|and|谢谢|thanks?|please|[\s,.;:!?。、#\"'()-])+"
)

_FIRMWARE = re.compile(r"(?<![a-z0-9.])v?\s?([1-9]\d?(?:\s?[.。]\s?\d{1,4}){3})(?![a-z0-9]|\.\d)")
_APP = re.compile(r"(?<![a-z0-9.])v?\s?(\d{1,2}(?:\.\d{1,3}){2})(?![a-z0-9]|\.\d)")
_APP_NAMED = re.compile(
    r"(?<![a-z])(?:app|应用|软件|客户端|澜墨健康|澜墨家|lanmo health|lanmo home)"
    r"(?:\s|的|版本号?|是|为|:|version|is|at|on|v)*"
    r"(\d{1,2}\.\d{1,3}(?:\.\d{1,3})?)(?![a-z0-9]|\.\d)"
)
_OS_VERSION = re.compile(
    r"(?<![a-z])(?:ios|ipados|苹果系统|android|andriod|andorid|安卓|安桌|harmony\s?os|鸿蒙|手机系统|操作系统|系统版本)"
    r"(?:\s|的|系统|版本号?|是|为|:|version|is|at|on|to|v|升级?到|更新到)*(\d{1,2}(?:\.\d{1,2}){0,2})(?!\d|\.\d|\s?(?:手机|台|个|部|岁|天|月|号|年|步))"
)
_SYSTEM_NAMED = re.compile(r"系统(?:版本号?)?(?:\s|是|为|:)*(\d{1,2}\.\d{1,2})(?![a-z0-9]|\.\d)")
_TWO_PARTS = re.compile(r"(?<![a-z0-9.])(\d{1,2}\.\d{1,2})(?![a-z0-9]|\.\d)")
_ERROR_SHOWN = re.compile(r"(?<![a-z])err[\s\-_]?(\d{1,2})(?![\d.])")
_ERROR = re.compile(
    r"(?:错误码|错误代码|错误号|故障码|代码|报错|报(?!了?(?:110|12315|12345)(?!\d))|错误|error\s?code|error|err|code)"
    r"(?:\s|是|为|显示|提示|:|#|is|码|了|=)*((?:0x[0-9a-f]{1,8})|(?:[a-z]{1,3}-?\d{1,5})|(?:-?\d{2,5}))(?![a-z0-9.])"
)
# After an order number: "LM2611244723 4427", "LM2611236344，4950", "LM2611236344 (4950)".
_FOUR_AFTER_ORDER = re.compile(r"[\s,(/]{1,3}(\d{4})(?![\d.\-/:%年元块天米步a-z])")
_CORRECTION = re.compile(
    r"(?:看|说|打|写|记|弄|搞)错|不对|哦不|不是|更正"
    r"|(?<![a-z])(?:sorry|i mean|i meant|actually|no wait|wait|correction|misread|rather)(?![a-z])"
)
_VERSIONS = frozenset({"os_version", "firmware_version", "app_version"})
# A whole number beside an address is where a parcel shall go, and proves nothing.
_ADDRESS = re.compile(
    r"[路街道巷弄区县镇村][^,。;]{0,12}\d|\d[号栋幢单元室楼]|收件人"
    r"|(?<![a-z])(?:road|rd|street|st|avenue|ave|lane|room|flat|apt|building|district)(?![a-z])"
)
_ERROR_IN_BRACKETS = re.compile(
    r"(?:失败|出错|异常|重试|错误|无法|不成功|超时|failed|unsuccessful|error|wrong|try again|cannot|can't|timed? ?out)"
    r"[^()\d]{0,12}\(\s*((?:0x[0-9a-f]{1,8})|(?:[a-z]{1,3}-?\d{1,5})|(?:-?\d{2,5}))\s*\)"
)
# A message that asks what a version brings speaks of that version, not of the customer's own.
_ASKED = re.compile(
    r"更新了(?:什么|啥|哪些)|有什么新|新增|改了(?:什么|啥|哪些)|修复?了(?:什么|啥|哪些)|新功能"
    r"|what'?s new|what (?:is|changed|does)|what did you (?:change|fix|add)|release notes"
)
_NOT = re.compile(r"(?:不是|并非|而不是|not|isn't|wasn't)\s*v?$")
_FROM = re.compile(r"(?:从|由|from)\s*v?$")
_TO_ANOTHER = re.compile(r"^\s*(?:版本?)?\s*(?:直接)?(?:升级?|更新|刷)?\s*(?:到|至|to|->|→)\s*v?\s?\d")
# Where somebody wants to get, or what is offered; the version of the customer's own is another one.
_BACK_TO = re.compile(
    r"(?:退回?到?|降级?到|回退到?|刷回到?|回到|(?:roll(?:ed|ing)?\s?-?back|rol?back|downgrade|go(?:ing)? back)"
    r"(?:\s\w+){0,4}\sto)\s*(?:之前|原来|以前|旧|那个|的|版本?|the\s|old\s|version\s|v)*$"
)
_OFFERED = re.compile(
    r"(?:新(?:的)?(?:固件|版本|版)|推送|new (?:firmware|version|update|release))(?:\s|的|了|是|:|version|v)*$"
)
_UP_TO = re.compile(
    r"(?:升级?到|更新到|升级?成|\d\s?(?:到|至|to|->|→)|(?:upgrad|updat)\w*(?:\s\w+){0,4}\sto)\s*(?:the\s|version\s|v)*$"
)
_WISHED = re.compile(
    r"怎么|如何|怎样|想|能不能|可不可以|可以|要不要|该不该|马上|how|want|should|can i|could i|need to|would like"
)
_CLAUSE_END = re.compile(r"[,。!?;\n]")
# Versions in Chinese words: "安卓十五", "固件是三点三点一点八".
_SPOKEN_PART = r"[\d零〇一二两三四五六七八九十]{1,4}"
_SPOKEN_VERSION = re.compile(
    rf"(?<![\d零〇一二两三四五六七八九十百点.])({_SPOKEN_PART}(?:点{_SPOKEN_PART}){{1,3}})(?![\d零〇一二两三四五六七八九十百点.半分])"
)
_SPOKEN_SYSTEM = re.compile(
    r"(?<![a-z])(?:ios|ipados|苹果系统|android|安卓|harmony\s?os|鸿蒙|手机系统|系统版本)(?:\s|的|系统|版本号?|是|为|:)*"
    r"([一二三四五六七八九十]{1,3})(?![零一二两三四五六七八九十百点个台部手])"
)
_NAMED_BEFORE = re.compile(
    r"(固件|firmware)[^,。;]{0,8}$|(app|应用|软件|客户端|澜墨健康|澜墨家)[^,。;]{0,8}$|(系统|ios|安卓|android|鸿蒙)[^,。;]{0,8}$"
)
_KINDS_NAMED = ("firmware_version", "app_version", "os_version")
_KINDS_BY_PARTS = {4: "firmware_version", 3: "app_version"}


@dataclass
class Taken:
    """Stretches of the normal text that already mean something, so that no digit is read twice."""

    spans: list[tuple[int, int]] = field(default_factory=list)

    def free(self, start: int, end: int) -> bool:
        """True when nothing between `start` and `end` is taken yet."""
        return all(end <= a or b <= start for a, b in self.spans)

    def take(self, start: int, end: int) -> None:
        """Mark a stretch as understood."""
        self.spans.append((start, end))


def digits(text: str) -> str:
    """The digits of `text`, Chinese ones included."""
    return "".join(_DIGIT_WORDS.get(char, char) for char in text if char.isdigit() or char in _DIGIT_WORDS)


def extract(aligned: Aligned, taken: Taken) -> list[Found]:
    """Every number in the message that means something by its form or the words before it."""
    found: list[Found] = []
    for reader in (_orders, _mobiles, _os_versions, _firmware, _app_versions, _spoken_versions, _last_four, _errors):
        found += reader(aligned.text, taken)
    return _as_corrected(aligned.text, found)


def _as_corrected(text: str, found: list[Found]) -> list[Found]:
    """A version without a name that follows a correction is of the kind of the version before it."""
    versions = sorted((one for one in found if one[0] in _VERSIONS), key=lambda one: one[2])
    kinds: dict[tuple[int, int], str] = {}
    for earlier, later in pairwise(versions):
        between = text[earlier[3] : later[2]]
        if _CORRECTION.search(between) and not re.search(r"固件|应用|软件|firmware|(?<![a-z])app(?![a-z])", between):
            kinds[later[2:4]] = kinds.get(earlier[2:4], earlier[0])
    return [(kinds.get((start, end), name), value, start, end, role) for name, value, start, end, role in found]


def _orders(text: str, taken: Taken) -> list[Found]:
    found: list[Found] = []
    for match in _ORDER.finditer(text):
        digits_in = re.sub(r"\D", "", match.group(1))
        start, end = match.span()
        if len(digits_in) > 10:
            end, digits_in = _cut_at_ten(match)
        taken.take(start, end)
        found.append(("order_number", f"LM{digits_in}", start, end, None))
    if not found:
        for match in _BARE_ORDER.finditer(text):
            taken.take(*match.span())
            found.append(("order_number", f"LM{match.group(1)}", *match.span(), None))
    return [item for item in found if not _NOT.search(text[: item[2]])] or found


def _cut_at_ten(match: re.Match[str]) -> tuple[int, str]:
    """Ten digits make an order number; a further group after a space is something else (the phone's last four)."""
    count = 0
    for offset, char in enumerate(match.group(1)):
        count += char.isdigit()
        if count == 10:
            rest = match.group(1)[offset + 1 :]
            if rest[:1] in (" ", "-"):
                return match.start(1) + offset + 1, re.sub(r"\D", "", match.group(1)[: offset + 1])
            break
    return match.end(), re.sub(r"\D", "", match.group(1))


def _mobiles(text: str, taken: Taken) -> list[Found]:
    found: list[Found] = []
    for match in _MOBILE.finditer(text):
        if taken.free(*match.span()):
            taken.take(*match.span())
            role = "other" if _ADDRESS.search(text) else None
            found.append(("phone_last4", match.group(1), *match.span(1), role))
    return found


def _os_versions(text: str, taken: Taken) -> list[Found]:
    found: list[Found] = []
    for match in [*_OS_VERSION.finditer(text), *_SYSTEM_NAMED.finditer(text)]:
        if taken.free(*match.span(1)):
            taken.take(*match.span(1))
            found.append(("os_version", match.group(1), *match.span(1), None))
    return found or _lone_version(text, taken)


def _lone_version(text: str, taken: Taken) -> list[Found]:
    """Two parts that stand alone, or beside nothing but small words, are a system's version: no other has two."""
    match = _TWO_PARTS.search(text)
    if (
        not match
        or not taken.free(*match.span(1))
        or _FILLER.sub("", text[: match.start()] + " " + text[match.end() :])
    ):
        return []
    taken.take(*match.span(1))
    return [("os_version", match.group(1), *match.span(1), None)]


def _firmware(text: str, taken: Taken) -> list[Found]:
    found: list[Found] = []
    for match in _FIRMWARE.finditer(text):
        value = re.sub(r"[\s]", "", match.group(1)).replace("。", ".")
        if not taken.free(*match.span(1)) or value.startswith(("10.", "127.")):
            continue
        taken.take(*match.span(1))
        found.append(("firmware_version", value, *match.span(1), _role(text, match)))
    return found


def _app_versions(text: str, taken: Taken) -> list[Found]:
    found: list[Found] = []
    for pattern in (_APP_NAMED, _APP):
        for match in pattern.finditer(text):
            if not taken.free(*match.span(1)):
                continue
            taken.take(*match.span(1))
            name = (
                "firmware_version"
                if re.search(r"(?:固件|firmware)[^,。;]{0,8}$", text[: match.start(1)])
                else "app_version"
            )
            found.append((name, match.group(1), *match.span(1), _role(text, match)))
    return found


def _spoken_versions(text: str, taken: Taken) -> list[Found]:
    """Versions in words. One of two parts needs its kind before it: "三点二十" is a time of day."""
    found: list[Found] = []
    for match in _SPOKEN_VERSION.finditer(text):
        parts = [_spoken_number(part) for part in match.group(1).split("点")]
        before = _NAMED_BEFORE.search(text[: match.start(1)])
        words = before.groups() if before else ()
        named = next((kind for kind, word in zip(_KINDS_NAMED, words, strict=False) if word), None)
        name = named or _KINDS_BY_PARTS.get(len(parts))
        if name and taken.free(*match.span(1)):
            taken.take(*match.span(1))
            found.append((name, ".".join(parts), *match.span(1), _role(text, match)))
    for match in _SPOKEN_SYSTEM.finditer(text):
        if taken.free(*match.span(1)):
            taken.take(*match.span(1))
            found.append(("os_version", _spoken_number(match.group(1)), *match.span(1), None))
    return found


def _spoken_number(text: str) -> str:
    """The digits of a number below a hundred in words, or of digits read one by one: 十四, 二十, 三九."""
    tens, ten, ones = text.partition("十")
    if not ten:
        return digits(text)
    return f"{digits(tens) or '1'}{digits(ones) or '0'}"


def _role(text: str, match: re.Match[str]) -> str | None:
    """A version that is asked about, denied, wished for or left behind is not the customer's present one."""
    start, end = match.span(1)
    before, after = text[:start], text[end:]
    if _NOT.search(before):
        return "other"
    if _FROM.search(before):
        return "other" if _TO_ANOTHER.match(after) and not _WISHED.search(_clause(text, start, end)) else None
    if _BACK_TO.search(before) or _OFFERED.search(before):
        return "asked"
    if _UP_TO.search(before) and _WISHED.search(_clause(text, start, end)):
        return "asked"
    return "asked" if _ASKED.search(text) else None


def _clause(text: str, start: int, end: int) -> str:
    """The clause that holds `text[start:end]`."""
    first = max((match.end() for match in _CLAUSE_END.finditer(text, 0, start)), default=0)
    last = _CLAUSE_END.search(text, end)
    return text[first : last.start() if last else len(text)]


def _last_four(text: str, taken: Taken) -> list[Found]:
    for pattern in (_LAST4, _TWO_PAIRS, _SAME_DIGITS):
        for match in pattern.finditer(text):
            start, end = match.span(1) if pattern is _LAST4 else match.span()
            value = _digits_of(pattern, match)
            if len(value) == 4 and taken.free(start, end):
                taken.take(start, end)
                return [("phone_last4", value, start, end, None)]
    return _after_order(text, taken) or _lone_four(text, taken)


def _after_order(text: str, taken: Taken) -> list[Found]:
    """Four digits next to an order number are the phone's."""
    for _, end in taken.spans:
        match = _FOUR_AFTER_ORDER.match(text, end)
        if match and taken.free(*match.span(1)):
            taken.take(*match.span(1))
            return [("phone_last4", match.group(1), *match.span(1), None)]
    return []


def _digits_of(pattern: re.Pattern[str], match: re.Match[str]) -> str:
    if pattern is _LAST4:
        return digits(match.group(1))
    if pattern is _SAME_DIGITS:
        return digits(match.group(2)) * 4
    first, second = _COUNT[match.group(1)], {"一": 1, "1": 1}.get(match.group(3), 2)
    return digits(match.group(2)) * first + digits(match.group(4)) * second


def _lone_four(text: str, taken: Taken) -> list[Found]:
    """Four digits that stand alone, or beside nothing but an order number and small words, are the phone's."""
    rest = text
    for start, end in sorted(taken.spans, reverse=True):
        rest = rest[:start] + " " * (end - start) + rest[end:]
    for pattern in (_FOUR, _FOUR_TYPED, _FOUR_SPOKEN):
        matches = [match for match in pattern.finditer(rest) if len(digits(match.group(1))) == 4]
        if len(matches) != 1:
            continue
        match = matches[0]
        around = rest[: match.start()] + " " + rest[match.end() :]
        around = re.sub(r"(?:订单|单号|编号|order|no)", " ", around)
        if not _FILLER.sub("", around):
            taken.take(*match.span(1))
            return [("phone_last4", digits(match.group(1)), *match.span(1), None)]
    return []


def _errors(text: str, taken: Taken) -> list[Found]:
    found: list[Found] = []
    for match in _ERROR_SHOWN.finditer(text):
        if taken.free(*match.span()):
            taken.take(*match.span())
            found.append(("error_code", f"Err{match.group(1)}", *match.span(), None))
    for match in [*_ERROR.finditer(text), *_ERROR_IN_BRACKETS.finditer(text)]:
        if taken.free(*match.span(1)):
            taken.take(*match.span(1))
            found.append(("error_code", match.group(1).upper().replace("0X", "0x"), *match.span(1), None))
    return found
