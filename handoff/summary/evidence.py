"""Evidence: whether a quote really stands in a message, in the customer's own letters."""

from __future__ import annotations

import unicodedata


def own_words(text: str, quote: str) -> str | None:
    """Return the part of `text` that `quote` stands for, letter for letter; None when it does not occur.

    Width and case may differ (the models read normalised text); what comes back is always a true substring of `text`.
    """
    wanted = quote.strip()
    if not wanted:
        return None
    if wanted in text:
        return wanted
    folded, places = _fold(text)
    needle, _ = _fold(wanted)
    start = folded.find(needle) if needle else -1
    if start < 0:
        return None
    return text[places[start] : places[start + len(needle) - 1] + 1]


def excerpt(text: str, limit: int) -> str:
    """Return the beginning of `text`, at most `limit` letters, cut at the end of a clause where there is one."""
    words = text.strip()
    if len(words) <= limit:
        return words
    cut = max(words.rfind(mark, limit // 2, limit) for mark in "。！？!?；;，,、\n ")
    return words[: cut + 1 if cut > 0 else limit].rstrip()


def _fold(text: str) -> tuple[str, list[int]]:
    """Return the text in one width and case, and for each of its letters the place in the original."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for folded in unicodedata.normalize("NFKC", letter).casefold():
            letters.append(folded)
            places.append(place)
    return "".join(letters), places
