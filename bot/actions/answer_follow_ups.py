"""Short questions after an answer of policy, which only that answer tells what they are about ("电池呢")."""

from __future__ import annotations

import re

from bot.actions import words
from bot.actions.policy_figures import policy_values
from bot.actions.said import plain
from bot.actions.turn import Turn

LONGEST = 40
# After an answer of one of these topics: what is asked, and the name of what is said to it.
FOLLOW_UPS = (
    (
        ("warranty",),
        re.compile(r"电池|(?<![a-z])batter(?:y|ies)(?![a-z])", re.IGNORECASE),
        "battery",
    ),
    (
        ("warranty",),
        re.compile(
            r"人为|摔|磕|碎|裂|进水|泡水|自己弄|(?<![a-z])(?:dropp\w*|crack\w*|smash\w*|broke|water|my (?:own )?fault"
            r"|accident\w*)(?![a-z])",
            re.IGNORECASE,
        ),
        "own_fault",
    ),
    (
        ("return_exchange", "refund"),
        re.compile(
            r"^(?!.*(?:券|优惠|积分|红包|到账|coupon|voucher|discount))"
            r".*(?:拆(?:了|过|开|封)|开封|打开(?:了|过)|用(?:了|过)|戴(?:了|过)"
            r"|(?<![a-z])(?:opened|unpacked|used|worn|wore)(?![a-z]))",
            re.IGNORECASE,
        ),
        "opened",
    ),
)
_BY_PHONE = re.compile(
    r"^(?!.*\d).*(?:(?:手机|电话)号?(?:码)?[^,，。]{0,6}(?:查|找|可以|能|行)[^,，。]{0,6}|(?:用|凭|拿|报|只有|通过)[^,，。]{0,4}(?:手机|电话)号?[^,，。]{0,8}(?:查|找|行|可以)"
    r"|(?<![a-z])(?:by|with|using|from|only have)(?: just)?(?: my| the)? (?:phone|mobile))",
    re.IGNORECASE,
)


def tells_no_phone(turn: Turn) -> bool:
    """Says that a phone number alone opens no order, where that is asked while one is looked for."""
    if not turn.slot("order_task") or turn.slot("order") or not _BY_PHONE.search(plain(turn.text)):
        return False
    turn.say("utter_orders/not_by_phone", buttons=[turn.button("person", "/request_human")])
    return True


async def answered(turn: Turn) -> bool:
    """Answers such a question; False when the message is none."""
    text = plain(turn.text)
    if len(text) > LONGEST:
        return False
    if tells_no_phone(turn):
        return True
    last = str(next(iter(reversed(turn.slot("answered") or [])), ""))
    if {"product", "device_model", "order_number"} & set(turn.entities) or not turn.was_set_lately("answered", 1):
        return False
    for topics, pattern, name in FOLLOW_UPS:
        if last.partition("/")[0] in topics and pattern.search(text):
            said = words.words(f"utter_answers/follow_{name}", turn.language, **await policy_values(turn))
            turn.send(said)
            return True
    return False
