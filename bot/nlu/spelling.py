"""What a mistyped word was meant to be: homophones, Cantonese, pinyin and slips of English, from `spelling.yml`.

Only the classifier reads the corrected text. Facts are read from what was typed, so that quotes are the customer's own.
"""

import re
from functools import lru_cache

from bot.nlu.lookups import lookup

LEAST_LETTERS = 5
_WORD = re.compile(r"(?<![a-z0-9'])[a-z][a-z']+(?![a-z0-9'])")


def correct(text: str) -> str:
    """`text` (already in normal form) with the slips read as what was meant."""
    if _any_slip().search(text):
        for pattern, word in _replacements():
            text = pattern.sub(word, text)
    return _WORD.sub(lambda match: _english(match.group()), text)


@lru_cache(maxsize=1)
def _replacements() -> list[tuple[re.Pattern[str], str]]:
    listed = lookup("spelling")
    chinese = {**listed["slips"], **listed["cantonese"]}
    pinyin = {
        r"(?<![a-z])" + r"\s?".join(syllables.split()) + r"(?![a-z])": word
        for syllables, word in sorted(listed["pinyin"].items(), key=lambda item: -len(item[0]))
    }
    return [(re.compile(pattern), word) for pattern, word in {**chinese, **pinyin}.items()]


@lru_cache(maxsize=1)
def _any_slip() -> re.Pattern[str]:
    """One look tells that nothing is to be replaced, as in most texts."""
    return re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in _replacements()))


@lru_cache(maxsize=1)
def _near() -> dict[str, str | None]:
    """What one slip of the pen makes of our words; None where two of them might be meant."""
    listed = lookup("spelling")
    words, normal = listed["words"].split(), set(listed["unlike"].split()) | set(listed["words"].split())
    near: dict[str, str | None] = {}
    for word in words:
        if len(word) < LEAST_LETTERS:
            continue
        for slip in _slips(word) - normal:
            near[slip] = word if near.get(slip, word) == word else None
    return near


def _slips(word: str) -> set[str]:
    """All that one wrong, missing, doubled or extra letter, or two swapped ones, make of `word`."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    missing = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    wrong = {a + letter + b[1:] for a, b in cuts if b for letter in letters}
    extra = {a + letter + b for a, b in cuts for letter in letters}
    return {slip for slip in missing | swapped | wrong | extra if slip != word and len(slip) >= LEAST_LETTERS - 1}


def _english(word: str) -> str:
    return _near().get(word) or word
