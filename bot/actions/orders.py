"""Orders: the form that finds one (number and proof, or a known customer's choice), and what its state is."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import (
    answer_follow_ups,
    open_question,
    order_changes,
    order_details,
    parcels,
    second_wish,
    several_orders,
    words,
)
from bot.actions.answers import answer_topic
from bot.actions.clients.proofs import wrong_proofs
from bot.actions.clients.shop import CustomerUnknown, OrderNotFound, ShopError, TooManyProofs, shop
from bot.actions.order_tasks import PARCEL_TASKS, TASKS, by_words, is_reason_only, is_receipt_only, task_of
from bot.actions.order_words import SHOWN_LATELY, allowed_buttons, order_values, state_name
from bot.actions.skill import SkillAction
from bot.actions.turn import Turn, payload

FORM = "order_form"
LEFT_WITH_FORM = (
    "form_trouble",
    "order_task",
    "new_address",
    "invoice_title",
    "advice_use",
    "advice_detail",
    "pending",
    "orders_next",
)
MOST_CHOICES = 5
SOCIAL = frozenset({"greet", "thank", "chitchat", "out_of_scope", "capabilities", "who_are_you"})
UNCLEAR = frozenset({"inform", "affirm", "nlu_fallback"})
POLICY = "return_exchange/policy"
CHANGES = {
    "cancel": "cancel_order",
    "address": "change_address",
    "invoice": "invoice",
    "return": "return_exchange/return",
    "exchange": "return_exchange/exchange",
    "refund": "refund/request",
}
# What is done with an order whatever else is, and never only another name for that.
BESIDE_ANOTHER = frozenset({"track", "invoice", "address"})
DETAILED = frozenset({"invoice", "address", "return", "exchange", "refund"})
BESIDE = 16
STATED_DIGITS = re.compile(
    r"(?:尾号|后四位|手机后|(?<![a-z])(?:phone|mobile|last four|last 4|ending|ends?))[^\d,;。]{0,14}(\d{4})(?!\d)"
    r"|(?<!\d)(\d{4})(?=\s*(?:就是|是|这是)?(?:我|俺)?的?(?:手机|电话)?号?(?:的)?(?:尾号|后四位|末四位))",
    re.IGNORECASE,
)
NO_NUMBER = re.compile(
    r"(?:没有?|没带|不记得|记不得|忘了?|不知道|找不到|丢了|看不到)[^,，。]{0,8}(?:号|单)"
    r"|(?<![a-z])(?:(?:don'?t|do not) (?:have|know|remember)|haven'?t got|(?:can'?t|cannot) (?:find|see|remember)|lost"
    r"|forgot)[^.?!]{0,24}(?:number|it)(?![a-z])",
    re.IGNORECASE,
)
ANOTHER_ORDER = re.compile(r"另一个|另外|别的|其他订单|下一个|another|other order|different order", re.IGNORECASE)


async def begin(turn: Turn, task: str) -> None:
    """Starts a task with an order: at once when number and proof are known, else with the form's questions.

    Of several orders that the message names the first is taken; the others come up when it is done.
    """
    if not turn.pressed:
        task = by_words(turn.text, task)
    if not turn.pressed and task in CHANGES and several_orders.unsure(turn.text):
        turn.set("phone_last4", _digits_alone(turn.text) or turn.slot("phone_last4"))
        turn.say("utter_orders/which_of_these", buttons=_one_of(several_orders.named(turn.text), task))
        return
    task = _take_several(turn, task)
    _take_beside(turn, task)
    _new_task(turn, task)
    _take_proof(turn)
    turn.set("order", None)
    turn.set("form_trouble", None)
    await _know_the_customer(turn)
    if await missing_slot(turn) is None:
        await do_task(turn)
    else:
        turn.follow(FORM)


def _one_of(numbers: list[str], task: str) -> list[words.Button]:
    intent, _, topic = CHANGES[task].partition("/")
    chosen = {"topic": CHANGES[task]} if topic else {}
    return [{"title": number, "payload": payload(intent, **chosen, order_number=number)} for number in numbers]


def _take_several(turn: Turn, task: str) -> str:
    """Binds each of several orders to what its clause asks for; returns the task of the first."""
    if turn.pressed:
        return task
    numbers, wished = several_orders.named(turn.text), several_orders.wishes(turn.text)
    if len(numbers) < 2 or not wished:
        if len(numbers) == 1:
            turn.set("order_number", numbers[0])
        return task
    tasks = [wish.task or task for wish in wished]
    first, *others = [
        {"number": wish.number, "task": task, "proof": wish.proof} for wish, task in zip(wished, tasks, strict=True)
    ]
    turn.set("order_number", first["number"])
    told = order_details.read_invoice(turn.text) if {entry["task"] for entry in [first, *others]} == {"invoice"} else {}
    turn.set("orders_next", [{**entry, "told": told} for entry in others] or None)
    return str(first["task"])


def _take_beside(turn: Turn, task: str) -> None:
    """Notes what else the message asks for its one order, for when this is done."""
    if turn.pressed or turn.slot("orders_next"):
        return
    sure = [wish for wish in turn.wishes if wish["confidence"] >= second_wish.SURE]
    tasks = dict.fromkeys(TASKS.get(wish["topic"]) or TASKS.get(wish["intent"]) for wish in sure)
    for other in tasks:
        if other in BESIDE_ANOTHER and other != task and not (other == "track" and task in PARCEL_TASKS):
            told = order_details.of_task(turn.text, other) if other in DETAILED else {}
            turn.append("orders_next", {"number": None, "task": other, "told": told})


def _new_task(turn: Turn, task: str) -> None:
    told = dict((turn.slot("pending") or {}).get("told") or {}) if task == turn.slot("order_task") else {}
    turn.set("order_task", task)
    if task not in ("return", "exchange", "refund"):
        turn.set("order_trouble", None)
    if task in DETAILED and not turn.pressed:
        told |= order_details.of_task(turn.text, task)
    turn.set("pending", {"told": told} if told else None)
    turn.set("awaiting", "nothing")
    second_wish.remember(turn)
    if task in PARCEL_TASKS:
        turn.say(f"utter_parcel/acknowledge_{task}")


def _take_proof(turn: Turn) -> None:
    """The digits stated now, else those that opened an order before: a phone told for something else is no proof."""
    stated = None if turn.pressed else _digits_stated(turn)
    order = turn.slot("order") or {}
    before, same_order = order.get("proof"), order.get("number") == turn.slot("order_number")
    if stated:
        turn.set("phone_last4", stated)
    elif before and (same_order or not turn.slot("phone_last4") or _is_new_phone(turn)):
        turn.set("phone_last4", before)
    elif _is_new_phone(turn):
        turn.set("phone_last4", None)


def _is_new_phone(turn: Turn) -> bool:
    """Do the digits of this message come from the phone of a new recipient?"""
    told = (turn.slot("pending") or {}).get("told") or {}
    return turn.slot("order_task") == "address" and str(told.get("phone", "")).endswith(
        str(turn.entities.get("phone_last4", "-"))
    )


def _digits_stated(turn: Turn) -> str | None:
    """Four digits beside an order number, or with a word that says what they are; never a full mobile's."""
    text = order_details.MOBILE.sub(" ", order_details.plain(turn.text))
    if stated := STATED_DIGITS.search(text):
        return stated.group(1) or stated.group(2)
    number = str(turn.slot("order_number") or "")
    at = next(
        (m for m in order_details.ORDER_NUMBER.finditer(text) if re.sub(r"\D", "", m.group()) == number[2:]), None
    )
    if at is None:
        return None
    beside = several_orders.FOUR_DIGITS.match(text[at.end() : at.end() + BESIDE].lstrip(" ,;:。-("))
    return beside.group() if beside else _digits_alone(text)


def _digits_alone(text: str) -> str | None:
    """The only four digits of a text that belong to no longer number."""
    plain = order_details.MOBILE.sub(" ", order_details.ORDER_NUMBER.sub(" ", order_details.plain(text)))
    digits = several_orders.FOUR_DIGITS.findall(plain)
    return digits[0] if len(digits) == 1 else None


async def _know_the_customer(turn: Turn) -> None:
    """Fetches a known customer's orders; the only one there is needs no choosing."""
    token = turn.slot("customer_token")
    if not token:
        return
    try:
        orders = await shop().customer_orders(token)
    except CustomerUnknown:
        orders = []
    turn.set("orders_known", orders)
    if len(orders) == 1 and not turn.slot("order_number"):
        turn.set("order_number", orders[0]["number"])


async def missing_slot(turn: Turn) -> str | None:
    """Looks the order up when number and proof are there. Returns the slot to ask for next; None ends the form."""
    number = turn.slot("order_number")
    if turn.slot("order"):
        return None
    if not number:
        return "order_number"
    known = next((order for order in turn.slot("orders_known") or [] if order["number"] == number), None)
    if known:
        turn.set("order", known)
        return None
    if not turn.slot("phone_last4"):
        return "phone_last4"
    return await _look_up(turn, number, turn.slot("phone_last4"))


async def _look_up(turn: Turn, number: str, phone_last4: str) -> str | None:
    """Finds the order, at most once for the same number and proof: the shop counts wrong ones."""
    proof = [number, phone_last4]
    if proof in (turn.slot("proofs_tried") or []):
        return _not_found(turn)
    try:
        with wrong_proofs().attempt(number, turn.conversation, turn.network):
            order = await shop().order(number, phone_last4)
        turn.set("order", {**order, "proof": phone_last4})
        turn.set("form_trouble", None)
        return None
    except OrderNotFound:
        turn.append("proofs_tried", proof)
        return _not_found(turn)
    except TooManyProofs:
        turn.set("form_trouble", "too_many")
        turn.set("phone_last4", None)
        return None
    except ShopError:
        turn.set("form_trouble", "shop_down")
        return None


def _not_found(turn: Turn) -> str:
    turn.set("form_trouble", "not_found")
    turn.set("phone_last4", None)
    return "phone_last4"


class StartOrderTask(SkillAction):
    """Starts what the customer wants of an order, or answers a question of policy about it."""

    group = "orders"

    def name(self) -> str:
        return "action_start_order_task"

    async def answer(self, turn: Turn) -> None:
        task = task_of(turn)
        if task is None and turn.topic == POLICY and "order_number" in turn.entities:
            task = "return"
        if task is None:
            await answer_topic(turn, turn.topic)
            return
        if ANOTHER_ORDER.search(turn.text) and "order_number" not in turn.entities:
            turn.set("order_number", None)
        await begin(turn, task)


class ValidateOrderForm(Action):
    """Takes number and proof as they come, corrections included, and says which question is next."""

    def name(self) -> str:
        return f"validate_{FORM}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        turn = Turn(dispatcher, tracker)
        asked = {"order_number", "phone_last4"}
        given = {name for name, value in tracker.slots_to_validate().items() if value is not None} & asked
        if given and turn.loop == FORM:
            self._take_what_came(turn, given)
        missing = await missing_slot(turn)
        taken = [SlotSet(name, turn.slot(name)) for name in sorted(given)]
        return [*taken, *turn.events, SlotSet("requested_slot", missing)]

    @staticmethod
    def _take_what_came(turn: Turn, given: set[str]) -> None:
        turn.set("form_trouble", None)
        if task := task_of(turn):
            turn.set("order_task", task)
        if not turn.pressed:
            _take_details(turn)
        if "order_number" in given and not turn.slot("phone_last4"):
            _try_the_old_proof_again(turn)


def _take_details(turn: Turn) -> None:
    """The order's digits, further orders, and what the message tells of the change that the order is looked up for."""
    task = _take_several(turn, turn.slot("order_task") or "track")
    turn.set("order_task", task)
    if "order_number" in turn.entities and (digits := _digits_stated(turn)):
        turn.set("phone_last4", digits)
    if task in DETAILED and (told := order_details.of_task(turn.text, task)):
        turn.set("pending", {"told": {**((turn.slot("pending") or {}).get("told") or {}), **told}})


def _try_the_old_proof_again(turn: Turn) -> None:
    """A corrected number goes with the digits that did not fit the wrong one."""
    proofs = turn.slot("proofs_tried") or []
    if proofs and proofs[-1][0] != turn.slot("order_number"):
        turn.set("phone_last4", proofs[-1][1])


class AskOrderNumber(SkillAction):
    """Asks for the order: by buttons when the customer is known, else by its number."""

    group = "orders"

    def name(self) -> str:
        return "action_ask_order_number"

    async def answer(self, turn: Turn) -> None:
        orders = turn.slot("orders_known") or []
        if orders:
            turn.say("utter_orders/choose", buttons=[_choice(turn, order) for order in orders[:MOST_CHOICES]])
        elif turn.slot("form_trouble") == FORM:
            turn.say("utter_orders/ask_number_again", index=turn.round)
        else:
            turn.say("utter_orders/ask_number")


def _choice(turn: Turn, order: dict[str, Any]) -> dict[str, str]:
    return turn.button("order_choice", payload("inform", order_number=order["number"]), **order_values(turn, order))


class AskPhone(SkillAction):
    """Asks for the second proof. After a miss it does not tell whether the number or the digits were wrong."""

    group = "orders"

    def name(self) -> str:
        return "action_ask_phone_last4"

    async def answer(self, turn: Turn) -> None:
        number = turn.slot("order_number")
        proofs = turn.slot("proofs_tried") or []
        if turn.slot("form_trouble") == "not_found" and proofs:
            turn.say("utter_orders/not_found", number=number, phone_last4=proofs[-1][1])
        elif turn.slot("form_trouble") == FORM:
            turn.say("utter_orders/ask_phone_again", index=turn.round, number=number)
        else:
            turn.say("utter_orders/ask_phone", number=number)


class OrderTask(SkillAction):
    """Does, with the order that the form found, what it was looked up for."""

    group = "orders"

    def name(self) -> str:
        return "action_order_task"

    async def answer(self, turn: Turn) -> None:
        await do_task(turn)


async def do_task(turn: Turn) -> None:
    """Answers the running task with the order found, or says why there is none."""
    order, task = turn.slot("order"), turn.slot("order_task") or "track"
    if not order:
        _no_order(turn)
    elif task == "track":
        say_state(turn, order)
    elif task == "refund_status":
        await _say_refund(turn, order)
    elif task in PARCEL_TASKS:
        await parcels.answer(turn, order, task)
    else:
        await order_changes.offer(turn, order, task)
    if order:
        await go_on(turn)


async def go_on(turn: Turn) -> None:
    """Takes up the next order that the customer named, unless something waits for their word; then it is only named."""
    waiting = turn.slot("orders_next") or []
    if turn.followed:
        return
    if not waiting:
        if turn.slot("awaiting") == "nothing":
            second_wish.remind(turn)
        return
    following, *later = waiting
    following = {**following, "number": following["number"] or turn.slot("order_number")}
    if turn.slot("awaiting") != "nothing":
        turn.say("utter_orders/next_after_this", number=following["number"], task=task_label(turn, following["task"]))
        return
    proof = following.get("proof") or (turn.slot("order") or {}).get("proof")
    turn.set("orders_next", later or None)
    turn.set("order_task", following["task"])
    turn.set("order_number", following["number"])
    turn.set("phone_last4", proof)
    turn.set("order", None)
    turn.set("pending", {"told": following["told"]} if following.get("told") else None)
    if await missing_slot(turn) is None:
        await do_task(turn)
    else:
        turn.follow(FORM)


def task_label(turn: Turn, task: str) -> str:
    """What a task is called, in the customer's language."""
    return turn.label(f"task_{task}" if words.knows(f"utter_label/task_{task}") else "task_track")


def _no_order(turn: Turn) -> None:
    if turn.slot("form_trouble") == "too_many":
        turn.say("utter_orders/too_many_proofs", number=turn.slot("order_number"))
        turn.set("order_number", None)
        turn.set("form_trouble", None)
    else:
        turn.hand_over("bot_error", "orders", priority=2)


def say_state(turn: Turn, order: dict[str, Any]) -> None:
    """The order's state, its parcel's latest event, the expected date, and what the shop allows now.

    Told a moment ago, it is not told in the same words again.
    """
    values = order_values(turn, order)
    state = words.words(state_name(order), turn.language, **values)
    if state.text.strip() in (said.strip() for said in turn.said_lately(SHOWN_LATELY)):
        turn.say("utter_orders/state_again", buttons=[turn.button("person", "/request_human")], **values)
        return
    turn.send(state, allowed_buttons(turn, order))


async def _say_refund(turn: Turn, order: dict[str, Any]) -> None:
    refund = order.get("refund")
    if refund:
        turn.say(f"utter_orders/refund_{refund['status']}", **order_values(turn, order))
    else:
        days = (await shop().policies())["refund"]["days_original"]
        buttons = allowed_buttons(turn, order)
        turn.say("utter_orders/refund_none", buttons=buttons, refund_days=days, **order_values(turn, order))


class AnswerAside(SkillAction):
    """Answers what is said in the middle of a form; the form then goes on with its question."""

    def name(self) -> str:
        return "action_answer_aside"

    async def answer(self, turn: Turn) -> None:
        turn.set("form_trouble", turn.loop)
        if turn.loop == FORM and answer_follow_ups.tells_no_phone(turn):
            return
        if turn.topic in SOCIAL:
            turn.say(f"utter_aside/{turn.topic}")
        elif turn.loop == FORM and (task := task_of(turn)):
            _change_task(turn, task)
        elif turn.intent not in UNCLEAR and not _told_of_order(turn):
            await answer_topic(turn, turn.topic)


def _told_of_order(turn: Turn) -> bool:
    """Was this a question about the arrival of the order on the table? Then it is answered."""
    order = turn.slot("order")
    return bool(order) and open_question.tells_arrival(turn, order)


def _change_task(turn: Turn, task: str) -> None:
    """Another wish for the order that is being looked for: said back, since the form's question stays the same."""
    if is_receipt_only(turn.text, task):
        return
    if is_reason_only(turn.text, str(turn.slot("order_task")), task):
        reason = {"reason": turn.text.strip()[: order_details.LONGEST_REASON]}
        turn.set("pending", {"told": {**((turn.slot("pending") or {}).get("told") or {}), **reason}})
        return
    if task != turn.slot("order_task") and task not in PARCEL_TASKS:
        turn.say("utter_orders/task_changed", task=task_label(turn, task))
    _new_task(turn, task)


class LeaveForm(SkillAction):
    """The customer does not want to go on with the questions: nothing is done, and it can be taken up again."""

    def name(self) -> str:
        return "action_leave_form"

    async def answer(self, turn: Turn) -> None:
        if turn.slot("order_task") and NO_NUMBER.search(turn.text):
            turn.say("utter_orders/no_number")
            return
        for slot in LEFT_WITH_FORM:
            turn.set(slot, None)
        turn.say("utter_orders/form_left")
