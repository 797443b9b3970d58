"""Hiding personal data: in what is logged, in errors, in lists, and in the phrases that designers read.

`hide` needs nothing but the standard library. Two degrees: personal data alone (`hide`, `mask`), and everything by
which a phrase could be traced to a person (`anonymous`: names, passwords, order numbers, number plates, serial
numbers, network addresses, links and other long numbers too).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from handoff.privacy.finder import find

LONGEST = 4000
_PERSONAL = ("email", "identity", "bank_card", "phone", "address")
KINDS = (*_PERSONAL, "order", "name", "link", "digits", "secret", "plate", "device")
_NEUTRAL = {kind: f"[{kind}]" for kind in KINDS}


def hide(text: str, label: Callable[[str], str] = _NEUTRAL.__getitem__) -> str:
    """Return `text` with each piece of personal data replaced by the label of its kind (`[phone]`)."""
    found = find(text)
    for one in reversed(found):
        text = text[: one.start] + label(one.kind) + text[one.end :]
    return text


def hide_all(value: Any) -> Any:
    """Return `value` with the personal data in its words and numbers hidden, however deep they lie."""
    if isinstance(value, str):
        return _hide_long(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return value if abs(value) < 10**9 or hide(str(value)) == str(value) else hide(str(value))
    if isinstance(value, dict):
        return {hide_all(key): hide_all(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [hide_all(item) for item in value]
    return _hide_long(str(value))


def _hide_long(text: str) -> str:
    """Hide in pieces that overlap nowhere, so that a huge text costs no more than its length."""
    if len(text) <= LONGEST:
        return hide(text)
    return "\n".join(hide(line[:LONGEST]) for line in text.split("\n"))


@lru_cache(maxsize=8192)
def mask(text: str, language: str) -> str:
    """Return `text` with personal data replaced by words in the reader's language (〔电话〕)."""
    return hide(text, _label(language))


def preview(text: str, limit: int, language: str) -> str:
    """Return the beginning of `text` for a list, masked before it is cut: half a number is still somebody's."""
    return mask(text[: 2 * limit + 40], language)[:limit]


def _label(language: str) -> Callable[[str], str]:
    from handoff.locales import text as sentence

    return lambda kind: sentence(f"privacy.{kind}", language)


_HAN = "[一-鿿]"
_AFTER_DIGITS = r"(?:尾号|后四位|last (?:4|four)(?: digits)?)(?:\s|:|是|为|is|are)*"
_AFTER_NAME = r"(?:我叫|收件人|联系人|姓名)(?:\s|:|是)*"
_SAID_TO_BE = r"(?:\s|[:：=#\"'“”「『(]|[是为成改设置换]|is|was|to|number|no\.?(?![a-z])){0,6}"
_LOCK_WORD = (
    r"(?:密码|口令|验证码|校验码|动态码|"
    r"(?<![a-z])(?:password|passcode|passwd|passphrase|pwd|otp|pin(?: code)?|"
    r"(?:verification|security|login) code)(?![a-z]))"
)
_PLATE_WORD = r"(?:车牌|牌照|(?<![a-z])(?:licen[cs]e|number|registration) plate(?![a-z]))"
_SERIAL_WORD = (
    r"(?:序列号|串号|机身号|设备号|设备码|SN码|"
    r"(?<![a-z])(?:s/?n|serial|imei|iccid|meid|uuid|device id)(?![a-z\d]))"
)
_NETWORK_WORD = r"(?:(?<![a-z])(?:mac|bssid)(?![a-z])(?:地址| address)?)"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_WITH_DIGIT = r"(?=[!-~]*[\d@#$%^&*_+])"
# By what else a phrase could be traced. What the group `keep` matches stays.
_TRACES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("link", r"(?:https?://|www\.)[^\s,，。；、)）]+"),
        ("secret", rf"(?P<keep>{_LOCK_WORD}{_SAID_TO_BE}){_WITH_DIGIT}[!-~]{{3,}}"),
        ("secret", rf"(?P<keep>{_LOCK_WORD}\s*(?:[:：=]|是\s?)\s*)[!-~]{{3,}}"),
        ("device", r"(?<![0-9a-f:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![0-9a-f:-])"),
        ("device", r"(?<![0-9a-f.])(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}(?![0-9a-f.])"),
        ("device", rf"(?P<keep>{_NETWORK_WORD}{_SAID_TO_BE})[0-9a-f]{{12}}(?![0-9a-z])"),
        (
            "device",
            r"(?P<keep>(?<![a-z])ip(?![a-z])(?:地址| address)?(?:\s|[:：=]|是|is){0,4})"
            r"(?:\d{1,3}\.){3}\d{1,3}(?![\d.])",
        ),
        ("device", rf"(?P<keep>{_SERIAL_WORD}{_SAID_TO_BE})(?=[a-z-]*\d)[a-z\d][a-z\d-]{{4,}}"),
        (
            "plate",
            rf"[{_PROVINCES}]\s?[A-Z]\s?[·•.\s-]?\s?(?=(?:[A-Z]*\d){{3}})"
            r"(?:[A-Z\d]{5,6}(?![A-Z\d])|[A-Z\d]{4}[挂学警港澳])",
        ),
        (
            "plate",
            rf"(?P<keep>{_PLATE_WORD}号?码?{_SAID_TO_BE})(?=[A-Z -]*\d)[A-Z\d](?:[ -]?[A-Z\d]){{3,8}}(?![A-Z\d])",
        ),
        ("order", r"(?<![a-z])LM(?:[\s\-.·]?\d){6,14}"),
        ("digits", rf"(?P<keep>{_AFTER_DIGITS})\d{{3,6}}"),
        ("name", rf"(?P<keep>{_AFTER_NAME}){_HAN}{{2,4}}"),
        ("name", rf"(?P<keep>我是){_HAN}{{1,2}}(?=先生|女士|小姐)"),
        ("name", r"(?P<keep>my name is )[a-z][\w'-]+(?:\s+(?-i:[A-Z])[\w'-]+)?"),
        ("device", r"(?<![a-z\d.-])(?=[a-z]{1,4}\d+[a-z-])(?=(?:[a-z-]*\d){6})[a-z\d-]{10,}(?![a-z\d])"),
        ("digits", r"(?<![a-z\d.])[a-z]{0,4}\d{6,}(?![a-z\d])"),
        ("digits", r"(?<![\d.])\d(?:[\s\-]?\d){6,}(?![\d.])"),
    )
)


def anonymous(phrase: str, language: str) -> str:
    """Return the phrase in normal form, without anything by which it could be traced to a person.

    Versions (`1.0.0.39`) and product names stay: they are what the phrase is about.
    """
    label = _label(language)
    masked = unicodedata.normalize("NFKC", mask(phrase, language))
    for kind, pattern in _TRACES:
        keep = r"\g<keep>" if "keep" in pattern.groupindex else ""
        masked = pattern.sub(keep + label(kind), masked)
    return " ".join(masked.split())
