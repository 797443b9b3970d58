"""How customers say that a step helped, did not help, or is about to be tried."""

from __future__ import annotations

import re

from bot.actions.turn import Turn

SOLVED, UNSOLVED, TRYING, UNKNOWN = "solved", "unsolved", "trying", "unknown"

_FAILED = re.compile(
    r"还是|还不|仍然?|依然|依旧|不行|没用|没有用|没好|没解决|没变|没效果|不管用|失败|没反应|不可以|老样子|一样的"
    r"|(?<![a-z])(?:still|not|no|nope|didn'?t|doesn'?t|isn'?t|won'?t|can'?t|failed|same|nothing)(?![a-z])",
    re.IGNORECASE,
)
_TRYING = re.compile(
    r"试试|试一下|试一试|稍等|等等|等一下|等会|我看看|我去|待会|晚点|回头"
    r"|(?<![a-z])(?:i'?ll try|let me|trying|hold on|wait|one moment|a moment|later)(?![a-z])",
    re.IGNORECASE,
)
_CURED = re.compile(
    r"解决|好了|可以了|正常|搞定|恢复|有了|行了|能用了|出来了|连上了|成功|没问题了"
    r"|(?<![a-z])(?:works?|working|fixed|solved|sorted|resolved|it did|that did it|all good|back to normal)(?![a-z])",
    re.IGNORECASE,
)
_NOT_A_PROBLEM = re.compile(r"没问题了|not? problem|no issue", re.IGNORECASE)


_UNSURE = re.compile(
    r"不知道|不确定|不清楚|说不准|(?<![a-z])(?:don'?t know|not sure|no idea|hard to say)(?![a-z])", re.I
)
_QUESTION = re.compile(r"[??]|怎么|如何|哪里|吗|(?<![a-z])(?:how|where|what|which|when|why)(?![a-z])", re.IGNORECASE)


def outcome_of(turn: Turn) -> str:
    """What the customer says of the step given last: solved, unsolved, trying, or unknown."""
    said = said_outcome(turn)
    if said:
        return said
    if turn.intent in ("deny", "device_problem", "complain"):
        return UNSOLVED
    return TRYING if turn.intent in ("affirm", "thank") else UNKNOWN


def said_outcome(turn: Turn) -> str | None:
    """The outcome that the words themselves tell, whatever they were taken for; None when they tell none."""
    pressed = turn.entities.get("outcome")
    if pressed in (SOLVED, UNSOLVED):
        return str(pressed)
    text = turn.text
    if _UNSURE.search(text):
        return UNKNOWN
    if turn.intent == "firmware_update" and _QUESTION.search(text):
        return None
    if _FAILED.search(text) and not _NOT_A_PROBLEM.search(text):
        return UNSOLVED
    if _TRYING.search(text):
        return TRYING
    if _CURED.search(text):
        return SOLVED
    return None
