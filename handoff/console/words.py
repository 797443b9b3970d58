"""The console's words, in both languages, as the browser takes them."""

from __future__ import annotations

from functools import cache

from handoff.locales import section

BORROWED = {"summary": ("mood_", "fact_"), "queue": ("reason_",)}


@cache
def words() -> dict[str, dict[str, str]]:
    """Return `key -> {"zh", "en"}`: the console's own sentences, and the names of moods, facts and reasons."""
    chosen = dict(section("console"))
    for part, prefixes in BORROWED.items():
        chosen |= {key: texts for key, texts in section(part).items() if key.startswith(prefixes)}
    return chosen
