"""Messages that answer what the bot just asked or showed about an order, whatever else they look like by themselves."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from bot.actions import answer_follow_ups, catalogue, dates, order_changes, order_follow_ups
from bot.actions.advice import take_budget
from bot.actions.clients.shop import shop
from bot.actions.order_details import (
    ADDRESS_PARTS,
    address_told,
    corrected,
    corrects,
    is_reason,
    plain,
    read_invoice,
    told_reason,
)
from bot.actions.order_words import WITH_COURIER, order_values, state_name, was_shown
from bot.actions.said import is_question, only_waits
from bot.actions.turn import LISTEN, Turn
from bot.nlu.dates import current_day

# Reasons and corrections sound like these intents; a wish for a person, a complaint or a no is never one.
_OWN_WAY = frozenset({"request_human", "complain", "goodbye", "thank", "greet"})
_HAND_OVER = "action_hand_off"
_LEAVES_IT = re.compile(
    r"算了|不退了|不换了|先不|取消(?:退|换|申请|订单)|别退|(?<![a-z])(?:never ?mind|forget it|cancel (?:the|my"
    r"|this) (?:return|exchange|order))",
    re.IGNORECASE,
)
_WAY_BACK = re.compile(
    r"寄|取件|上门|来拿|来取|快递|运费|邮费|免费|要钱|花钱|地址"
    r"|(?<![a-z])(?:pick(?:ed)?[ -]?up|courier|send (?:it|them|this)|to send|free|cost|pay|fee|label"
    r"|where do)(?![a-z])",
    re.IGNORECASE,
)
_ARRIVAL = re.compile(
    r"什么时候|啥时候|几号|几点|哪天|多久|几天|(?:能|会|可以|赶|来得?)(?:不能)?.{0,6}(?:到|及)|前.{0,6}[要到用]|急用|着急用|等着用"
    r"|(?<![a-z])(?:when|how long|how soon|arriv\w*|in time|get (?:it|here)|need (?:it|this)"
    r"|by (?:mon|tues|wednes|thurs|fri|satur|sun)day|by (?:tomorrow|tonight|then|the \w+|\d+))(?![a-z])",
    re.IGNORECASE,
)
_ASKS_OF_ARRIVAL = frozenset(
    {"delivery/time", "delivery", "inform", "nlu_fallback", "out_of_scope", "chitchat", "track_order"}
)
_ON_THE_WAY = frozenset({"paid", "packed", "shipped", "delayed"})
_URGENT = re.compile(
    r"急用|着急用|急着用|等着用|(?<![a-z])(?:i need (?:it|this) (?:by|before|urgently"
    r"|asap))(?![a-z])",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"全额|手续费|扣(?:钱|款|费|多少)|退(?:到|回|多少|几|得)|原路|到账|钱.{0,8}退|退.{0,4}钱"
    r"|(?<![a-z])(?:refund(?:ed)?|money back|fees?|charged?|full amount)(?![a-z])",
    re.IGNORECASE,
)
_COUPON = re.compile(r"券|积分|红包|(?<![a-z])(?:coupons?|vouchers?|points|discount)(?![a-z])", re.IGNORECASE)
_TOLD_ALREADY = re.compile(
    r"说(?:了|过)|刚才?说|(?<![a-z])(?:already (?:said|told)|i (?:said|told you))", re.IGNORECASE
)
# Questions of these kinds are answered where they belong, and the open confirmation is put once more.
_ANSWERED_ASIDE = frozenset(
    ["delivery", "warranty", "firmware_update", "device_problem", "parcel_problem", "track_order", "who_are_you"]
)
_WAY_BACK_OF = {"return_exchange": "return", "refund": "return", "warranty": "exchange"}
_ABOUT_ORDER = frozenset({"confirmation", "return_reason", "parcel"})
_MONTHS_A_YEAR = 12
_PART = re.compile(r"电池|battery", re.IGNORECASE)


async def answered(turn: Turn, action: str) -> bool:
    """Answers a message that belongs to the order on the table; False when it has to be answered otherwise."""
    if turn.pressed or turn.loop or not turn.opening or action == _HAND_OVER or turn.intent in _OWN_WAY:
        return False
    order, awaiting = turn.slot("order"), turn.slot("awaiting")
    done = False
    if order and (awaiting in _ABOUT_ORDER or was_shown(turn, order)) and order_changes.sends_again(turn, order):
        return True
    if order and awaiting == "confirmation":
        done = await _at_confirmation(turn, order)
    elif order and awaiting == "return_reason":
        done = await _at_reason(turn)
    elif order and awaiting in ("nothing", None):
        done = await order_follow_ups.answered(turn, order) or tells_arrival(turn, order)
    if not done and awaiting in ("nothing", None):
        done = await take_budget(turn)
    done = done or await _under_warranty(turn) or _who_pays_the_way_back(turn)
    if not done and awaiting in ("nothing", None):
        done = await answer_follow_ups.answered(turn)
    if done and not turn.followed:
        turn.follow(LISTEN)
    return done


async def _at_confirmation(turn: Turn, order: dict[str, Any]) -> bool:
    """A correction of what is to be confirmed, or a question about the way back."""
    pending = turn.slot("pending") or {}
    number = turn.entities.get("order_number", pending.get("number"))
    if not pending.get("question") or number != pending.get("number"):
        return False
    if order_changes.insists(turn.text, pending["task"]):
        return False
    if order_follow_ups.tells_how_to_pay(turn, order):
        turn.set("pending", None)
        turn.set("awaiting", "nothing")
        return True
    change = _other_way(turn, pending) or _amended(turn, pending)
    if change:
        if "phone" in change and order.get("proof"):
            turn.set("phone_last4", order["proof"])
        order_changes.ask_for_yes(turn, order, change)
        return True
    if pending["task"] in ("address", "invoice") and corrects(turn.text):
        turn.say(f"utter_orders/correct_{pending['task']}")
        return True
    if order_changes.only_a_part(turn, order, pending["task"]):
        return True
    if only_waits(turn.text):
        turn.say("utter_orders/waits_for_yes", number=pending["number"])
        return True
    if pending["task"] in ("return", "exchange") and await _say_way_back(turn, pending["task"]):
        turn.say("utter_orders/still_to_confirm", question=pending["question"])
        return True
    if is_question(turn.text) and await _answers_first(turn, pending["task"]):
        turn.say("utter_orders/still_to_confirm", question=pending["question"])
        return True
    return False


def _other_way(turn: Turn, pending: dict[str, Any]) -> dict[str, Any] | None:
    """The exchange instead of the return, or the other way round, for the same reason; None when none is chosen."""
    task = order_changes.other_way(turn.text, pending["task"])
    return {"task": task, "reason": pending["reason"]} if task else None


async def _answers_first(turn: Turn, task: str) -> bool:
    """A question before the yes: about the money what the shop's rules say, else that it cannot be told here."""
    if task != "invoice" and _COUPON.search(turn.text):
        turn.say("utter_orders/coupons_unknown", buttons=[turn.button("person", "/request_human")])
    elif task in ("cancel", "return") and _MONEY.search(turn.text):
        refund = (await shop().policies())["refund"]
        turn.say(
            f"utter_orders/money_{task}",
            refund_days=refund["days_original"],
            inspection_days=refund["days_inspection"],
        )
    elif turn.intent in _ANSWERED_ASIDE or turn.topic in ("refund/status", "return_exchange/policy"):
        return False
    else:
        turn.say("utter_orders/question_unanswered", buttons=[turn.button("person", "/request_human")])
    return True


def _amended(turn: Turn, pending: dict[str, Any]) -> dict[str, Any] | None:
    """The pending change with what this message corrects of it or adds to it; None when it does neither."""
    task, text = pending["task"], turn.text
    change = {name: value for name, value in pending.items() if name not in ("question", "number")}
    told = {name: str(value) for name, value in change.items() if value is not None and name != "task"}
    found: dict[str, Any]
    if task == "address":
        found = address_told({name: told[name] for name in ADDRESS_PARTS if name in told}, text)
    elif task == "invoice":
        found = _invoice_found(turn, text, told)
    else:
        return None
    fixed = None if found or is_question(text) else corrected(told, text)
    new = {"task": task, **change, **(found or fixed or {})}
    return new if new != change and (found or fixed) else None


def _invoice_found(turn: Turn, text: str, told: dict[str, str]) -> dict[str, Any]:
    read = read_invoice(text)
    found: dict[str, Any] = {name: read[name] for name in ("title", "tax_number", "email") if name in read}
    if found.get("tax_number") == order_changes.NO_NUMBER:
        found["tax_number"] = None
    if read.get("kind") == "personal" and "title" not in found:
        found |= {"title": turn.label("invoice_personal"), "tax_number": None}
    return {name: value for name, value in found.items() if told.get(name) != value}


async def _at_reason(turn: Turn) -> bool:
    """The reason of a return in whatever words, or a question before it is told."""
    text = turn.text
    pending = turn.slot("pending") or {}
    if not pending.get("task"):
        return False
    if other := order_changes.other_way(text, pending["task"]):
        turn.set("order_task", other)
        await order_changes.offer(turn, turn.slot("order"), other)
        return True
    if order_changes.insists(text, pending["task"]) and not is_reason(text):
        order_changes.ask_reason_again(turn, answered=True)
        return True
    if _LEAVES_IT.search(text):
        return False
    if order_changes.only_a_part(turn, turn.slot("order"), pending["task"]):
        return True
    if _TOLD_ALREADY.search(text) and not told_reason(text):
        told = next((reason for before in turn.heard if (reason := told_reason(before))), None)
        if told:
            order_changes.take_reason(turn, told)
        else:
            order_changes.ask_reason_again(turn)
        return True
    if is_question(text) and not is_reason(text):
        if not await _say_way_back(turn, pending["task"]):
            return False
        order_changes.ask_reason_again(turn, answered=True)
        return True
    if only_waits(text):
        order_changes.ask_reason_again(turn)
        return True
    if not is_reason(text):
        return False
    order_changes.take_reason(turn, text)
    return True


async def _say_way_back(turn: Turn, task: str) -> bool:
    """How a return or exchange goes, who pays and how long it takes; False when that is not what was asked."""
    text = plain(turn.text)
    if not is_question(text) or not (_WAY_BACK.search(text) or order_follow_ups.HOW_LONG.search(text)):
        return False
    policies = await shop().policies()
    turn.say(
        f"utter_orders/{'how_long' if order_follow_ups.HOW_LONG.search(text) else 'way_back'}_{task}",
        inspection_days=policies["refund"]["days_inspection"],
        refund_days=policies["refund"]["days_original"],
    )
    return True


def tells_arrival(turn: Turn, order: dict[str, Any]) -> bool:
    """A question when it comes or who brings it, or a day by which it is needed, about the order just shown."""
    other = turn.entities.get("order_number", order["number"]) != order["number"]
    if other or not was_shown(turn, order) or order["status"] not in _ON_THE_WAY:
        return False
    text = plain(turn.text)
    if turn.topic == "delivery/courier" and order["status"] in WITH_COURIER:
        turn.say(state_name(order), **order_values(turn, order))
        return True
    asked = (turn.topic in _ASKS_OF_ARRIVAL or turn.intent in _ASKS_OF_ARRIVAL) and _ARRIVAL.search(text)
    if not asked and not _URGENT.search(text):
        return False
    known = "expected" if order.get("expected_date") else "expected_unknown"
    turn.say(f"utter_orders/{known}", buttons=[turn.button("person", "/request_human")], **order_values(turn, order))
    return True


async def _under_warranty(turn: Turn) -> bool:
    """Whether a device is still covered, where its model and the time of buying are told."""
    if turn.topic not in ("warranty", "warranty/period"):
        return False
    device = (await catalogue.devices()).get(str(turn.slot("device_model")))
    bought = dates.month_said(turn.text) or dates.month_said(str(turn.slot("purchased_at") or ""))
    if not device or not bought or not _asks_of_own(turn):
        return False
    year, month = divmod(bought.year * _MONTHS_A_YEAR + bought.month - 1 + device["warranty_months"], _MONTHS_A_YEAR)
    ends, today = date(year, month + 1, 1), current_day()
    state = "ended" if (ends.year, ends.month) < (today.year, today.month) else "covered"
    turn.say(
        f"utter_warranty/{state}",
        device=turn.local(device["name"]),
        months=device["warranty_months"],
        until=dates.month(ends, turn.language),
    )
    return True


def _who_pays_the_way_back(turn: Turn) -> bool:
    """Who pays the postage, after returns, exchanges or repairs were spoken of: that of the way back is meant."""
    last = next(iter(reversed(turn.slot("answered") or [])), "")
    kind = _WAY_BACK_OF.get(last.partition("/")[0])
    if turn.topic != "delivery/fee" or not kind or not turn.said_last:
        return False
    turn.say(f"utter_orders/way_back_{kind}")
    return True


def _asks_of_own(turn: Turn) -> bool:
    """Does the question speak of the customer's own device, or its time of buying, and not of a number or a part?"""
    return bool({"device_model", "purchased_at"} & set(turn.entities)) and not _PART.search(turn.text)
