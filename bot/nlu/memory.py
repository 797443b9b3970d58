"""What was worked out of texts, kept for a while: several models read the same ones, turn after turn."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

# Longer texts are rare, and what is made of many of them would fill the memory.
LONGEST = 400


def remembered(most: int) -> Callable[[Callable[..., Any]], Any]:
    """Keep the last `most` results of a function of texts; of texts with more than `LONGEST` characters none.

    What it returns has the `cache_info` and `cache_clear` of `functools.lru_cache`.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        kept = lru_cache(maxsize=most)(function)

        @wraps(function)
        def call(*texts: str) -> Any:
            return (kept if all(len(text) <= LONGEST for text in texts) else function)(*texts)

        call.cache_info, call.cache_clear = kept.cache_info, kept.cache_clear  # type: ignore[attr-defined]
        return call

    return decorate
