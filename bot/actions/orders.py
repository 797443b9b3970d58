"""Orders: the form that finds one (number and proof, or a known customer's choice), and what its state is."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import order_changes, parcels
from bot.actions.answers import answer_topic
from bot.actions.clients.proofs import wrong_proofs
from bot.actions.clients.shop import CustomerUnknown, OrderNotFound, ShopError, TooManyProofs, shop
from bot.actions.order_words import allowed_buttons, order_values, state_name
from bot.actions.turn import SkillAction, Turn, payload

FORM = "order_form"
MOST_CHOICES = 5
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
SOCIAL = frozenset({"greet", "thank", "chitchat", "out_of_scope", "capabilities", "who_are_you"})
UNCLEAR = frozenset({"inform", "affirm", "nlu_fallback"})
PARCEL_TASKS = frozenset({"lost", "stuck", "damaged", "wrong_item", "missing_item", "not_received"})
POLICY = "return_exchange/policy"
ORDER_NUMBER = re.compile(r"LM[\s-]*(?:\d[\s-]*){10}", re.IGNORECASE)
FOUR_DIGITS = re.compile(r"(?<![\dA-Za-z.])\d{4}(?![\dA-Za-z]|\.\d)")
ANOTHER_ORDER = re.compile(r"另一个|另外|别的|其他订单|下一个|another|other order|different order", re.IGNORECASE)


def task_of(turn: Turn) -> str | None:
    """The order task that a message asks for; None when it asks for none, such as a question about policy."""
    return TASKS.get(turn.topic)


async def begin(turn: Turn, task: str) -> None:
    """Starts a task with an order: at once when number and proof are known, else with the form's questions."""
    _new_task(turn, task)
    _take_digits_beside_number(turn)
    _recall_proof(turn)
    turn.set("order", None)
    turn.set("form_trouble", None)
    await _know_the_customer(turn)
    if await missing_slot(turn) is None:
        await do_task(turn)
    else:
        turn.follow(FORM)


def _new_task(turn: Turn, task: str) -> None:
    turn.set("order_task", task)
    if task not in ("return", "exchange"):
        turn.set("order_trouble", None)
    turn.set("pending", None)
    turn.set("awaiting", "nothing")
    if task in PARCEL_TASKS:
        turn.say(f"utter_parcel/acknowledge_{task}")


def _recall_proof(turn: Turn) -> None:
    """The digits that opened this order before, even if another phone number was named since."""
    before = turn.slot("order")
    if before and before.get("proof") and before["number"] == turn.slot("order_number"):
        turn.set("phone_last4", before["proof"])


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
        _take_digits_beside_number(turn)
        if "order_number" in given and not turn.slot("phone_last4"):
            _try_the_old_proof_again(turn)


def _take_digits_beside_number(turn: Turn) -> None:
    """Four digits standing alone beside an order number are the proof, even without a word that says so."""
    if "order_number" not in turn.entities or "phone_last4" in turn.entities or turn.pressed:
        return
    digits = FOUR_DIGITS.findall(ORDER_NUMBER.sub(" ", unicodedata.normalize("NFKC", turn.text)))
    if len(digits) == 1:
        turn.set("phone_last4", digits[0])


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


def _no_order(turn: Turn) -> None:
    if turn.slot("form_trouble") == "too_many":
        turn.say("utter_orders/too_many_proofs", number=turn.slot("order_number"))
        turn.set("order_number", None)
        turn.set("form_trouble", None)
    else:
        turn.hand_over("bot_error", "orders", priority=2)


def say_state(turn: Turn, order: dict[str, Any]) -> None:
    """The order's state, its parcel's latest event, the expected date, and what the shop allows now."""
    turn.say(state_name(order), buttons=allowed_buttons(turn, order), **order_values(turn, order))


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
        if turn.intent in SOCIAL:
            turn.say(f"utter_aside/{turn.intent}")
        elif turn.loop == FORM and (task := task_of(turn)):
            _change_task(turn, task)
        elif turn.intent in UNCLEAR:
            return
        else:
            await answer_topic(turn, turn.topic)


def _change_task(turn: Turn, task: str) -> None:
    """Another wish for the order that is being looked for: said back, since the form's question stays the same."""
    if task != turn.slot("order_task") and task not in PARCEL_TASKS:
        turn.say("utter_orders/task_changed", task=turn.label(f"task_{task}"))
    _new_task(turn, task)


class LeaveForm(SkillAction):
    """The customer does not want to go on with the questions: nothing is done, and it can be taken up again."""

    def name(self) -> str:
        return "action_leave_form"

    async def answer(self, turn: Turn) -> None:
        for slot in ("form_trouble", "order_task", "new_address", "invoice_title", "advice_use", "advice_detail"):
            turn.set(slot, None)
        turn.say("utter_orders/form_left")
