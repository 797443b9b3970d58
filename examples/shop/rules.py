"""What an order's state allows, and why not otherwise. Pure functions: no database, no clock of their own."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from examples.shop.clock import china_date
from examples.shop.models import Order, Status, Text
from examples.shop.texts import day_text, say


class Action(StrEnum):
    """What a customer may ask for."""

    CANCEL = "cancel"
    ADDRESS = "address"
    INVOICE = "invoice"
    RETURN = "return"


class ReturnKind(StrEnum):
    """Money back or a new device."""

    RETURN = "return"
    EXCHANGE = "exchange"


_BEFORE_SHIPPING = frozenset({Status.UNPAID, Status.PAID, Status.PACKED})
_STATES: Mapping[Action, frozenset[Status]] = {
    Action.CANCEL: _BEFORE_SHIPPING,
    Action.ADDRESS: _BEFORE_SHIPPING,
    Action.INVOICE: frozenset({Status.PAID, Status.PACKED, Status.SHIPPED, Status.DELAYED, Status.DELIVERED}),
    Action.RETURN: frozenset({Status.DELIVERED}),
}


def allowed(order: Order, policies: Mapping[str, Any], now: datetime) -> list[Action]:
    """The actions that this order allows now; `return` while a return or at least an exchange is possible."""
    return [action for action in Action if refusal(order, action, policies, now) is None]


def refusal(
    order: Order,
    action: Action,
    policies: Mapping[str, Any],
    now: datetime,
    kind: ReturnKind = ReturnKind.EXCHANGE,
) -> Text | None:
    """Why the action is not possible now, with the way out; None when it is. `kind` matters for returns only."""
    hindrance = _hindrance(order, action, policies, now, kind)
    if hindrance is None:
        return None
    return_days, exchange_days = policies["return"]["days"], policies["exchange"]["days"]
    return say(
        f"refusals.{action}.{hindrance}",
        return_days=return_days,
        exchange_days=exchange_days,
        exchange_until=day_text(_last_day(order, exchange_days)) if order.delivered_at else "",
        invoice_days=policies["invoice"]["days"],
        title=order.invoice_title or "",
    )


def _hindrance(
    order: Order, action: Action, policies: Mapping[str, Any], now: datetime, kind: ReturnKind
) -> str | None:
    if order.status not in _STATES[action]:
        return order.status
    if action is Action.INVOICE:
        if order.invoice_status == "issued":
            return "issued"
        return "too_late" if (now - order.placed_at).days > policies["invoice"]["days"] else None
    if action is Action.RETURN:
        today = china_date(now)
        if today > _last_day(order, policies["exchange"]["days"]):
            return "too_late"
        if kind is ReturnKind.RETURN and today > _last_day(order, policies["return"]["days"]):
            return "too_late_return"
    return None


def _last_day(order: Order, days: int) -> date:
    """The last day of a period that starts on the day after delivery."""
    assert order.delivered_at is not None
    return china_date(order.delivered_at) + timedelta(days=days)
