"""Which task with an order a message asks for, by its topic and by words that plainly name another."""

from __future__ import annotations

import re

from bot.actions.order_details import is_reason
from bot.actions.order_follow_ups import asks_to_pay
from bot.actions.turn import Turn

TASKS = {
    "track_order": "track",
    "cancel_order": "cancel",
    "change_address": "address",
    "invoice": "invoice",
    "return_exchange": "return",
    "return_exchange/return": "return",
    "return_exchange/exchange": "exchange",
    "refund": "refund_status",
    "refund/request": "refund",
    "refund/status": "refund_status",
    "parcel_problem": "stuck",
    "parcel_problem/lost": "lost",
    "parcel_problem/stuck": "stuck",
    "parcel_problem/damaged": "damaged",
    "parcel_problem/wrong_item": "wrong_item",
    "parcel_problem/missing_item": "missing_item",
    "parcel_problem/not_received": "not_received",
}
PARCEL_TASKS = frozenset({"lost", "stuck", "damaged", "wrong_item", "missing_item", "not_received"})
GO_BACK = frozenset({"return", "exchange", "refund"})
MISSING = re.compile(
    r"少[发了寄给]|漏发|漏了|没发全|缺[了少]?[一个件]|(?<![a-z])(?:missing|only (?:got|received|one)|left out"
    r"|wasn'?t in the (?:box|parcel|package)|not in the (?:box|parcel|package))(?![a-z])",
    re.IGNORECASE,
)
BROKEN = re.compile(r"碎|破|裂|坏|压扁|(?<![a-z])(?:smash\w*|crack\w*|broken|dent\w*|damaged)(?![a-z])", re.IGNORECASE)
WRONG = re.compile(
    r"错|不对|不是|不符|别人的|不一样|收到|发来|寄来|发成"
    r"|(?<![a-z])(?:wrong|not what|instead|else's|different|another|sent me|received|got)(?![a-z])",
    re.IGNORECASE,
)
ASKS_WHERE = re.compile(r"查|到哪|物流|(?<![a-z])(?:where|track|status)(?![a-z])", re.IGNORECASE)
CANCELS = re.compile(
    r"取消|撤|退|不要|不想要|不买|别发|买错|拍错|(?<![a-z])(?:cancel\w*|call\w* off|don'?t want|do not want|stop"
    r"|withdraw|mistake|no longer)",
    re.IGNORECASE,
)
HELD_UP = re.compile(
    r"延误|延迟|耽搁|怎么回事|没动|不动|卡[在住]|(?<![a-z])(?:delay\w*|stuck|not moving|hasn'?t moved|what'?s going on"
    r"|whats going on)",
    re.IGNORECASE,
)
CALLS_OFF = re.compile(r"取消|撤销|(?<![a-z])(?:cancel|call\w* off)", re.IGNORECASE)
RECEIVED = re.compile(
    r"(?:收到|签收|拿到|到货|到手|送到)[^,，。]{0,2}了|(?:已|已经)(?:收到|签收|拿到|到货)"
    r"|(?<![a-z])(?:received|got) (?:it|them|the (?:parcel|package|order|goods))(?![a-z])"
    r"|(?<![a-z])it (?:has )?arrived",
    re.IGNORECASE,
)
UNRECEIVED = re.compile(r"没|未|不|吗|[?？]|显示|(?<![a-z])(?:not|never|says?|shows?)(?![a-z])|n't", re.IGNORECASE)


def task_of(turn: Turn) -> str | None:
    """The order task that a message asks for; None when it asks for none, such as a question about policy."""
    task = TASKS.get(turn.topic)
    return task if turn.pressed or task is None else by_words(turn.text, task)


def by_words(text: str, task: str) -> str:
    """The task, unless the words plainly name another: a piece missing, a thing broken, a delay and no cancellation."""
    if task in ("track", "damaged", "wrong_item", "not_received", "stuck") and MISSING.search(text):
        return "missing_item" if not text.rstrip().endswith(("?", "？")) or task == "damaged" else task
    if task == "wrong_item" and BROKEN.search(text):
        return "damaged"
    if task == "wrong_item" and ASKS_WHERE.search(text) and not WRONG.search(text):
        return "track"
    if task == "cancel" and HELD_UP.search(text) and not CANCELS.search(text):
        return "stuck"
    return "track" if task in ("cancel", "refund") and asks_to_pay(text) else task


def is_reason_only(text: str, running: str, task: str) -> bool:
    """Does what sounds like a cancellation only tell why something goes back, while that task is `running`?"""
    return running in GO_BACK and task == "cancel" and is_reason(text) and not CALLS_OFF.search(text)


def is_receipt_only(text: str, task: str) -> bool:
    """Does a message only tell that the order came, whatever task it was taken for?"""
    return task in ("not_received", "track") and bool(RECEIVED.search(text)) and not UNRECEIVED.search(text)
