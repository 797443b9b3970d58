"""Values as people read them."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from handoff.locales import LANGUAGES, section, text
from handoff.summary.designers import trouble
from handoff.summary.orders import OrderState
from handoff.summary.record import Record
from handoff.summary.reported import is_chinese

_WORDS = re.compile(r"[A-Za-z]{2,}\s+[A-Za-z]{2,}")


def named(prefix: str, value: str, language: str) -> str | None:
    """Return the catalogue's word for a code (`device`, `os`, `step`, `mood` …); None when it has none."""
    key = f"{prefix}_{value}"
    return text(f"summary.{key}", language) if key in section("summary") else None


def readable(name: str, value: str, language: str) -> str:
    """Return a fact's value as people read it: a device's name instead of its code, a symptom in their language."""
    if name == "symptom":
        return trouble().title(value, language) if trouble().topic_of(value) else as_written(value, language)
    if name == "phone_model":
        return branded(value, language)
    if name == "purchased_at":
        return as_written(value, language)
    prefix = {"device_model": "device", "product": "product", "os": "os"}.get(name)
    return (named(prefix, value, language) if prefix else None) or value


def as_written(words: str, language: str) -> str:
    """Return words as they are, in quotation marks where they are not in the reader's language."""
    foreign = is_chinese(words) if language == "en" else not is_chinese(words) and _WORDS.search(words) is not None
    return text("summary.problem_quote", language, quote=words) if foreign else words


def branded(value: str, language: str) -> str:
    """Return the name of a phone with its brand as the reader's language calls it."""
    for key in section("summary"):
        for name in (text(f"summary.{key}", one) for one in LANGUAGES) if key.startswith("brand_") else ():
            if value.lower().startswith(name.lower()):
                return text(f"summary.{key}", language) + value[len(name) :]
    return value


def device(record: Record, language: str, seq: int | None = None, symptom: str | None = None) -> str | None:
    """Return the device: the model, else the kind of product; None when neither is known.

    With `seq` and `symptom` the device that goes with that trouble: one of the kind whose trouble it is, else the one
    named in that message, else the newest.
    """
    known = [fact for fact in record.stated if fact.name in {"device_model", "product"}]
    topic = trouble().topic_of(symptom) if symptom else None
    fitting = trouble().guides[topic].get("categories") or [] if topic else []
    for chosen in (
        [fact for fact in known if fact.value.partition("-")[0] in fitting and fact.source_seq == seq],
        [fact for fact in known if fact.value.partition("-")[0] in fitting],
        [fact for fact in known if fact.source_seq == seq and seq is not None],
        known,
    ):
        for name in ("device_model", "product"):
            if found := next((fact for fact in reversed(chosen) if fact.name == name), None):
                return readable(name, found.value, language)
    return None


def phone(record: Record, language: str) -> str | None:
    """Return the customer's phone and its system, as far as they are known."""
    system = " ".join(
        part for part in (readable("os", record.value("os") or "", language), record.value("os_version")) if part
    )
    parts = [part for part in (branded(record.value("phone_model") or "", language), system) if part]
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
