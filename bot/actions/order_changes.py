"""Changes to an order: cancel, address, invoice, return, exchange. Each is offered, asked back."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import words
from bot.actions.clients.shop import shop
from bot.actions.order_words import allowed_buttons, order_values, state_name
from bot.actions.turn import SkillAction, Turn

NEEDED = {"cancel": "cancel", "address": "address", "invoice": "invoice", "return": "return", "exchange": "return"}
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
TAX_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{15,20}(?![0-9A-Za-z])")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
LABELS = re.compile(
    r"(收货人|收件人|姓名|电话|手机号?|联系方式|地址|新地址|发票抬头|抬头|税号|公司名称|邮箱|改成|改到|改为|换成|寄到|送到"
    r"|(?:name|phone|address|title|tax (?:number|id)|email)(?=\s*[::]))",
    re.IGNORECASE,
)
SHORTEST_ADDRESS = 6
ADDRESS_PARTS = ("recipient", "phone", "address")
STRAY = " ,.:;。"
PHONE_MARK = "\x1f"
PLACE_WORDS = re.compile(
    r"[省市区县镇乡村路街道号弄栋楼室]$"
    r"|(?<![a-z])(?:road|street|avenue|lane|building|room|floor|district|city|province|no)(?![a-z])",
    re.IGNORECASE,
)


async def offer(turn: Turn, order: dict[str, Any], task: str) -> None:
    """Asks for what the change needs and for a yes; where it is not allowed, says why and another way."""
    if task == "refund":
        task = "cancel" if "cancel" in order["allowed"] else "return"
    if NEEDED[task] not in order["allowed"]:
        await _refuse(turn, order, task)
    elif task == "cancel":
        ask_for_yes(turn, order, {"task": "cancel"})
    elif task == "address":
        turn.set("new_address", None)
        turn.follow("address_form")
    elif task == "invoice":
        turn.set("invoice_title", None)
        turn.follow("invoice_form")
    else:
        _ask_reason(turn, order, task)


def ask_for_yes(turn: Turn, order: dict[str, Any], change: dict[str, Any]) -> None:
    """Says what will be done and waits for a yes."""
    question = words.words(
        f"utter_confirm/{change['task']}", turn.language, **{**order_values(turn, order), **_told(turn, change)}
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
    if not issue.get("title") or issue.get("stage") == "solved":
        return None
    model = turn.slot("device_model")
    concerned = not model or any(item["model"] == model for item in order["items"])
    return turn.local(issue["title"]) if concerned else None


class TakeReturnReason(SkillAction):
    """Takes the reason of a return or exchange and asks for a yes."""

    group = "orders"

    def name(self) -> str:
        return "action_take_return_reason"

    async def answer(self, turn: Turn) -> None:
        pending = turn.slot("pending")
        reason = turn.entities.get("choice") or turn.text
        if turn.pressed and "choice" in turn.entities:
            reason = turn.label(f"reason_{reason}")
        ask_for_yes(turn, turn.slot("order"), {"task": pending["task"], "reason": str(reason)[:200]})


class AskNewAddress(SkillAction):
    """Asks for the new address, or for what is missing of it."""

    group = "orders"

    def name(self) -> str:
        return "action_ask_new_address"

    async def answer(self, turn: Turn) -> None:
        number = turn.slot("order")["number"]
        parts = (turn.slot("pending") or {}).get("parts")
        if turn.slot("form_trouble") == "address_form" and parts is not None:
            missing = [turn.label(f"address_{part}") for part in ADDRESS_PARTS if part not in parts]
            turn.say("utter_orders/ask_address_again", missing=words.listed(missing, turn.language))
        else:
            turn.say("utter_orders/ask_address", number=number)


class ValidateAddressForm(Action):
    """Takes name, phone and address apart, from one message or several, until all three are there."""

    def name(self) -> str:
        return "validate_address_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        turn = Turn(dispatcher, tracker)
        text = tracker.slots_to_validate().get("new_address")
        if not isinstance(text, str):
            return [SlotSet("requested_slot", "new_address")]
        before = (turn.slot("pending") or {}).get("parts") or {}
        parts = {**before, **{name: part for name, part in read_address(text).items() if part}}
        complete = set(parts) == set(ADDRESS_PARTS)
        return [
            SlotSet("new_address", parts if complete else None),
            SlotSet("pending", {"parts": parts}),
            SlotSet("form_trouble", None if complete else "address_form"),
            SlotSet("requested_slot", None if complete else "new_address"),
        ]


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
    """Asks whom the invoice is for."""

    group = "orders"

    def name(self) -> str:
        return "action_ask_invoice_title"

    async def answer(self, turn: Turn) -> None:
        again = "_again" if turn.slot("form_trouble") == "invoice_form" else ""
        turn.say(f"utter_orders/ask_invoice{again}", number=turn.slot("order")["number"])


class ValidateInvoiceForm(Action):
    """Takes title, tax number and mail address out of one message."""

    def name(self) -> str:
        return "validate_invoice_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        turn = Turn(dispatcher, tracker)
        text = tracker.slots_to_validate().get("invoice_title")
        if not isinstance(text, str):
            return [SlotSet("requested_slot", "invoice_title")]
        found = read_invoice(turn, text)
        return [
            SlotSet("invoice_title", found),
            SlotSet("form_trouble", None if found else "invoice_form"),
            SlotSet("requested_slot", None if found else "invoice_title"),
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


def read_address(text: str) -> dict[str, str | None]:
    """Recipient, phone and address out of free text, in either language; None for what is not there."""
    plain = unicodedata.normalize("NFKC", text)
    phone = MOBILE.search(plain)
    rest = LABELS.sub(" ", MOBILE.sub(f",{PHONE_MARK},", plain))
    chinese = bool(re.search(r"[\u4e00-\u9fff]", rest))
    pieces = [piece.strip(STRAY) for piece in re.split(r"[,;、\n\s]+" if chinese else r"[,;\n]+", rest)]
    pieces = [piece for piece in pieces if piece]
    recipient = _recipient(pieces, chinese)
    address = ("" if chinese else ", ").join(piece for piece in pieces if piece not in (recipient, PHONE_MARK))
    return {
        "recipient": recipient,
        "phone": phone.group() if phone else None,
        "address": address if len(address) >= SHORTEST_ADDRESS else None,
    }


def _recipient(pieces: list[str], chinese: bool) -> str | None:
    """The piece that is the name: people write it beside the phone, else first or last."""
    if PHONE_MARK in pieces:
        at = pieces.index(PHONE_MARK)
        likely = [*pieces[max(at - 1, 0) : at], *pieces[at + 1 : at + 2], *pieces[:1], *pieces[-1:]]
    else:
        likely = [*pieces[-1:], *pieces[:1]] if chinese else pieces[:1]
    return next((piece for piece in likely if _looks_like_name(piece)), None)


def _looks_like_name(piece: str) -> bool:
    """Short, without digits, and without the words that places are made of."""
    if re.search(r"\d", piece) or PLACE_WORDS.search(piece):
        return False
    return len(piece) in (2, 3, 4) if re.search(r"[\u4e00-\u9fff]", piece) else 1 <= len(piece.split()) <= 3


def read_invoice(turn: Turn, text: str) -> dict[str, str | None] | None:
    """Title, tax number and mail address out of free text; a pressed 个人 / personal has its own title."""
    if turn.entities.get("choice") == "personal":
        return {"title": turn.label("invoice_personal"), "tax_number": None, "email": None}
    if turn.pressed:
        return None
    text = unicodedata.normalize("NFKC", text)
    email, tax = EMAIL.search(text), TAX_NUMBER.search(EMAIL.sub(" ", text))
    rest = LABELS.sub(" ", TAX_NUMBER.sub(" ", EMAIL.sub(" ", text)))
    pieces = [re.sub(r"\s+", " ", piece).strip(STRAY) for piece in re.split(r"[,;、\n]", rest)]
    title = next((piece for piece in pieces if piece), "")
    if len(title) < 2:
        return None
    return {
        "title": title,
        "tax_number": tax.group().upper() if tax else None,
        "email": email.group() if email else None,
    }
