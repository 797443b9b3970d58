"""How an order is put into words: the values that the responses about orders are filled with."""

from __future__ import annotations

from typing import Any

from bot.actions import dates, words
from bot.actions.turn import Turn, payload

CHANGE_BUTTONS = {
    "cancel": ("cancel", payload("cancel_order")),
    "address": ("change_address", payload("change_address")),
    "return": ("return", payload("return_exchange", topic="return_exchange/return")),
    "invoice": ("invoice", payload("invoice")),
}
PERSON_STATES = frozenset({"lost", "delayed"})
SETTLED = frozenset({"delivered", "cancelled"})
WITH_COURIER = frozenset({"shipped", "delayed"})
MOST_BUTTONS = 3
SHOWN_LATELY = 3


def was_shown(turn: Turn, order: dict[str, Any]) -> bool:
    """Was the order told of a moment ago, so that a message may be about it without naming it?"""
    return any(order["number"] in said for said in turn.said_lately(SHOWN_LATELY))


def state_name(order: dict[str, Any]) -> str:
    """The name of the response that tells this order's state."""
    status = order["status"]
    if status == "shipped" and not _latest_event(_parcel(order)):
        return "utter_orders/state_shipped_no_event"
    if status == "cancelled" and order.get("refund"):
        return "utter_orders/state_cancelled_refund"
    return f"utter_orders/state_{status}"


def allowed_buttons(turn: Turn, order: dict[str, Any]) -> list[words.Button]:
    """Buttons for what the shop allows in this state, and a person where only a person can help."""
    offered = [name for name in CHANGE_BUTTONS if name in order["allowed"]]
    buttons = [turn.button(*CHANGE_BUTTONS[name]) for name in offered]
    if order["status"] in PERSON_STATES:
        buttons.insert(0, turn.button("person", "/request_human"))
    return buttons[:MOST_BUTTONS]


def order_values(turn: Turn, order: dict[str, Any]) -> dict[str, str]:
    """Everything a response about an order may name, in the customer's language; empty where the order has nothing."""
    language = turn.language
    parcel = _parcel(order)
    event = _latest_event(parcel) or {}
    refund = order.get("refund") or {}
    invoice = order.get("invoice") or {}
    return {
        "number": order["number"],
        "items": _items(turn, order),
        "status": turn.label(f"state_{order['status']}"),
        "total": amount(order.get("total")),
        "placed": dates.day(order.get("placed_at"), language),
        "carrier": turn.local(parcel.get("carrier") or ""),
        "parcel": str(parcel.get("number") or ""),
        "event": turn.local(event.get("text") or ""),
        "event_place": turn.local(event.get("place") or ""),
        "event_time": dates.moment(event.get("at"), language),
        "others": _other_parcels(turn, order, parcel),
        "expected": dates.day(order.get("expected_date"), language) or turn.label("date_unknown"),
        "delivered": dates.moment(order.get("delivered_at"), language),
        "refund_amount": amount(refund.get("amount")),
        "refund_day": dates.day(refund.get("expected_at"), language) or turn.label("date_unknown"),
        "invoice_title": str(invoice.get("title") or ""),
    }


def amount(value: Any) -> str:
    """A sum of money without needless zeros."""
    return f"{float(value):.2f}".removesuffix(".00") if value is not None else ""


def _items(turn: Turn, order: dict[str, Any]) -> str:
    names = [
        turn.local(item["name"]) + (f" ×{item['quantity']}" if item["quantity"] > 1 else "") for item in order["items"]
    ]
    return words.listed(names, turn.language)


def _parcel(order: dict[str, Any]) -> dict[str, Any]:
    """The parcel that matters now: the last one not yet there, else the last; empty when nothing was packed."""
    parcels = order.get("parcels") or [{}]
    on_the_way = [parcel for parcel in parcels if parcel.get("status") not in SETTLED]
    return dict((on_the_way or parcels)[-1])


def _other_parcels(turn: Turn, order: dict[str, Any], parcel: dict[str, Any]) -> str:
    """One line for each further parcel of the same order on its way to the customer; empty when there is none."""
    lines = []
    for other in order.get("parcels") or []:
        event = _latest_event(other)
        if event and other["number"] != parcel.get("number") and other.get("direction") == parcel.get("direction"):
            carrier, told = turn.local(other["carrier"]), turn.local(event["text"])
            lines.append(turn.label("other_parcel", carrier=carrier, parcel=other["number"], event=told))
    return "".join(f"\n{line}" for line in lines)


def _latest_event(parcel: dict[str, Any]) -> dict[str, Any] | None:
    return max(parcel.get("events") or [], key=lambda event: event["at"], default=None)
