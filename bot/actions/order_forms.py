"""What a change to an order still needs: the reason of a return, a new address, an invoice's title and tax number."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import words
from bot.actions.order_changes import (
    COMPANY,
    NO_NUMBER,
    REST,
    TAX_NUMBER,
    ask_for_yes,
    ask_reason_again,
    invoice_lacks,
    invoice_of,
    take_reason,
)
from bot.actions.order_details import ADDRESS_PARTS, address_told, corrects, read_invoice
from bot.actions.said import is_mere_yes, is_no_value, is_question, is_wait, only_waits
from bot.actions.skill import SkillAction
from bot.actions.turn import Turn

WAITING, EXPLAIN = "waiting", "explain"
# With parts told, the form asks after these whether the rest stays.
ASKED_OF_REST = frozenset({"again", REST})
PART_UNCHANGED = re.compile(
    r"(?:电话|手机|地址|收件人|名字).{0,6}(?:不变|照旧|不用改|一样)"
    r"|(?<![a-z])(?:phone|number|address|name)\W.{0,12}(?:same|unchanged|stays?|keep)(?![a-z])",
    re.IGNORECASE,
)
OTHER_WISHES = {"invoice": r"发票|invoice|receipt", "address": r"地址|address"}
ONLY_A_PART = re.compile(
    r"不变|照旧|只改|就改|只换|写错|(?<![a-z])(?:only|just|same|unchanged|wrong|keep)(?![a-z])", re.IGNORECASE
)


class TakeReturnReason(SkillAction):
    """Takes the reason of a return or exchange and asks for a yes."""

    group = "orders"

    def name(self) -> str:
        return "action_take_return_reason"

    async def answer(self, turn: Turn) -> None:
        if not turn.pressed and is_no_value(turn.text):
            ask_reason_again(turn)
            return
        reason = turn.entities.get("choice") or turn.text
        take_reason(turn, turn.label(f"reason_{reason}") if turn.pressed and "choice" in turn.entities else str(reason))


class AskNewAddress(SkillAction):
    """Asks for the new address, or for what is missing of it."""

    group = "orders"

    def name(self) -> str:
        return "action_ask_new_address"

    async def answer(self, turn: Turn) -> None:
        order, trouble = turn.slot("order"), turn.slot("form_trouble")
        parts = (turn.slot("pending") or {}).get("parts") or {}
        missing = words.listed(
            [turn.label(f"address_{part}") for part in ADDRESS_PARTS if part not in parts], turn.language
        )
        if trouble == WAITING:
            turn.say("utter_orders/no_hurry")
        elif trouble == EXPLAIN:
            turn.say("utter_orders/explain_address", missing=missing)
        elif trouble and parts:
            shown = order["recipient"]
            turn.say("utter_orders/ask_address_rest", missing=missing, masked=f"{shown['name']}, {shown['address']}")
        else:
            turn.say("utter_orders/ask_address", number=order["number"])


class ValidateAddressForm(Action):
    """Takes name, phone and address apart, from one message or several, until all three are there or the rest stays."""

    def name(self) -> str:
        return "validate_address_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        turn = Turn(dispatcher, tracker)
        asked = tracker.slots_to_validate().get("new_address") is not None
        before = (turn.slot("pending") or {}).get("parts") or {}
        found = address_told(before, turn.text, asked) if _is_answer(turn, "address_form") else {}
        parts = {**before, **found}
        corrects_told = bool(set(found) & set(before)) and corrects(turn.text)
        rest_stays = bool(parts) and not corrects_told and _rest_stays(turn)
        asked |= rest_stays or _strays(turn, "address_form")
        sure = {"phone", "address"} & set(found) or (found and corrects(turn.text))
        if not asked and not sure:
            return [SlotSet("requested_slot", "new_address")]
        complete = rest_stays or set(parts) == set(ADDRESS_PARTS)
        if not found:
            note_other_wish(turn)
        trouble = "again" if found else _why_nothing(turn)
        return [
            *turn.events,
            *_proof_stays(turn, found),
            SlotSet("new_address", parts if complete else None),
            SlotSet("pending", {"parts": parts}),
            SlotSet("form_trouble", None if complete else trouble),
            SlotSet("requested_slot", None if complete else "new_address"),
        ]


def _rest_stays(turn: Turn) -> bool:
    """Does the customer say that what was not told stays as it is?"""
    if turn.pressed:
        return turn.entities.get("choice") == REST
    if not turn.opening or is_question(turn.text):
        return False
    says_yes = turn.slot("form_trouble") in ASKED_OF_REST and is_mere_yes(turn.text)
    return says_yes or bool(ONLY_A_PART.search(turn.text))


def _is_answer(turn: Turn, form: str) -> bool:
    """Does the message answer this form's question, typed just now?"""
    return turn.loop == form and turn.opening and not turn.pressed


def _strays(turn: Turn, form: str) -> bool:
    """What only looks like another matter, and is a question, a part that stays or a wait: no reason to leave."""
    question = turn.intent == "product_advice" and is_question(turn.text)
    question |= turn.intent == "device_problem" and bool(PART_UNCHANGED.search(turn.text))
    return _is_answer(turn, form) and (question or (turn.intent == "deny" and only_waits(turn.text)))


def _why_nothing(turn: Turn) -> str:
    """How to ask again after a message that held nothing for the form."""
    if is_wait(turn.text):
        return WAITING
    return EXPLAIN if is_question(turn.text) else "again"


def _proof_stays(turn: Turn, found: dict[str, str]) -> list[EventType]:
    """The digits that opened the order stay the proof: the new recipient's phone is none."""
    proof = (turn.slot("order") or {}).get("proof")
    return [SlotSet("phone_last4", proof)] if "phone" in found and proof else []


def note_other_wish(turn: Turn) -> None:
    """Another wish for the same order, told while a form waits for data: it comes up when this one is done."""
    task = {"invoice": "invoice", "change_address": "address"}.get(turn.intent)
    current = turn.slot("order_task")
    named = task and re.search(OTHER_WISHES[task], turn.text, re.IGNORECASE)
    if not task or not named or task == current:
        return
    number = turn.slot("order")["number"]
    turn.append("orders_next", {"number": number, "task": task})
    turn.say("utter_orders/next_after_this", number=number, task=turn.label(f"task_{task}"))


class ConfirmAddress(SkillAction):
    """Repeats the new address and asks for a yes."""

    group = "orders"

    def name(self) -> str:
        return "action_confirm_address"

    async def answer(self, turn: Turn) -> None:
        change = {"task": "address", **turn.slot("new_address")}
        turn.set("new_address", None)
        ask_for_yes(turn, turn.slot("order"), change)


class AskInvoiceTitle(SkillAction):
    """Asks whom the invoice is for, or for what is missing of it."""

    group = "orders"

    def name(self) -> str:
        return "action_ask_invoice_title"

    async def answer(self, turn: Turn) -> None:
        trouble, parts = turn.slot("form_trouble"), (turn.slot("pending") or {}).get("parts") or {}
        if trouble == WAITING:
            turn.say("utter_orders/no_hurry")
        elif trouble == EXPLAIN and invoice_lacks(parts) == TAX_NUMBER:
            turn.say("utter_orders/explain_tax_number", title=parts["title"])
        elif trouble == EXPLAIN:
            turn.say("utter_orders/explain_invoice")
        elif trouble == COMPANY:
            turn.say("utter_orders/ask_company")
        elif trouble == TAX_NUMBER or (trouble and invoice_lacks(parts) == TAX_NUMBER):
            turn.say("utter_orders/ask_tax_number", title=parts.get("title", ""))
        else:
            again = "_again" if trouble and turn.times(self.name()) else ""
            turn.say(f"utter_orders/ask_invoice{again}", number=turn.slot("order")["number"])


class ValidateInvoiceForm(Action):
    """Takes title, tax number and mail address, from one message or several; a company needs its tax number too."""

    def name(self) -> str:
        return "validate_invoice_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        turn = Turn(dispatcher, tracker)
        asked = tracker.slots_to_validate().get("invoice_title") is not None
        parts = (turn.slot("pending") or {}).get("parts") or {}
        if asked and turn.pressed:
            found = {"personal": {"kind": "personal"}, "no_tax": {"tax_number": NO_NUMBER}}.get(
                str(turn.entities.get("choice")), {}
            )
        elif _is_answer(turn, "invoice_form"):
            found = read_invoice(turn.text, asked and "title" not in parts)
        else:
            found = {}
        asked |= _strays(turn, "invoice_form")
        if not found and not asked:
            return [SlotSet("requested_slot", "invoice_title")]
        parts = {**parts, **found}
        if not found:
            note_other_wish(turn)
        lacks = invoice_lacks(parts)
        return [
            *turn.events,
            SlotSet("invoice_title", None if lacks else invoice_of(turn, parts)),
            SlotSet("pending", {"parts": parts}),
            SlotSet("form_trouble", lacks if found or not lacks else _why_nothing(turn)),
            SlotSet("requested_slot", "invoice_title" if lacks else None),
        ]


class ConfirmInvoice(SkillAction):
    """Repeats the invoice's title and asks for a yes."""

    group = "orders"

    def name(self) -> str:
        return "action_confirm_invoice"

    async def answer(self, turn: Turn) -> None:
        change = {"task": "invoice", **turn.slot("invoice_title")}
        turn.set("invoice_title", None)
        ask_for_yes(turn, turn.slot("order"), change)
