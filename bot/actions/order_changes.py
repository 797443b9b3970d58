"""Changes to an order: cancel, address, invoice, return, exchange. Each is offered, asked back."""

from __future__ import annotations

import re
from typing import Any

from bot.actions import words
from bot.actions.clients.shop import shop
from bot.actions.order_details import ADDRESS_PARTS
from bot.actions.order_words import allowed_buttons, order_values, state_name
from bot.actions.said import ends_as_question, has_a_but, is_question, is_wait, plain
from bot.actions.turn import Turn, payload

NEEDED = {"cancel": "cancel", "address": "address", "invoice": "invoice", "return": "return", "exchange": "return"}
COMPANY, TAX_NUMBER, REST = "company", "tax_number", "rest"
NO_NUMBER = "-"
INVOICE_PARTS = ("title", "tax_number", "email")
LONGEST_REASON = 200
# One thing out of several: the shop takes an order back as a whole.
PART_OF_ORDER = re.compile(
    r"(?:只|就)(?:要|想)?(?:退|换)(?!货|款|一下)|不是(?:两个|都|全部?|一起)*(?:退|换)|其中(?:的)?(?:一|1)|留着"
    r"|(?:退|换)(?:其中)?(?:一|1)(?:个|件|台|只|条)|(?:是好的|没问题|没坏)[^,。]{0,4}(?:不|别|留)"
    r"|(?<![a-z])(?:only|just) (?:the|one|return|exchange|want to (?:return|exchange))|keep(?:ing)? the (?:other|rest)"
    r"|(?:one|part) of (?:them|it|the)|not both",
    re.IGNORECASE,
)
LOST = "lost"
OTHER_WAY = {"return": "exchange", "exchange": "return"}
WISHES = {
    "return": re.compile(
        r"退(?:货|了|掉|款|钱|吧|\W*$)|(?<![a-z])(?:return|refund|money back|send it back)(?![a-z])", re.IGNORECASE
    ),
    "exchange": re.compile(
        r"换(?:货|新|吧|掉|一?[个台件只]|\W*$)|(?<![a-z])(?:exchange|swap|replace\w*|new one)(?![a-z])", re.IGNORECASE
    ),
    "cancel": re.compile(
        r"取消(?!操作|申请|修改|不了|[^,。]{0,4}的)|撤单"
        r"|(?<![a-z])cancel (?:it|that|this|the order|my order)(?![a-z])",
        re.IGNORECASE,
    ),
}
DENIED = re.compile(
    r"[不别没](?:想|要|用|需要|打算|必)?(?:退货|换货|退款|退|换|取消)[了掉]?"
    r"|(?<![a-z])(?:don'?t|do not|not|no|never)(?: \w+){0,2} (?:return|exchange|cancel|refund|swap)\w*",
    re.IGNORECASE,
)
DECIDED = re.compile(
    r"想好了|考虑好了|决定|(?<![a-z])(?:decided|made up my mind|thought (?:about )?it)(?![a-z])", re.IGNORECASE
)
# A word for doing one thing and not another, or for doing it at last.
CHOOSES = re.compile(
    r"还是|改成?|算了|干脆|直接|那就|不[想要用]?[退换]|吧\W*$"
    r"|(?<![a-z])(?:instead|rather|actually|just|after all|then)(?![a-z])",
    re.IGNORECASE,
)
LONGEST_CHOICE = 40
RESEND = re.compile(
    r"(?<![不别要用])(?:补[发寄](?!票)|(?:重新|再)(?:给我)?(?:补?发|寄)(?:一?[个件份台]|货|过来)|重[发寄](?:一|个|给我|吧|\W*$))"
    r"|(?<![a-z])(?:(?:send|ship|mail)(?: me| us| out)? (?:a |an )?(?:another|new|replacement)(?: one)?|resend|re-ship)"
    r"(?![a-z])",
    re.IGNORECASE,
)
NOT_GOODS = re.compile(
    r"发票|单号|号码|验证码|链接|短信|照片|图|邮件|(?<![a-z])(?:invoice|number|code|link|photos?|pictures?|e?-?mail)(?![a-z])",
    re.IGNORECASE,
)
MAY_I = re.compile(r"能|可以|(?<![a-z])(?:can|could|would|will) (?:you|i|we)(?![a-z])", re.IGNORECASE)
SENT = frozenset({"shipped", "delayed", "delivered", "returning", LOST})
# The wish often stands before the order number and the digits that prove the right to it.
_WISH_BEFORE_DIGITS = 2


async def offer(turn: Turn, order: dict[str, Any], task: str) -> None:
    """Asks for what the change needs and for a yes; where it is not allowed, says why and another way."""
    if task == "refund":
        task = "cancel" if "cancel" in order["allowed"] else "return"
    if order["status"] == LOST:
        turn.hand_over("policy_topic", "orders", priority=2)
    elif NEEDED[task] not in order["allowed"]:
        await _refuse(turn, order, task)
    elif only_a_part(turn, order, task, before=_WISH_BEFORE_DIGITS):
        return
    elif task == "cancel":
        ask_for_yes(turn, order, {"task": "cancel"})
    elif task == "address":
        _start_address(turn, order)
    elif task == "invoice":
        _start_invoice(turn, order)
    else:
        _ask_reason(turn, order, task)


def only_a_part(turn: Turn, order: dict[str, Any], task: str, before: int = 0) -> bool:
    """Says that one thing of several goes back only by a person, where that is wished; False where it is not.

    `before`: in how many messages before this one it may have been said.
    """
    several = sum(item["quantity"] for item in order["items"]) > 1
    wished = any(PART_OF_ORDER.search(text) for text in [turn.text, *turn.heard[:before]])
    if task not in ("return", "exchange") or turn.pressed or not several or not wished:
        return False
    whole = payload("return_exchange", topic=f"return_exchange/{task}")
    turn.set("pending", None)
    turn.set("awaiting", "nothing")
    buttons = [turn.button("person", "/request_human"), turn.button(f"whole_{task}", whole)]
    turn.say("utter_orders/part_by_person", buttons=buttons, **order_values(turn, order))
    return True


def _told_before(turn: Turn) -> dict[str, str]:
    """The details that came with the wish, before the order was found."""
    return dict((turn.slot("pending") or {}).get("told") or {})


def _start_address(turn: Turn, order: dict[str, Any]) -> None:
    parts = {name: part for name, part in _told_before(turn).items() if name in ADDRESS_PARTS}
    if set(parts) == set(ADDRESS_PARTS):
        ask_for_yes(turn, order, {"task": "address", **parts})
        return
    turn.set("new_address", None)
    turn.set("pending", {"parts": parts} if parts else None)
    turn.set("form_trouble", REST if parts else None)
    turn.follow("address_form")


def _start_invoice(turn: Turn, order: dict[str, Any]) -> None:
    parts = _told_before(turn)
    trouble = invoice_lacks(parts)
    if trouble is None:
        ask_for_yes(turn, order, {"task": "invoice", **invoice_of(turn, parts)})
        return
    turn.set("invoice_title", None)
    turn.set("pending", {"parts": parts} if parts else None)
    turn.set("form_trouble", trouble)
    turn.follow("invoice_form")


def invoice_lacks(parts: dict[str, str]) -> str | None:
    """What is still to be asked for an invoice; `again` for the title, None when it is complete."""
    company = parts.get("kind") == "company" or "tax_number" in parts
    if "title" not in parts:
        return COMPANY if company else None if parts.get("kind") == "personal" else "again"
    return TAX_NUMBER if company and "tax_number" not in parts else None


def invoice_of(turn: Turn, parts: dict[str, str]) -> dict[str, str | None]:
    """The invoice as it goes to the shop: a person who gave no name has the title for persons."""
    told: dict[str, str | None] = {name: parts.get(name) for name in INVOICE_PARTS}
    tax_number = None if told["tax_number"] == NO_NUMBER else told["tax_number"]
    return {**told, "title": told["title"] or turn.label("invoice_personal"), "tax_number": tax_number}


def ask_for_yes(turn: Turn, order: dict[str, Any], change: dict[str, Any]) -> None:
    """Says what will be done and waits for a yes."""
    task = change["task"]
    if task == "address" and not set(ADDRESS_PARTS) <= set(change):
        parts = [f"{turn.label(f'address_{part}')} {change[part]}" for part in ADDRESS_PARTS if part in change]
        question = words.words(
            "utter_confirm/address_part",
            turn.language,
            number=order["number"],
            parts=words.listed(parts, turn.language),
        )
    else:
        question = words.words(
            f"utter_confirm/{task}", turn.language, **{**order_values(turn, order), **_told(turn, change)}
        )
    turn.set("pending", {**change, "number": order["number"], "question": question.text})
    turn.set("awaiting", "confirmation")
    turn.send(question)


def _told(turn: Turn, change: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) if value is not None else turn.label("none_given") for name, value in change.items()}


async def _refuse(turn: Turn, order: dict[str, Any], task: str) -> None:
    issued = task == "invoice" and (order.get("invoice") or {}).get("status") == "issued"
    name = f"utter_refused/{NEEDED[task]}_{'issued' if issued else order['status']}"
    said = name if words.knows(name) else state_name(order)
    ways_out = [one for one in allowed_buttons(turn, order) if one["payload"] != "/invoice"]
    return_days = (await shop().policies())["return"]["days"]
    turn.say(said, buttons=ways_out, return_days=return_days, **order_values(turn, order))


def _ask_reason(turn: Turn, order: dict[str, Any], task: str) -> None:
    known = _known_reason(turn, order)
    turn.set("order_trouble", None)
    if known:
        ask_for_yes(turn, order, {"task": task, "reason": known})
        return
    turn.set("pending", {"task": task, "number": order["number"]})
    turn.set("awaiting", "return_reason")
    turn.say(f"utter_orders/ask_reason_{task}", **order_values(turn, order))


def _known_reason(turn: Turn, order: dict[str, Any]) -> str | None:
    """The trouble told before: the parcel's, or the device's that could not be cured."""
    trouble, issue = turn.slot("order_trouble") or {}, turn.slot("issue") or {}
    if trouble.get("number") == order["number"]:
        return turn.label(f"trouble_{trouble['kind']}")
    if told := _told_before(turn).get("reason"):
        return told
    if not issue.get("title") or issue.get("stage") == "solved":
        return None
    model = turn.slot("device_model")
    concerned = not model or any(item["model"] == model for item in order["items"])
    return turn.local(issue["title"]) if concerned else None


def take_reason(turn: Turn, reason: str) -> None:
    """Notes why something is sent back, and asks for a yes."""
    task = turn.slot("pending")["task"]
    ask_for_yes(turn, turn.slot("order"), {"task": task, "reason": reason[:LONGEST_REASON]})


def ask_reason_again(turn: Turn, answered: bool = False) -> None:
    """The reason is still to be told: what was said was none, or a question that is `answered` now."""
    name = "reason_now" if answered else "no_hurry" if is_wait(turn.text) else "reason_first"
    values = order_values(turn, turn.slot("order"))
    asked = words.words(f"utter_orders/ask_reason_{turn.slot('pending')['task']}", turn.language, **values)
    turn.say(f"utter_orders/{name}", buttons=asked.buttons)


def insists(text: str, task: str) -> bool:
    """Does the customer plainly choose this task ("算了，取消掉", "想好了，退吧")? A question or a but is no choice."""
    said = DENIED.sub(" ", plain(text))
    short = len(text) <= LONGEST_CHOICE and not ends_as_question(text) and not has_a_but(text)
    chooses = bool(CHOOSES.search(text) or DECIDED.search(text))
    return short and chooses and task in WISHES and bool(WISHES[task].search(said))


def other_way(text: str, task: str) -> str | None:
    """The exchange that is chosen instead of a return, or the return instead of an exchange."""
    other = OTHER_WAY.get(task)
    return other if other and insists(text, other) and not insists(text, task) else None


def sends_again(turn: Turn, order: dict[str, Any]) -> bool:
    """Hands over to a person, who alone can send a thing again, where that is wished; False where it is not."""
    pending = turn.slot("pending") or {}
    text = plain(turn.text)
    asks = is_question(text) and not MAY_I.search(text)
    other_order = turn.entities.get("order_number", order["number"]) != order["number"]
    if order["status"] not in SENT or other_order or pending.get("task") == "exchange" or asks:
        return False
    if not RESEND.search(text) or NOT_GOODS.search(text):
        return False
    turn.set("pending", None)
    turn.set("awaiting", "nothing")
    turn.hand_over("policy_topic", "orders", priority=2)
    return True
