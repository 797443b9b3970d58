"""Character-level ROUGE-1, 2 and L (F1) of Chinese summaries, sentences split at "。"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_SENTENCE = re.compile(r"[^。]*。|[^。]+$")


def rouge(pairs: Iterable[tuple[str, str]]) -> tuple[float, float, float]:
    """Return the mean ROUGE-1, ROUGE-2 and ROUGE-L of (summary, reference) pairs, in percent."""
    rows = [(_n(said, wanted, 1), _n(said, wanted, 2), _longest(said, wanted)) for said, wanted in pairs]
    first, second, longest = (100 * sum(column) / len(rows) for column in zip(*rows, strict=True))
    return first, second, longest


def _f1(shared: int, wanted: int, said: int) -> float:
    return 2 * shared / (wanted + said) if shared else 0.0


def _n(said: str, wanted: str, size: int) -> float:
    have, want = (Counter(words[at : at + size] for at in range(len(words) - size + 1)) for words in (said, wanted))
    return _f1(sum((have & want).values()), sum(want.values()), sum(have.values()))


def _longest(said: str, wanted: str) -> float:
    """Of each reference sentence, the letters that lie on a longest common subsequence with any summary sentence."""
    have, want = _SENTENCE.findall(said), _SENTENCE.findall(wanted)
    left_have, left_want = Counter("".join(have)), Counter("".join(want))
    shared = 0
    for reference in want:
        places: set[int] = set()
        for sentence in have:
            places |= _common(reference, sentence)
        for place in sorted(places):
            letter = reference[place]
            if left_have[letter] and left_want[letter]:
                shared += 1
                left_have[letter] -= 1
                left_want[letter] -= 1
    return _f1(shared, sum(map(len, want)), sum(map(len, have)))


def _common(reference: str, sentence: str) -> set[int]:
    """Return the places in `reference` of one longest common subsequence with `sentence`."""
    table = [[0] * (len(sentence) + 1) for _ in range(len(reference) + 1)]
    for i, wanted in enumerate(reference):
        for j, said in enumerate(sentence):
            table[i + 1][j + 1] = table[i][j] + 1 if wanted == said else max(table[i][j + 1], table[i + 1][j])
    places, i, j = set(), len(reference), len(sentence)
    while i and j:
        if reference[i - 1] == sentence[j - 1]:
            i, j = i - 1, j - 1
            places.add(i)
        elif table[i - 1][j] >= table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return places
