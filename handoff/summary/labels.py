"""Values as people read them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from handoff.locales import section, text
from handoff.summary.designers import trouble
from handoff.summary.orders import OrderState
from handoff.summary.record import Record


def named(prefix: str, value: str, language: str) -> str | None:
    """Return the catalogue's word for a code (`device`, `os`, `step`, `mood` …); None when it has none."""
    key = f"{prefix}_{value}"
    return text(f"summary.{key}", language) if key in section("summary") else None


def readable(name: str, value: str, language: str) -> str:
    """Return a fact's value as people read it: a device's name instead of its code, a symptom in their language."""
    if name == "symptom":
        return trouble().title(value, language)
    prefix = {"device_model": "device", "product": "product", "os": "os"}.get(name)
    return (named(prefix, value, language) if prefix else None) or value


def device(record: Record, language: str) -> str | None:
    """Return the customer's device: the model, else the kind of product; None when neither is known."""
    for name in ("device_model", "product"):
        value = record.value(name)
        if value:
            return readable(name, value, language)
    return None


def phone(record: Record, language: str) -> str | None:
    """Return the customer's phone and its system, as far as they are known."""
    system = " ".join(
        part for part in (readable("os", record.value("os") or "", language), record.value("os_version")) if part
    )
    parts = [part for part in (record.value("phone_model"), system) if part]
    return text("summary.comma", language).join(parts) or None


def moment(when: datetime, record: Record, language: str) -> str:
    """Return day and time in the agents' zone."""
    local = when.astimezone(ZoneInfo(record.timezone))
    return text("summary.moment", language, month=local.month, day=local.day, time=local.strftime("%H:%M"))


def order_state(order: OrderState, language: str) -> str:
    """Return the order's present state as people read it, with the day it is expected."""
    state = named("order", order.status, language) or order.status
    if order.expected_date is None:
        return text("summary.order_state", language, number=order.number, state=state)
    day = {"month": order.expected_date.month, "day": order.expected_date.day}
    return text("summary.order_expected", language, number=order.number, state=state, **day)
