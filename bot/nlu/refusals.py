"""Wishes that are only named to say that they are not meant: "不要退款, 给我换一个", "not a refund, a new one"."""

from functools import lru_cache
from re import Pattern

from bot.nlu.lookups import compile_all, lookup
from bot.nlu.text import Aligned, is_empty, split


@lru_cache(maxsize=1)
def _refused() -> Pattern[str]:
    return compile_all(lookup("requests")["refused_wish"])


def refuses(clause: str) -> bool:
    """Does a clause in its normal form only name a wish that is not meant?"""
    return bool(_refused().match(clause.strip()))


def meant(aligned: Aligned) -> str:
    """The text without clauses that only refuse; as typed where nothing else is said."""
    clauses = [aligned.text[a:b].strip() for a, b in split(aligned)]
    kept = [clause for clause in clauses if not refuses(clause) and not is_empty(clause)]
    return ", ".join(kept) if kept and len(kept) < len(clauses) else aligned.raw
