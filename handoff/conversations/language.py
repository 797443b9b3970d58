"""Which language a customer writes, as far as the desk can tell without the bot."""

from __future__ import annotations

import re

CJK = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[A-Za-z]{2,}")
ENOUGH_WORDS = 3


def spoken_language(words: str) -> str | None:
    """Return `zh` or `en` for a sentence, None for what says nothing (a number, `OK`, `iPhone 6`)."""
    if CJK.search(words):
        return "zh"
    return "en" if len(WORD.findall(words)) >= ENOUGH_WORDS else None
