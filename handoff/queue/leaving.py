"""Words of a waiting customer about the wait: how long it takes, or that they would rather not wait any longer."""

from __future__ import annotations

import re

from handoff.summary.evidence import fold

_LEAVES = re.compile(
    r"不(?:想|要|用|愿意?|打算)?(?:再|继续)?(?:等|排队?)(?:下去)?了|不(?:想|愿意?|打算)(?:再|继续)?(?:等|排)"
    r"|等不(?:了|下去|起)|懒得(?:再|继续)?(?:等|排)|(?:取消|退出)(?:排队|(?:转)?人工)"
    r"|不(?:用|要|需要|找|转)(?:再)?(?:转|找)?(?:人工|客服|真人)"
    r"|^\W*算了(?:吧)?\W*$"
    r"|\b(?:not|don't|can't|cannot|won't|tired of|sick of|done|stop|rather not|no longer)\b[^.!?,]{0,16}"
    r"\b(?:wait(?:ing)?|queu(?:e|ing)|in line)\b"
    r"|\b(?:cancel|leave|quit) (?:the |this |my )?(?:queue|line|request|wait)\b"
    r"|\b(?:don't|no longer) (?:need|want) (?:a |an |the )?(?:person|human|agent)\b"
    r"|^\W*(?:never ?mind|forget it)\W*$"
)

_ASKS = re.compile(
    r"多久|还要等|排到|什么时候|啥时候|几时|到我了?[吗没]|有人吗|人呢|还在吗"
    r"|\bhow (?:long|many|much longer)\b|\bany (?:news|update)|\bwhen (?:will|can|is|does)\b"
    r"|\b(?:still|anyone|anybody) there\b"
)


def asks_about_wait(words: str) -> bool:
    """Tell whether the customer asks how the wait stands, in either language."""
    return _ASKS.search(fold(words)) is not None


def wants_to_leave(words: str) -> bool:
    """Tell whether the customer says that they no longer want to wait, in either language."""
    return _LEAVES.search(fold(words).replace("’", "'")) is not None
