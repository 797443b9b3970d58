"""Evidence: quotes that really stand in a message, in the customer's own letters."""

from __future__ import annotations

import re

_HALF_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"\u3000": " "}
_WIDE = re.compile("[\u3000\uff01-\uff5e]")
_CLAUSE_END = re.compile(r"(?:[,;!?，。；！？、…~～\n]|[.](?![0-9]))+")
_SENTENCE_END = re.compile(r"(?:[!?。！？…\n]|[.](?![0-9]))+")


def fold(text: str) -> str:
    """Return the text in half width and lower case, letter by letter: positions stay those of the original."""
    narrow = _WIDE.sub(lambda wide: _HALF_WIDTH[wide.group()], text)
    lower = narrow.lower()
    return lower if len(lower) == len(narrow) else narrow


def own_words(text: str, quote: str) -> str | None:
    """Return the part of `text` that `quote` stands for, letter for letter; None when it does not occur.

    Width and case may differ (the models read normalised text); what comes back is always a true substring of `text`.
    """
    wanted = quote.strip()
    if not wanted:
        return None
    if wanted in text:
        return wanted
    start = fold(text).find(fold(wanted))
    return text[start : start + len(wanted)] if start >= 0 else None


def clause(text: str, start: int, end: int) -> str:
    """Return the clause of `text` in which the stretch from `start` to `end` stands."""
    return _between(text, start, end, _CLAUSE_END)


def clauses(text: str) -> list[str]:
    """Return the clauses of `text` in order, each a true substring of it."""
    return [part for piece in _CLAUSE_END.split(text) if (part := piece.strip())]


def excerpt(text: str, limit: int, around: str | None = None) -> str:
    """Return at most `limit` letters of `text`: the sentence that holds `around`, else the beginning.

    Cut at the end of a clause where there is one; always a true substring of `text`.
    """
    words = text.strip()
    if len(words) <= limit:
        return words
    place = text.find(around) if around and len(around) < len(words) else -1
    if around and place >= 0:
        words = _between(text, place, place + len(around), _SENTENCE_END)
        if len(words) <= limit:
            return words
        words = text[place:].strip()
    ends = [match.start() for match in _CLAUSE_END.finditer(words, limit // 2, limit + 1)]
    if ends:
        return words[: ends[-1]].rstrip()
    whole = words.rfind(" ", limit // 2, limit + 1) if words[limit - 1 : limit + 1].isascii() else -1
    return words[: whole if whole > 0 else limit].rstrip()


def _between(text: str, start: int, end: int, mark: re.Pattern[str]) -> str:
    before = 0
    for match in mark.finditer(text, 0, start):
        before = match.end()
    after = mark.search(text, max(end, start + 1))
    return text[before : after.start() if after else len(text)].strip()
