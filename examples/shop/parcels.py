"""Parcels: their numbers, the words of their tracking, and pick-ups for returns."""

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from examples.shop.models import Order, Parcel, ParcelEvent, Text
from examples.shop.texts import fill, load, say

_CITY = re.compile(r"(?:.*?(?:省|自治区))?([\u4e00-\u9fff]{2,8}?)市")


def tracking_number(carrier: str, random_below: Callable[[int], int] = secrets.randbelow) -> str:
    """A number in the carrier's own form."""
    form = load("places")["carriers"][carrier]
    return form["prefix"] + "".join(str(random_below(10)) for _ in range(form["digits"]))


def carrier_name(carrier: str) -> Text:
    """The carrier's name in both languages."""
    form = load("places")["carriers"][carrier]
    return {"zh": form["zh"], "en": form["en"]}


def tracking_text(phrase: str, carrier: str, words: Mapping[str, Any]) -> Text:
    """What this carrier writes at such a stop."""
    wordings = load("journeys")["phrases"][phrase]
    return fill(wordings.get(carrier, wordings["any"]), **words)


def city_in(address: str) -> str:
    """The city that an address names, in the address's own language; empty when there is none."""
    for city in load("places")["cities"].values():
        for language in ("zh", "en"):
            if city[language].lower() in address.lower():
                return str(city[language])
    match = _CITY.match(address)
    return match.group(1) if match else ""


def city_text(city: str) -> Text:
    """A city, however written, in both languages; the customer's own address when none is known."""
    if not city:
        return say("places.home")
    for known in load("places")["cities"].values():
        if city in (known["zh"], known["en"]):
            return {"zh": known["zh"], "en": known["en"]}
    return {"zh": city, "en": city}


def pickup_parcel(order: Order, now: datetime) -> Parcel:
    """A return parcel that a courier fetches, back to the warehouse that sent the order."""
    came = order.parcels[0]
    carrier = next(code for code, form in load("places")["carriers"].items() if form["zh"] == came.carrier["zh"])
    text = tracking_text("pickup_booked", carrier, {"carrier": came.carrier})
    return Parcel(
        number=tracking_number(carrier),
        direction="return",
        carrier=came.carrier,
        warehouse=came.warehouse,
        city=came.city,
        models=[item.model for item in order.items],
        status="awaiting_pickup",
        events=[ParcelEvent(at=now, place=city_text(order.recipient_city), text=text)],
    )
