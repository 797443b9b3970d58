"""Hiding personal data: in what is logged, in errors, in lists, and in the phrases that designers read.

`hide` needs nothing but the standard library. Two degrees: personal data alone (`hide`, `mask`), and everything by
which a phrase could be traced to a person (`anonymous`: names, order numbers, links and other long numbers too).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from handoff.privacy.finder import find

LONGEST = 4000
KINDS = ("email", "identity", "bank_card", "phone", "address", "order", "name", "link", "digits")
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
# By what else a phrase could be traced. What the group `keep` matches stays.
_TRACES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("link", r"(?:https?://|www\.)[^\s,，。；、)）]+"),
        ("order", r"(?<![a-z])LM(?:[\s\-.·]?\d){6,14}"),
        ("digits", rf"(?P<keep>{_AFTER_DIGITS})\d{{3,6}}"),
        ("name", rf"(?P<keep>{_AFTER_NAME}){_HAN}{{2,4}}"),
        ("name", rf"(?P<keep>我是){_HAN}{{1,2}}(?=先生|女士|小姐)"),
        ("name", r"(?P<keep>my name is )[a-z][\w'-]+(?:\s+(?-i:[A-Z])[\w'-]+)?"),
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
