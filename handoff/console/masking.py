"""Hiding personal data in single phrases, for people who may learn what is asked but not by whom."""

from __future__ import annotations

import re
import unicodedata

from handoff.locales import text

_HAN = "[一-鿿]"
_PLACE = r"[一-鿿\dA-Za-z\-]"
_GAP = r"[\s\-.·]?"
_ROAD = "(?:路|街|道|巷|村|小区|花园|大厦)"
_DOOR = "(?:号|弄|室|楼|栋|单元)"
_DOORS = rf"{_DOOR}(?:{_PLACE}{{0,8}}{_DOOR})*"
_AFTER_DIGITS = r"(?:尾号|后四位|last (?:4|four)(?: digits)?)(?:\s|:|是|为|is|are)*"
_AFTER_NAME = r"(?:我叫|收件人|姓名)(?:\s|:|是)*"

# In this order: what is more particular first, so that a phone number is not taken for a bare number.
# What the group `keep` matches stays.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("email", r"[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+"),
        ("link", r"(?:https?://|www\.)[^\s,，。；、)）]+"),
        ("order", rf"(?<![a-z])LM(?:{_GAP}\d){{6,14}}"),
        ("identity", r"(?<![a-z\d])\d{17}[\dx](?![a-z\d])"),
        ("phone", rf"(?<!\d)(?:\+?86{_GAP})?1[3-9](?:{_GAP}\d){{9}}(?!\d)"),
        ("phone", r"(?<![\d.])\+?\d{1,4}[\s-]?\(?\d{2,4}\)?(?:[\s-]\d{2,4}){2,4}(?![\d.])"),
        ("digits", rf"(?P<keep>{_AFTER_DIGITS})\d{{3,6}}"),
        ("name", rf"(?P<keep>{_AFTER_NAME}){_HAN}{{2,4}}"),
        ("name", rf"(?P<keep>我是){_HAN}{{1,2}}(?=先生|女士|小姐)"),
        ("name", r"(?P<keep>my name is )[a-z][\w'-]+(?:\s+(?-i:[A-Z])[\w'-]+)?"),
        ("address", rf"{_HAN}{{2,8}}(?:省|市|区|县|镇){_PLACE}{{0,20}}?{_ROAD}{_PLACE}{{0,12}}?{_DOORS}"),
        ("address", rf"{_HAN}{{2,10}}(?:路|街|大道|巷)\s?\d+\s?{_DOORS}"),
        ("digits", r"(?<![a-z\d.])[a-z]{0,4}\d{6,}(?![a-z\d])"),
        ("digits", r"(?<![\d.])\d(?:[\s\-]?\d){6,}(?![\d.])"),
    )
)


def mask(phrase: str, language: str) -> str:
    """Return the phrase with e-mail addresses, phone and order numbers, names, addresses and long numbers replaced.

    Versions (`1.0.0.39`) and product names stay: they are what the phrase is about. The result is in normal form.
    """
    masked = unicodedata.normalize("NFKC", phrase)
    for kind, pattern in _PATTERNS:
        label = text(f"console.mask_{kind}", language)
        keep = r"\g<keep>" if "keep" in pattern.groupindex else ""
        masked = pattern.sub(keep + label, masked)
    return " ".join(masked.split())
